"""Answers requests over NATS, with bounded concurrency, deadlines and an orderly end."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from prometheus_client import Counter, Histogram

from shared.bus.connection import Bus
from shared.bus.refused_publishes import report_refused
from shared.bus.request_spans import handling_span, note_code
from shared.bus.requests import DEADLINE_HEADER, ERROR_HEADER, LEAVING_HEADER, ErrorReply
from shared.contracts.strict_json import decode_json
from shared.errors import (
    BadMessage,
    Code,
    InvalidField,
    Overloaded,
    RequestError,
    TimedOut,
)
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.tasks import run_together, stop
from shared.runtime.tracing import Span

log = get_logger(__name__)
_level: Final = logging.getLogger(__name__)
"""Asked first: a line that is dropped later costs more than all of a span."""

_EXPIRED: Final = "expired"
# Time that begun requests have when their responder stops. Together with the other bound it is less
# than `stop` waits before it cancels a task once more, and than a lease lasts after a renewal.
_FINISH_SECS: Final = 1.5
_DRAIN_SECS: Final = 1.0
# The longest wait for `left`, without which it is not known when a successor can begin.
_UNTIL_LEFT_SECS: Final = 3.0
_MAX_DEADLINE_MS: Final = 100_000_000_000_000
"""The year 5138: a number of hundreds of digits is too large for arithmetic."""
_deadline_ms: ContextVar[int | None] = ContextVar("deadline_ms", default=None)

REQUESTS: Final = Counter(
    "tradedad_bus_requests_total",
    "Requests received over the bus, by subject and outcome: ok, expired or an error code.",
    ["subject", "code"],
)
REQUEST_SECONDS: Final = Histogram(
    "tradedad_bus_request_duration_seconds",
    "Time to handle a request, from the queue to its reply.",
    ["subject"],
)

RequestT = TypeVar("RequestT", bound=msgspec.Struct)


def request_deadline_ms() -> int | None:
    """The deadline of the request that is being handled, epoch ms; None outside of a handler."""
    return _deadline_ms.get()


@dataclass(frozen=True, slots=True)
class Handler(Generic[RequestT]):
    """Handles the requests of one subject; `handle` may raise any RequestError.

    It returns the reply, or the reply as JSON.
    """

    request_type: type[RequestT]
    handle: Callable[[RequestT], Awaitable[msgspec.Struct | msgspec.Raw]]


class Responder:
    """A component: replies to requests by subject, as a member of a NATS queue group.

    It handles at most `max_concurrent` requests at a time and queues at most `max_queued`; it
    replies to any further request at once with `overloaded`. It drops a request whose deadline
    has passed: the requester no longer waits for the reply.

    When it is cancelled, it finishes the requests that have begun, within bounds, and refuses all
    others as one that is leaving, so that no requester waits for its timeout. If it is the only one
    of its subjects, a successor needs some time: it then goes on refusing until `leave_secs` after
    `left` was called.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        handlers: Mapping[str, Handler[Any]],
        *,
        queue_group: str,
        max_concurrent: int,
        max_queued: int,
        leave_secs: float = 0.0,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._handlers = handlers
        self._queue_group = queue_group
        self._max_concurrent = max_concurrent
        self._leave_secs = leave_secs
        self._queue: asyncio.Queue[tuple[Msg, int]] = asyncio.Queue(max_queued)
        self._is_stopping = False
        self._begun = 0
        self._has_finished = asyncio.Event()
        """Set when a request that had begun was answered."""
        self._leaving: asyncio.Task[None] | None = None
        self._may_leave = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled, and again if it is called again, as in the next term of a leader.

        The client restores the subscriptions after an outage.
        """
        self._is_stopping = False
        self._may_leave.clear()
        subscriptions = [
            await self._bus.client.subscribe(subject, queue=self._queue_group, cb=self._enqueue)
            for subject in self._handlers
        ]
        workers = {f"worker-{n}": self._work() for n in range(self._max_concurrent)}
        working = asyncio.create_task(run_together(workers), name="workers")
        try:
            await asyncio.wait([working])
        finally:
            try:
                await self._finish(subscriptions)
            finally:
                await stop([working])
        await working

    async def _finish(self, subscriptions: list[Subscription]) -> None:
        """Refuse what has not begun, and wait for what has."""
        self._is_stopping = True
        self._leaving = asyncio.create_task(self._leave(subscriptions), name="leaving responder")
        while not self._queue.empty():
            message, _ = self._queue.get_nowait()
            await self._refuse(message)
        if not self._leave_secs:
            await self.left()
        try:
            async with asyncio.timeout(_FINISH_SECS):
                while self._begun:
                    self._has_finished.clear()
                    await self._has_finished.wait()
        except TimeoutError:
            log.info("requests are cut off", requests=self._begun)

    async def left(self) -> None:
        """Wait until it no longer refuses requests, after it was cancelled.

        A successor can begin now: a lease was released.
        """
        self._may_leave.set()
        if self._leaving is not None:
            await self._leaving

    async def _leave(self, subscriptions: list[Subscription]) -> None:
        """Receive requests until a successor has had `leave_secs`, and then no more."""
        if self._leave_secs:
            with suppress(TimeoutError):
                async with asyncio.timeout(_UNTIL_LEFT_SECS):
                    await self._may_leave.wait()
            await asyncio.sleep(self._leave_secs)
        try:
            async with asyncio.timeout(_DRAIN_SECS):
                # Requests that are on the way arrive before `drain` returns.
                await asyncio.gather(*map(_drain, subscriptions))
        except (TimeoutError, NatsError, OSError) as error:
            log.debug("subscriptions left to end with the connection", error=repr(error))
        finally:
            # `drain` leaves them if it fails, and the client would restore them after an outage.
            for subscription in subscriptions:
                self._bus.client._remove_sub(subscription._id)  # noqa: SLF001

    async def _refuse(self, message: Msg) -> None:
        error = Overloaded("this process is stopping; another one answers soon")
        await self._reply_error(message, error, {LEAVING_HEADER: "1"})

    async def _enqueue(self, message: Msg) -> None:
        if self._is_stopping:
            await self._refuse(message)
            return
        deadline_ms = _deadline_of(message)
        if deadline_ms is None:
            error = BadMessage(f"the header {DEADLINE_HEADER} is missing, or is no time")
            await self._reply_error(message, error)
            return
        try:
            self._queue.put_nowait((message, deadline_ms))
        except asyncio.QueueFull:
            await self._reply_error(message, Overloaded("too many requests are queued; try again"))

    async def _work(self) -> None:
        while True:
            message, deadline_ms = await self._queue.get()
            self._begun += 1
            try:
                await self._take(message, deadline_ms)
            finally:
                self._begun -= 1
                self._has_finished.set()

    async def _take(self, message: Msg, deadline_ms: int) -> None:
        left_secs = (deadline_ms - self._clock.now_ms()) / 1_000
        if left_secs <= 0:
            REQUESTS.labels(message.subject, _EXPIRED).inc()
            return
        _deadline_ms.set(deadline_ms)
        with handling_span(message) as span:
            await self._answer(message, left_secs, span)
            if _level.isEnabledFor(logging.DEBUG):
                code = span.attributes.get("tradedad.code", "ok")
                log.debug("request answered", subject=message.subject, code=code)

    async def _answer(self, message: Msg, left_secs: float, span: Span) -> None:
        try:
            async with asyncio.timeout(left_secs):
                with REQUEST_SECONDS.labels(message.subject).time():
                    data = await self._handle(message)
        except TimeoutError:
            REQUESTS.labels(message.subject, _EXPIRED).inc()
            note_code(span, _EXPIRED)
            span.fail(_EXPIRED)
        except RequestError as error:
            note_code(span, error.code.value)
            await self._reply_error(message, error)
        except asyncio.CancelledError:
            # It may be done or not: the requester learns at once that no other answer comes.
            await self._reply_error(message, TimedOut("this process stopped before it was done"))
            raise
        except Exception:
            log.exception("request failed", subject=message.subject)
            note_code(span, Code.INTERNAL.value)
            await self._reply_error(message, RequestError("internal error; it was logged"))
        else:
            REQUESTS.labels(message.subject, "ok").inc()
            await self._reply(message, data, None)

    async def _handle(self, message: Msg) -> bytes:
        handler = self._handlers[message.subject]
        try:
            request = decode_json(message.data, handler.request_type)
        except msgspec.ValidationError as error:
            raise _invalid(error) from None
        except msgspec.DecodeError:
            raise BadMessage("the request is not valid JSON") from None
        data = msgspec.json.encode(await handler.handle(request))
        if len(data) > self._bus.client.max_payload:
            raise RequestError("the reply is larger than the largest message of NATS")
        return data

    async def _reply_error(
        self, message: Msg, error: RequestError, headers: Mapping[str, str] | None = None
    ) -> None:
        REQUESTS.labels(message.subject, error.code.value).inc()
        body = msgspec.json.encode(
            ErrorReply(error.code, error.detail, error.field, dict(error.members))
        )
        await self._reply(message, body, {ERROR_HEADER: error.code.value, **(headers or {})})

    async def _reply(self, message: Msg, data: bytes, headers: dict[str, str] | None) -> None:
        if not message.reply or not self._bus.can_publish:
            return  # the requester times out
        try:
            await self._bus.client.publish(message.reply, data, headers=headers)
        except (NatsError, OSError) as error:
            report_refused("reply", error)


def _deadline_of(message: Msg) -> int | None:
    """The deadline of a request, epoch ms; None if it has none that can be used."""
    try:
        deadline_ms = int((message.headers or {}).get(DEADLINE_HEADER, ""))
    except ValueError:
        return None
    return deadline_ms if abs(deadline_ms) < _MAX_DEADLINE_MS else None


async def _drain(subscription: Subscription) -> None:
    await subscription.drain()  # type: ignore[no-untyped-call]


def _invalid(error: msgspec.ValidationError) -> InvalidField:
    """The InvalidField for an error of msgspec, such as ``Expected `int` >= 1 - at `$.limit` ``."""
    rule, _, path = str(error).partition(" - at ")
    field = path.strip("`").removeprefix("$").lstrip(".") or "request"
    if rule.startswith("Object missing required field"):
        field = rule.split("`")[1]
    return InvalidField(f"{field}: {rule}", field=field)
