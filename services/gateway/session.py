"""One client on its WebSocket: reads its requests, writes what its outbox holds."""

import asyncio
from collections.abc import Callable
from typing import Final

from aiohttp import WSMsgType, web

from services.gateway import metrics, protocol
from services.gateway.flush import Flusher
from services.gateway.hub import Hub
from services.gateway.outbox import Outbox
from services.gateway.protocol import CloseCode, Outcome
from services.gateway.settings import GatewaySettings
from shared.clock import Clock
from shared.errors import (
    BadMessage,
    Code,
    InvalidField,
    LimitExceeded,
    RequestError,
    TokenExpired,
    Unauthenticated,
)
from shared.subjects import quote_subject
from shared.tasks import stop
from shared.verifier import Principal, TokenVerifier

_CLOSE_SECS: Final = 2.0


class SessionEnd(Exception):
    """The session is over; says with which close code, and what to tell the client."""

    def __init__(self, close_code: CloseCode, code: Code, detail: str) -> None:
        super().__init__(detail)
        self.close_code = close_code
        self.code = code
        self.detail = detail


class Session:
    """Runs in the task of its HTTP request, with one more task that writes."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        hub: Hub,
        flusher: Flusher,
        verifier: TokenVerifier,
        settings: GatewaySettings,
        clock: Clock,
        reset: Callable[[], None],
    ) -> None:
        self._socket = socket
        self._reset = reset
        self._hub = hub
        self._verifier = verifier
        self._settings = settings
        self._clock = clock
        self._wake = asyncio.Event()
        self._taken = asyncio.Event()
        self._outbox = Outbox(on_dirty=lambda: flusher.mark(self._wake.set))
        self._subjects: set[str] = set()
        self._principal: Principal | None = None
        self._bad_messages = 0

    async def run(self) -> None:
        """Serve the client until it leaves or must go."""
        reader = asyncio.create_task(self._read())
        writer = asyncio.create_task(self._write())
        try:
            await asyncio.wait([reader, writer], return_when=asyncio.FIRST_COMPLETED)
            for task in (reader, writer):
                if task.done():
                    task.result()
        except SessionEnd as end:
            await stop([writer])
            await self._say_goodbye(end)
        except ConnectionError:
            pass  # the client went away while we wrote
        finally:
            await stop([reader, writer])
            self._leave_hub()

    def _leave_hub(self) -> None:
        for subject in self._subjects:
            self._hub.unsubscribe(subject, self._outbox)
        metrics.SUBSCRIPTIONS.dec(len(self._subjects))
        metrics.CONFLATED.inc(self._outbox.conflated)
        self._subjects.clear()

    async def _read(self) -> None:
        deadline = asyncio.get_running_loop().time() + self._settings.auth_deadline_secs
        while True:
            while not self._outbox.has_room:
                self._taken.clear()
                await self._taken.wait()  # the writer takes it, or ends the session
            try:
                async with asyncio.timeout_at(deadline):
                    message = await self._socket.receive()
            except TimeoutError:
                raise self._token_missing() from None
            if message.type is WSMsgType.TEXT:
                deadline = await self._handle(message.data, deadline)
            elif message.type is WSMsgType.BINARY:
                self._refuse(BadMessage("messages are JSON in text frames"))
            else:
                return

    def _token_missing(self) -> SessionEnd:
        if self._principal is None:
            return SessionEnd(
                CloseCode.UNAUTHENTICATED, Code.UNAUTHENTICATED, "no token was sent in time"
            )
        return SessionEnd(CloseCode.UNAUTHENTICATED, Code.TOKEN_EXPIRED, "the token has expired")

    async def _handle(self, data: str, deadline: float) -> float:
        """Act on one message; returns when the session ends, by the loop's clock."""
        request_id: int | None = None
        try:
            request = protocol.parse(data)
            if isinstance(request, protocol.Authenticate):
                return await self._authenticate(request.token)
            request_id = request.id
            self._answer(self._perform(request))
        except (BadMessage, InvalidField) as failure:
            self._refuse(failure, request_id)
        except Unauthenticated as failure:
            code = CloseCode.UNAUTHENTICATED
            raise SessionEnd(code, failure.code, failure.detail) from None
        except RequestError as failure:
            self._answer(protocol.error(failure, request_id))
        return deadline

    async def _authenticate(self, token: str) -> float:
        principal = await self._verifier.verify(token)
        known = self._principal
        if known is not None and principal.session_id != known.session_id:
            raise Unauthenticated("the token is of another session than this stream")
        left_secs = principal.expires_at - self._clock.now_ms() / 1_000
        if left_secs <= 0:
            raise TokenExpired("the token has expired")
        self._principal = principal
        self._answer(protocol.authenticated(principal.user_id, principal.expires_at))
        return asyncio.get_running_loop().time() + left_secs

    def _perform(self, request: protocol.Subscribe | protocol.Unsubscribe | protocol.Ping) -> bytes:
        if self._principal is None:
            raise Unauthenticated("the first message must be of op auth")
        match request:
            case protocol.Subscribe():
                return protocol.ack(request.id, self._subscribe(request.keys))
            case protocol.Unsubscribe():
                return protocol.ack(request.id, self._unsubscribe(request.keys))
            case protocol.Ping():
                return protocol.pong(request.id)

    def _subscribe(self, keys: list[str]) -> dict[str, Outcome]:
        subjects = {key: _subject_or_none(key) for key in keys}
        wanted = {subject for subject in subjects.values() if subject is not None}
        most = self._settings.max_keys_per_stream
        if len(wanted | self._subjects) > most:
            raise LimitExceeded(f"a stream may hold {most} subscriptions", field="keys")
        metrics.SUBSCRIPTIONS.inc(len(wanted - self._subjects))
        self._subjects |= wanted
        return {
            key: Outcome.UNKNOWN
            if subject is None
            else Outcome.LIVE
            if self._hub.subscribe(subject, self._outbox)
            else Outcome.PENDING
            for key, subject in subjects.items()
        }

    def _unsubscribe(self, keys: list[str]) -> dict[str, Outcome]:
        results = {}
        for key in keys:
            subject = _subject_or_none(key)
            if subject is None or subject not in self._subjects:
                results[key] = Outcome.UNKNOWN
                continue
            self._subjects.remove(subject)
            metrics.SUBSCRIPTIONS.dec()
            self._hub.unsubscribe(subject, self._outbox)
            results[key] = Outcome.REMOVED
        return results

    def _refuse(self, failure: RequestError, request_id: int | None = None) -> None:
        self._bad_messages += 1
        if self._bad_messages > self._settings.max_bad_messages:
            raise SessionEnd(CloseCode.BAD_MESSAGE, Code.BAD_MESSAGE, "too many malformed messages")
        self._answer(protocol.error(failure, request_id))

    def _answer(self, message: bytes) -> None:
        self._outbox.put_answer(message)

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            messages, quote_count = self._outbox.take()
            self._taken.set()
            try:
                async with asyncio.timeout(self._settings.blocked_secs):
                    for message in messages:
                        await self._socket.send_frame(message, WSMsgType.TEXT)
                        metrics.BYTES_OUT.inc(len(message))
            except TimeoutError:
                detail = "the client does not take what is sent"
                raise SessionEnd(CloseCode.TOO_SLOW, Code.TOO_SLOW, detail) from None
            if quote_count:
                metrics.DELIVERIES.inc(quote_count)
                metrics.BATCH_QUOTES.observe(quote_count)

    async def _say_goodbye(self, end: SessionEnd) -> None:
        too_slow = end.close_code is CloseCode.TOO_SLOW
        try:
            async with asyncio.timeout(_CLOSE_SECS):
                if not too_slow:
                    await self._socket.send_frame(
                        protocol.closing(end.code, end.detail), WSMsgType.TEXT
                    )
                await self._socket.close(
                    code=end.close_code, message=end.detail.encode(), drain=not too_slow
                )
        except (TimeoutError, ConnectionError):
            pass
        except asyncio.CancelledError:
            # aiohttp's tasks share one future to wait for the drain: the writer's
            # cancellation comes out here as well, though nobody has cancelled us.
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
        if too_slow:
            self._reset()  # a close waits for the buffer to drain, which it will not


def _subject_or_none(key: str) -> str | None:
    try:
        return quote_subject(key)
    except InvalidField:
        return None
