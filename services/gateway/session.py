"""One client on its WebSocket: acts on its requests, and ends when it must."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp import WSMsgType, web

from services.gateway import answers, metrics, protocol
from services.gateway.coverage import Interest
from services.gateway.flush import Flusher
from services.gateway.hub import Hub, is_wildcard
from services.gateway.limits import Bucket, Count
from services.gateway.outbox import Lane, Outbox
from services.gateway.protocol import KEYED, Channel, CloseCode, Outcome
from services.gateway.settings import GatewaySettings
from services.gateway.streams import SessionEnd, Streams
from shared.clock import Clock
from shared.errors import (
    BadMessage,
    Code,
    InvalidField,
    LimitExceeded,
    RequestError,
    Revoked,
    TokenExpired,
    Unauthenticated,
)
from shared.revocations import Revocations
from shared.verifier import Principal, TokenVerifier

_CLOSE_SECS: Final = 2.0
# A client that took nothing may still read its close code before it is cut off.
_GRACE_SECS: Final = 5.0
# After so long one malformed message is forgiven.
_FORGIVE_SECS: Final = 10.0
_NEVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class Gateway:
    """What all sessions of this process share."""

    hub: Hub
    flusher: Flusher
    interest: Interest
    streams: Streams
    verifier: TokenVerifier
    revocations: Revocations
    users: Count
    settings: GatewaySettings
    clock: Clock


class Session:
    """Runs in the task of its HTTP request; what it sends goes through its outbox."""

    __slots__ = (
        "_bucket",
        "_gateway",
        "_goodbye",
        "_loop",
        "_outbox",
        "_patience",
        "_principal",
        "_reset",
        "_socket",
        "_warned",
        "close_code",
        "due",
    )

    def __init__(
        self,
        gateway: Gateway,
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
        self._bucket = Bucket(
            settings.max_messages_per_sec, 4.0 * settings.max_messages_per_sec, now
        )
        self._principal: Principal | None = None
        most_bad = settings.max_bad_messages
        self._patience = Bucket(1 / _FORGIVE_SECS, most_bad, now)
        self._warned = False
        self._goodbye: asyncio.Task[None] | None = None
        self.close_code: int | None = None
        """With which code we ended it; None while it lives, or if the client did."""
        self.due = now + settings.auth_deadline_secs
        outbox.give_up = self._give_up

    async def run(self) -> None:
        """Serve the client until it leaves or must go."""
        self._gateway.streams.add(self)
        try:
            await self._read()
        except SessionEnd as end:
            self.end(end)
        except ConnectionError:
            pass  # the client went away while we wrote
        finally:
            self._leave()
            if self._goodbye is not None:
                await self._goodbye

    def end(self, end: SessionEnd) -> None:
        """Say goodbye and close; the first reason counts."""
        if self._goodbye is None:
            self.close_code = end.close_code
            self.due = _NEVER
            self._goodbye = asyncio.create_task(self._say_goodbye(end), name="goodbye")

    def _give_up(self, detail: str) -> None:
        self.end(SessionEnd(CloseCode.TOO_SLOW, Code.TOO_SLOW, detail))

    def revoke(self, issued_before: int | None = None) -> None:
        """The session was ended elsewhere; only tokens issued until then, if that is given."""
        who = self._principal
        if who is None or (issued_before is not None and who.issued_at > issued_before):
            return
        metrics.REVOCATIONS.inc()
        self.end(SessionEnd(CloseCode.REVOKED, Code.REVOKED, "the session was ended"))

    def on_due(self, now: float) -> None:
        """The token has expired, or soon will; or none was shown in time."""
        code = CloseCode.UNAUTHENTICATED
        if self._principal is None:
            detail = "no token was sent in time"
            self.end(SessionEnd(code, Code.UNAUTHENTICATED, detail))
        elif self._warned:
            self.end(SessionEnd(code, Code.TOKEN_EXPIRED, "the token has expired"))
        else:
            self._warned = True
            self.due = now + self._left_secs(self._principal)
            self.answer(answers.Expiring(self._principal.expires_at))

    def _left_secs(self, principal: Principal) -> float:
        return principal.expires_at - self._gateway.clock.now_ms() / 1_000

    def _leave(self) -> None:
        gateway, outbox = self._gateway, self._outbox
        gateway.streams.remove(self, self._principal)
        if self._principal is not None:
            gateway.users.give_back(self._principal.user_id)
        gateway.flusher.remove(outbox)
        for channel, lane in outbox.lanes.items():
            metrics.SUBSCRIPTIONS.labels(channel.value).dec(len(lane.topics))
            gateway.hub.leave(lane)

    async def _read(self) -> None:
        while self._goodbye is None:
            message = await self._socket.receive()
            if message.type is WSMsgType.TEXT:
                await self._receive(message.data)
            elif message.type is WSMsgType.BINARY:
                self._refuse(BadMessage("messages are JSON in text frames"))
            else:
                return
            await self._outbox.room()

    async def _receive(self, data: str) -> None:
        if not self._bucket.take(self._loop.time()):
            most = self._gateway.settings.max_messages_per_sec
            self._refuse(LimitExceeded(f"more than {most} messages a second"), CloseCode.TOO_MANY)
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
            raise SessionEnd(code, failure.code, failure.detail) from None
        except RequestError as failure:
            self.answer(answers.refusal(failure, protocol.id_of(data)))

    async def _authenticate(self, token: str) -> None:
        principal = await self._gateway.verifier.verify(token)
        if self._gateway.revocations.refuses(principal):
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
        self.answer(answers.Authenticated(principal.user_id, principal.expires_at))

    def _enter(self, principal: Principal) -> None:
        users = self._gateway.users
        if not users.take(principal.user_id):
            detail = f"a user may have {users.most} streams"
            raise SessionEnd(CloseCode.TOO_MANY, Code.LIMIT_EXCEEDED, detail)
        self._principal = principal
        self._gateway.streams.identify(self, principal)

    def _perform(self, request: protocol.Subscribe | protocol.Unsubscribe | protocol.Ping) -> None:
        if self._principal is None:
            raise Unauthenticated("the first message must be of op auth")
        match request:
            case protocol.Subscribe():
                self.answer(answers.Ack(request.id, self._subscribe(request, self._principal)))
            case protocol.Unsubscribe():
                self.answer(answers.Ack(request.id, self._unsubscribe(request)))
            case protocol.Ping():
                self.answer(answers.Pong(request.id))

    def _subscribe(self, request: protocol.Subscribe, who: Principal) -> dict[str, Outcome]:
        hub = self._gateway.hub
        self._check_room(request)
        lane = self._outbox.lane(request.channel)
        self._gateway.flusher.add(lane, self._outbox)
        before = len(lane.topics)
        if request.channel in KEYED:
            results = {key: self._subscribe_key(lane, key) for key in request.keys}
        else:
            hub.subscribe_whole(lane, who.user_id)
            results = {request.channel.value: Outcome.LIVE}
        if request.interval_ms is not None or lane.interval_secs:
            lane.pace((request.interval_ms or 0) / 1_000, hub.version)
        metrics.SUBSCRIPTIONS.labels(request.channel.value).inc(len(lane.topics) - before)
        return results

    def _subscribe_key(self, lane: Lane, key: str) -> Outcome:
        try:
            topic = self._gateway.hub.subscribe(lane, key)
        except InvalidField:
            return Outcome.UNKNOWN
        if topic is None:
            return Outcome.LIVE
        # Bars are made of quotes: where these come, those will.
        is_known = self._gateway.hub.last(Channel.QUOTES, key) is not None
        return self._gateway.interest.outcome(key, self._loop.time(), is_known=is_known)

    def _check_room(self, request: protocol.Subscribe) -> None:
        """Raises LimitExceeded if the stream would hold more than it may."""
        hub = self._gateway.hub
        most = self._gateway.settings.max_keys_per_stream
        held = sum(len(lane.topics) for lane in self._outbox.lanes.values())
        named = self._outbox.lane(request.channel).named
        held += sum(1 for key in set(request.keys) if key not in named and not is_wildcard(key))
        for key in set(request.keys):
            if is_wildcard(key):
                if request.channel is Channel.DEPTH:
                    raise InvalidField("depth is subscribed to by whole keys", field="keys")
                held += sum(1 for _ in hub.matching(request.channel, key))
        if held > most:
            raise LimitExceeded(f"a stream may hold {most} subscriptions", field="keys")

    def _unsubscribe(self, request: protocol.Unsubscribe) -> dict[str, Outcome]:
        gateway = self._gateway
        lane = self._outbox.lane(request.channel)
        gateway.flusher.flush(self._outbox)  # nothing of a key comes after its `removed`
        before = len(lane.topics)
        results = {
            key: Outcome.REMOVED if gateway.hub.unsubscribe(lane, key) else Outcome.UNKNOWN
            for key in request.keys or [request.channel.value]
        }
        metrics.SUBSCRIPTIONS.labels(request.channel.value).dec(before - len(lane.topics))
        return results

    def tell_outcomes(self, changed: Mapping[str, Outcome]) -> None:
        """The feed has another answer for some keys; tell what concerns this client."""
        for channel in KEYED:
            lane = self._outbox.lanes.get(channel)
            concerned = changed.keys() & lane.named.keys() if lane is not None else ()
            if concerned:
                self.answer(answers.Outcomes(channel, {key: changed[key] for key in concerned}))

    def tell_gap(self) -> None:
        """Messages may have been missed; what no snapshot makes up for is told."""
        for channel in (Channel.BARS, Channel.ORDERS):
            lane = self._outbox.lanes.get(channel)
            if lane is not None and lane.topics:
                self.answer(answers.Gap(channel))

    def _refuse(
        self,
        failure: RequestError,
        close_code: CloseCode = CloseCode.BAD_MESSAGE,
        *,
        request_id: int | None = None,
    ) -> None:
        if not self._patience.take(self._loop.time()):
            raise SessionEnd(close_code, failure.code, f"too often: {failure.detail}")
        self.answer(answers.refusal(failure, request_id))

    def answer(self, message: answers.Answer) -> None:
        """Send it with the next flush, before anything else."""
        self._outbox.answer(answers.encode(message))
        self._gateway.flusher.nudge(self._outbox)

    async def _say_goodbye(self, end: SessionEnd) -> None:
        self._outbox.answer(answers.encode(answers.Error(end.code, end.detail)))
        self._outbox.part()
        if self._outbox.unsent():
            self._loop.call_later(_GRACE_SECS, self._reset)
        try:
            async with asyncio.timeout(_CLOSE_SECS):
                await self._socket.close(
                    code=end.close_code, message=end.detail.encode()[:120], drain=False
                )
        except (TimeoutError, ConnectionError, aiohttp.ClientError):
            self._reset()
