"""One client on its WebSocket: acts on its requests, and ends when it must."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import WSMsgType, web

from services.gateway import metrics
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.flush import Flusher
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.interest import Interest, Outcome
from services.gateway.fanout.outbox import Outbox
from services.gateway.http.token_bucket import KeyedCounter, KeyedTokenBuckets
from services.gateway.settings import GatewaySettings
from services.gateway.stream import protocol, replies
from services.gateway.stream.protocol import CloseCode
from services.gateway.stream.quota import ClientQuota
from services.gateway.stream.registry import StreamRegistry, StreamTermination
from services.gateway.stream.subscriptions import StreamSubscriptions
from shared.contracts.revocations import Revocations
from shared.errors import (
    BadMessage,
    Code,
    InvalidField,
    RequestError,
    Revoked,
    TokenExpired,
    Unauthenticated,
)
from shared.runtime.clock import Clock
from shared.web.verifier import Principal, TokenVerifier

# A client that took nothing may still read its close code before it is cut off.
_GRACE_SECS: Final = 5.0
_NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class SessionContext:
    """What all sessions of this process share."""

    hub: Hub
    flusher: Flusher
    interest: Interest
    streams: StreamRegistry
    verifier: TokenVerifier
    revocations: Revocations
    users: KeyedCounter
    requests: KeyedTokenBuckets
    """By user, what it asks on all its streams."""
    settings: GatewaySettings
    clock: Clock


class StreamSession:
    """Runs in the task of its HTTP request; what it sends goes through its outbox."""

    __slots__ = (
        "_allowed",
        "_end",
        "_gateway",
        "_is_open",
        "_loop",
        "_outbox",
        "_principal",
        "_reading",
        "_reset",
        "_socket",
        "_subscriptions",
        "_warned",
        "close_code",
        "due",
    )

    def __init__(
        self,
        gateway: SessionContext,
        socket: web.WebSocketResponse,
        outbox: Outbox,
        reset: Callable[[], None],
    ) -> None:
        self._gateway = gateway
        self._socket = socket
        self._outbox = outbox
        self._reset = reset
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        settings = gateway.settings
        self._allowed = ClientQuota(settings, gateway.requests, now)
        self._subscriptions = StreamSubscriptions(
            gateway.hub, gateway.flusher, gateway.interest, outbox, settings.max_keys_per_stream
        )
        self._principal: Principal | None = None
        self._warned = False
        self._end: StreamTermination | None = None
        self._reading = asyncio.timeout(None)
        self._is_open = True
        self.close_code: int | None = None
        """With which code we ended it; None while it lives, or if the client did."""
        self.due = now + settings.auth_deadline_secs
        outbox.disconnect = self._give_up

    async def run(self) -> None:
        """Serve the client until it leaves or must go."""
        self._gateway.streams.add(self)
        try:
            async with self._reading:
                await self._read()
        except TimeoutError:
            if self._end is None:
                raise
        except StreamTermination as end:
            self._conclude(end)
        except ConnectionError:
            pass  # the client went away while we wrote
        finally:
            self._leave()
        if self._end is not None:
            await self._say_goodbye(self._end)

    def end(self, end: StreamTermination) -> None:
        """Say goodbye and close; the first reason counts.

        All of it happens in the session's own task: only there can the close be waited for.
        """
        if self._end is None and self._is_open:
            self._conclude(end)
            self._reading.reschedule(self._loop.time())

    def _conclude(self, end: StreamTermination) -> None:
        self._end = end
        self.close_code = end.close_code
        self.due = _NEVER

    def _give_up(self, detail: str) -> None:
        self.end(StreamTermination(CloseCode.TOO_SLOW, Code.TOO_SLOW, detail))

    def revoke(self, issued_before: int | None = None) -> None:
        """The session was ended elsewhere; only tokens issued until then, if that is given."""
        who = self._principal
        if who is None or (issued_before is not None and who.issued_at > issued_before):
            return
        metrics.REVOCATIONS.inc()
        self.end(StreamTermination(CloseCode.REVOKED, Code.REVOKED, "the session was ended"))

    def on_due(self, now: float) -> None:
        """The token has expired, or soon will; or none was shown in time."""
        code = CloseCode.UNAUTHENTICATED
        if self._principal is None:
            detail = "no token was sent in time"
            self.end(StreamTermination(code, Code.UNAUTHENTICATED, detail))
        elif self._warned:
            self.end(StreamTermination(code, Code.TOKEN_EXPIRED, "the token has expired"))
        else:
            self._warned = True
            self.due = now + self._left_secs(self._principal)
            self.answer(replies.Expiring(self._principal.expires_at))

    def _left_secs(self, principal: Principal) -> float:
        return principal.expires_at - self._gateway.clock.now_ms() / 1_000

    def _leave(self) -> None:
        gateway = self._gateway
        self._is_open = False
        gateway.streams.remove(self, self._principal)
        if self._principal is not None:
            gateway.users.give_back(self._principal.user_id)
        self._subscriptions.end()

    async def _read(self) -> None:
        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.TEXT:
                await self._receive(message.data)
            elif message.type is WSMsgType.BINARY:
                self._refuse(BadMessage("messages are JSON in text frames"))
            elif message.type is WSMsgType.PING or message.type is WSMsgType.PONG:
                if self._lets_in() and message.type is WSMsgType.PING:
                    await self._socket.pong(message.data)
            else:
                return
            await self._outbox.room()
            # A client that sends much at once would be served without a pause; now all take turns.
            await asyncio.sleep(0)

    async def _receive(self, data: str) -> None:
        settings = self._gateway.settings
        if len(data.encode()) > settings.max_message_bytes:
            detail = f"a message may have {settings.max_message_bytes} bytes"
            raise StreamTermination(CloseCode.TOO_LARGE, Code.TOO_LARGE, detail)
        if not self._lets_in():
            return
        try:
            request = protocol.parse(data)
            if isinstance(request, protocol.Authenticate):
                await self._authenticate(request.token)
            else:
                self._perform(request)
        except (BadMessage, InvalidField) as failure:
            self._refuse(failure, request_id=protocol.id_of(data))
        except Unauthenticated as failure:
            is_revoked = isinstance(failure, Revoked)
            code = CloseCode.REVOKED if is_revoked else CloseCode.UNAUTHENTICATED
            raise StreamTermination(code, failure.code, failure.detail) from None
        except RequestError as failure:
            self.answer(replies.refusal(failure, protocol.id_of(data)))

    def _lets_in(self) -> bool:
        """Whether the client may send one more message now; else it was told so."""
        failure = self._allowed.message(self._loop.time())
        if failure is not None:
            self._refuse(failure, CloseCode.TOO_MANY)
        return failure is None

    async def _authenticate(self, token: str) -> None:
        principal = await self._gateway.verifier.verify(token)
        if self._gateway.revocations.is_revoked(principal):
            raise Revoked("the session was ended")
        left_secs = self._left_secs(principal)
        if left_secs <= 0:
            raise TokenExpired("the token has expired")
        if self._principal is None:
            self._enter(principal)
        elif principal.session_id != self._principal.session_id:
            raise Unauthenticated("the token is of another session than this stream")
        self._principal = principal
        self._warned = False
        warning_secs = self._gateway.settings.expiry_warning_secs
        self.due = self._loop.time() + max(0.0, left_secs - warning_secs)
        self.answer(replies.Authenticated(principal.user_id, principal.expires_at))

    def _enter(self, principal: Principal) -> None:
        users = self._gateway.users
        if not users.take(principal.user_id):
            detail = f"a user may have {users.most} streams"
            raise StreamTermination(CloseCode.TOO_MANY, Code.LIMIT_EXCEEDED, detail)
        self._principal = principal
        self._gateway.streams.identify(self, principal)

    def _perform(self, request: protocol.Subscribe | protocol.Unsubscribe | protocol.Ping) -> None:
        who = self._principal
        if who is None:
            raise Unauthenticated("the first message must be of op auth")
        now = self._loop.time()
        if not isinstance(request, protocol.Ping):
            reach = self._subscriptions.reach(request)
            failure = self._allowed.request(who.user_id, reach, now)
            if failure is not None:
                self._refuse(failure, CloseCode.TOO_MANY, request_id=request.id)
                return
        match request:
            case protocol.Subscribe():
                results = self._subscriptions.add(request, who.user_id, now)
                self.answer(replies.Ack(request.id, results))
            case protocol.Unsubscribe():
                self.answer(replies.Ack(request.id, self._subscriptions.remove(request)))
            case protocol.Ping():
                self.answer(replies.Pong(request.id))

    def tell_outcomes(self, changed: Mapping[str, Outcome]) -> None:
        """The feed has another answer for some keys; tell what concerns this client."""
        for channel, results in self._subscriptions.concerned(changed):
            self.answer(replies.Outcomes(channel, results))

    def tell_gap(self) -> None:
        """Messages may have been missed; what no snapshot makes up for is told."""
        for channel in (Channel.BARS, Channel.ORDERS):
            if self._subscriptions.holds(channel):
                self.answer(replies.Gap(channel))

    def _refuse(
        self,
        failure: RequestError,
        close_code: CloseCode = CloseCode.BAD_MESSAGE,
        *,
        request_id: int | None = None,
    ) -> None:
        if not self._allowed.forgives(self._loop.time()):
            raise StreamTermination(close_code, failure.code, f"too often: {failure.detail}")
        self.answer(replies.refusal(failure, request_id))

    def answer(self, message: replies.Reply) -> None:
        """Send it with the next flush, before anything else."""
        self._outbox.reply(replies.encode(message))
        self._gateway.flusher.nudge(self._outbox)

    async def _say_goodbye(self, end: StreamTermination) -> None:
        """Send the reason and a close frame, then wait a little for the client's own.

        Who closes first, before the client's close is read, may cut the reason off.
        """
        self._outbox.reply(replies.encode(replies.Error(end.code, end.detail)))
        self._outbox.write_replies()
        if self._outbox.unsent():
            self._loop.call_later(_GRACE_SECS, self._reset)
        await self._socket.close(
            code=end.close_code, message=end.detail.encode()[:120], drain=False
        )
