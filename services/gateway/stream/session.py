"""One client's WebSocket session: reads requests, sends replies and closes the stream."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

from aiohttp import WSMsgType, web

from services.gateway import metrics
from services.gateway.fanout.channels import WITH_GAPS
from services.gateway.fanout.interest import Outcome
from services.gateway.fanout.outbox import Outbox
from services.gateway.stream import protocol, replies
from services.gateway.stream.authentication import StreamAuthentication
from services.gateway.stream.protocol import CloseCode
from services.gateway.stream.quota import ClientQuota
from services.gateway.stream.registry import StreamTermination
from services.gateway.stream.session_context import SessionContext
from services.gateway.stream.subscriptions import StreamSubscriptions
from shared.errors import (
    BadMessage,
    Code,
    InvalidField,
    RateLimited,
    RequestError,
    Revoked,
    Unauthenticated,
)

# Time that a client that is behind has to read its close code.
_RESET_SECS: Final = 5.0
_MAX_CLOSE_REASON_BYTES: Final = 120
_NEVER: Final = float("inf")


class StreamSession:
    """Runs in the task of its HTTP request. Everything it sends goes through its outbox."""

    __slots__ = (
        "_address",
        "_authentication",
        "_context",
        "_is_open",
        "_loop",
        "_opened_at",
        "_outbox",
        "_quota",
        "_reading",
        "_reset",
        "_subscriptions",
        "_termination",
        "_websocket",
        "close_code",
        "deadline",
        "heartbeat_at",
    )

    def __init__(
        self,
        context: SessionContext,
        websocket: web.WebSocketResponse,
        outbox: Outbox,
        reset: Callable[[], None],
        address: str,
    ) -> None:
        self._address = address
        self._context = context
        self._websocket = websocket
        self._outbox = outbox
        self._reset = reset
        self._loop = asyncio.get_running_loop()
        now = self._opened_at = self._loop.time()
        settings = context.settings
        self._authentication = StreamAuthentication(
            context.verifier, context.revocations, settings, context.clock, now
        )
        self._quota = ClientQuota(settings, context.requests, now)
        self._subscriptions = StreamSubscriptions(
            context.hub, context.flusher, context.interest, outbox, settings.max_keys_per_stream
        )
        self._termination: StreamTermination | None = None
        self._reading = asyncio.timeout(None)
        self._is_open = True
        self.close_code: int | None = None
        """The close code that the gateway sent; None while open, or if the client closed."""
        self.deadline = self._authentication.deadline
        self.heartbeat_at = _NEVER
        """Loop time at which the registry calls `heartbeat`; never before a token is accepted."""
        outbox.disconnect = self._disconnect

    async def run(self) -> None:
        """Serve the client until it disconnects or the stream is ended."""
        self._context.streams.add(self)
        try:
            async with self._reading:
                await self._read()
        except TimeoutError:
            if self._termination is None:
                raise
        except StreamTermination as termination:
            self._terminate(termination)
        except ConnectionError:
            pass  # the client disconnected while the gateway was writing
        finally:
            self._leave()
            self._log_end()
        if self._termination is not None:
            await self._close(self._termination)

    def end(self, termination: StreamTermination) -> None:
        """End the stream; the first reason counts.

        The session's own task sends the reason and closes, since only there can the close be
        awaited.
        """
        if self._termination is None and self._is_open:
            self._terminate(termination)
            self._reading.reschedule(self._loop.time())

    def _terminate(self, termination: StreamTermination) -> None:
        self._termination = termination
        self.close_code = termination.close_code
        self.deadline = self.heartbeat_at = _NEVER

    def _disconnect(self, detail: str) -> None:
        self.end(StreamTermination(CloseCode.TOO_SLOW, Code.TOO_SLOW, detail))

    def revoke(self, issued_before: int | None = None) -> None:
        """End the stream, unless its token was issued after `issued_before` (Unix seconds)."""
        if self._authentication.is_ended_by(issued_before):
            metrics.REVOKED_STREAMS.inc()
            self.end(_termination_of(Revoked("the session was ended")))

    def on_deadline(self, now: float) -> None:
        """End the stream for want of a valid token, or warn that the token expires soon."""
        result = self._authentication.at_deadline(now)
        if isinstance(result, StreamTermination):
            self.end(result)
            return
        self.deadline = self._authentication.deadline
        self.reply(result)

    def heartbeat(self, now: float) -> None:
        """Report that the gateway is alive, whether or not anything else is sent."""
        self.heartbeat_at = now + self._context.settings.stream_heartbeat_secs
        message = replies.Heartbeat(self._context.clock.now_ms(), self._context.feed_is_current())
        self.reply(message)

    def _leave(self) -> None:
        context, principal = self._context, self._authentication.principal
        self._is_open = False
        context.streams.remove(self, principal)
        if principal is not None:
            context.open_by_user.release(principal.user_id)
        self._subscriptions.close()

    def _log_end(self) -> None:
        principal, termination = self._authentication.principal, self._termination
        self._context.log.closed(
            self._address,
            None if principal is None else principal.user_id,
            close_code=self.close_code or self._websocket.close_code,
            cause="the client has closed" if termination is None else termination.detail,
            secs=self._loop.time() - self._opened_at,
        )

    async def _read(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message.type is WSMsgType.TEXT:
                await self._receive(message.data)
            elif message.type is WSMsgType.BINARY:
                self._refuse(BadMessage("messages are JSON in text frames"))
            elif message.type is WSMsgType.PING or message.type is WSMsgType.PONG:
                if self._admits_message() and message.type is WSMsgType.PING:
                    await self._websocket.pong(message.data)
            else:
                return
            await self._outbox.room()
            # Buffered messages are received without a pause; this lets other clients run.
            await asyncio.sleep(0)

    async def _receive(self, data: str) -> None:
        settings = self._context.settings
        if len(data.encode()) > settings.max_message_bytes:
            detail = f"a message may have {settings.max_message_bytes} bytes"
            raise StreamTermination(CloseCode.TOO_LARGE, Code.TOO_LARGE, detail)
        if not self._admits_message():
            return
        try:
            request = protocol.parse(data)
            if isinstance(request, protocol.Authenticate):
                await self._authenticate(request.token)
            else:
                self._perform(request)
        except (BadMessage, InvalidField) as error:
            self._refuse(error, request_id=protocol.id_of(data))
        except Unauthenticated as error:
            raise _termination_of(error) from None
        except RequestError as error:
            self.reply(replies.refusal(error, protocol.id_of(data)))

    def _admits_message(self) -> bool:
        """Count one message; if it exceeds the client's rate, refuse it and return False."""
        error = self._quota.message(self._loop.time())
        if error is not None:
            self._refuse(error, CloseCode.TOO_MANY)
        return error is None

    async def _authenticate(self, token: str) -> None:
        principal = await self._authentication.verify(token)
        # No await from here on, so no revocation can come between the check and `identify`.
        is_first = self._authentication.principal is None
        if is_first and not self._context.open_by_user.acquire(principal.user_id):
            detail = f"a user may have {self._context.open_by_user.limit} streams"
            raise StreamTermination(CloseCode.TOO_MANY, Code.LIMIT_EXCEEDED, detail)
        now = self._loop.time()
        reply = self._authentication.accept(principal, now)
        self.deadline = self._authentication.deadline
        if is_first:
            self._context.streams.identify(self, principal)
            self._context.log.opened(self._address, principal.user_id)
            self.heartbeat_at = now + self._context.settings.stream_heartbeat_secs
        self.reply(reply)

    def _perform(self, request: protocol.Subscribe | protocol.Unsubscribe | protocol.Ping) -> None:
        principal = self._authentication.principal
        if principal is None:
            raise Unauthenticated("the first message must be of op auth")
        now = self._loop.time()
        if not isinstance(request, protocol.Ping):
            instruments = self._subscriptions.instrument_count(request)
            error = self._quota.request(principal.user_id, instruments, now)
            if error is not None:
                self._refuse(error, CloseCode.TOO_MANY, request_id=request.id)
                return
        match request:
            case protocol.Subscribe():
                results = self._subscriptions.subscribe(request, principal.user_id, now)
                self.reply(replies.Ack(request.id, results))
            case protocol.Unsubscribe():
                self.reply(replies.Ack(request.id, self._subscriptions.unsubscribe(request)))
            case protocol.Ping():
                self.reply(replies.Pong(self._context.clock.now_ms(), request.id))

    def report_outcomes(self, changed: Mapping[str, Outcome]) -> None:
        """Send the changed outcomes of keys that this client subscribes to."""
        for channel, results in self._subscriptions.affected(changed):
            self.reply(replies.Outcomes(channel, results))

    def report_gap(self) -> None:
        """Report possibly missed messages on the channels that have no snapshots."""
        for channel in WITH_GAPS:
            if self._subscriptions.has_any(channel):
                self.reply(replies.Gap(channel))

    def _refuse(
        self,
        error: RequestError,
        close_code: CloseCode = CloseCode.BAD_MESSAGE,
        *,
        request_id: int | None = None,
    ) -> None:
        """Reply with an error. Raises StreamTermination if the client caused too many."""
        if isinstance(error, RateLimited):
            principal = self._authentication.principal
            user = None if principal is None else principal.user_id
            self._context.log.limited(self._address, user, error.detail)
        if not self._quota.tolerates_refusal(self._loop.time()):
            raise StreamTermination(close_code, error.code, f"too often: {error.detail}")
        self.reply(replies.refusal(error, request_id))

    def reply(self, message: replies.Reply) -> None:
        """Send a reply in the next loop iteration, before any channel message."""
        self._outbox.reply(replies.encode(message))
        self._context.flusher.nudge(self._outbox)

    async def _close(self, termination: StreamTermination) -> None:
        """Send the reason and a close frame, then wait for the client's close frame.

        Closing the connection before the client's close frame is read can lose the reason.
        """
        self._outbox.reply(replies.encode(replies.Error(termination.code, termination.detail)))
        self._outbox.write_replies()
        if self._outbox.unsent():
            self._loop.call_later(_RESET_SECS, self._reset)
        reason = termination.detail.encode()[:_MAX_CLOSE_REASON_BYTES]
        await self._websocket.close(code=termination.close_code, message=reason, drain=False)


def _termination_of(error: Unauthenticated) -> StreamTermination:
    is_revoked = isinstance(error, Revoked)
    code = CloseCode.REVOKED if is_revoked else CloseCode.UNAUTHENTICATED
    return StreamTermination(code, error.code, error.detail)
