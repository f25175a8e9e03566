"""Request and reply over NATS, with deadlines, bounded concurrency and error codes.

A request is a msgspec struct as JSON. The header `Deadline-Ms` carries its deadline in epoch
milliseconds, by the clocks of the machines. A reply is another struct as JSON; an error reply
is marked by the header `Refused` and holds `{code, detail, field}`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from prometheus_client import Counter, Histogram

from shared.bus.connection import Bus
from shared.bus.refused_publishes import report_refused
from shared.contracts.strict_json import decode_json
from shared.errors import (
    BadMessage,
    Code,
    InvalidField,
    Overloaded,
    RequestError,
    TimedOut,
    Unavailable,
    error_from_reply,
)
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.tasks import run_together

log = get_logger(__name__)

DEADLINE_HEADER: Final = "Deadline-Ms"
ERROR_HEADER: Final = "Refused"
"""Marks an error reply; its value is the error's code."""

_EXPIRED: Final = "expired"
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
ReplyT = TypeVar("ReplyT", bound=msgspec.Struct)


class ErrorReply(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of an error reply; `field` names the field of the request at fault."""

    code: Code
    detail: str
    field: str | None = None
    members: dict[str, str] = {}


async def send_request(
    bus: Bus,
    clock: Clock,
    subject: str,
    request: msgspec.Struct,
    reply_type: type[ReplyT],
    *,
    timeout_secs: float,
) -> ReplyT:
    """Send `request` and return the decoded reply.

    Raises the RequestError of an error reply, TimedOut if no reply came within `timeout_secs`,
    and Unavailable if nobody is subscribed, NATS is away or the reply cannot be decoded.
    """
    data = await send_request_encoded(bus, clock, subject, request, timeout_secs=timeout_secs)
    try:
        return decode_json(data, reply_type)
    except msgspec.DecodeError as error:
        raise _undecodable(subject, error) from None


async def send_request_encoded(
    bus: Bus, clock: Clock, subject: str, request: msgspec.Struct, *, timeout_secs: float
) -> bytes:
    """Send `request` and return the reply's JSON, not decoded. Raises as `send_request`."""
    reply = await exchange(bus, clock, subject, request, timeout_secs=timeout_secs)
    return reply_body(subject, reply)


async def exchange(
    bus: Bus, clock: Clock, subject: str, request: msgspec.Struct, *, timeout_secs: float
) -> Msg:
    """Send `request` and return the message of the reply, which may be an error reply.

    Raises TimedOut or Unavailable as `send_request`: there was no reply, so a responder may have
    done what was requested.
    """
    headers = {DEADLINE_HEADER: str(clock.now_ms() + int(timeout_secs * 1_000))}
    try:
        return await bus.client.request(
            subject, msgspec.json.encode(request), timeout=timeout_secs, headers=headers
        )
    except TimeoutError:
        log.debug("request timed out", subject=subject)
        raise TimedOut(f"{subject} did not reply within {timeout_secs:g} s") from None
    except (NatsError, OSError) as error:
        log.debug("request failed", subject=subject, error=repr(error))
        raise Unavailable(f"{subject} does not reply at the moment") from None


def reply_body(subject: str, reply: Msg) -> bytes:
    """The JSON of a reply from `subject`. Raises the RequestError of an error reply."""
    if not (reply.headers and ERROR_HEADER in reply.headers):
        return reply.data
    try:
        error_reply = decode_json(reply.data, ErrorReply)
    except msgspec.DecodeError as error:
        raise _undecodable(subject, error) from None
    raise error_from_reply(
        error_reply.code, error_reply.detail, error_reply.field, error_reply.members
    )


def _undecodable(subject: str, error: msgspec.DecodeError) -> Unavailable:
    log.warning("reply cannot be decoded", subject=subject, error=str(error))
    return Unavailable(f"the reply of {subject} cannot be decoded")


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
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._handlers = handlers
        self._queue_group = queue_group
        self._max_concurrent = max_concurrent
        self._queue: asyncio.Queue[tuple[Msg, int]] = asyncio.Queue(max_queued)

    async def run(self) -> None:
        """Serve until cancelled. The client restores the subscriptions after an outage."""
        subscriptions = [
            await self._bus.client.subscribe(subject, queue=self._queue_group, cb=self._enqueue)
            for subject in self._handlers
        ]
        try:
            await run_together({f"worker-{n}": self._work() for n in range(self._max_concurrent)})
        finally:
            for subscription in subscriptions:
                try:
                    await subscription.unsubscribe()
                except (NatsError, OSError) as error:
                    log.debug("subscription left to end with the connection", error=repr(error))

    async def _enqueue(self, message: Msg) -> None:
        try:
            deadline_ms = int((message.headers or {}).get(DEADLINE_HEADER, ""))
        except ValueError:
            await self._reply_error(message, BadMessage(f"the header {DEADLINE_HEADER} is missing"))
            return
        try:
            self._queue.put_nowait((message, deadline_ms))
        except asyncio.QueueFull:
            await self._reply_error(message, Overloaded("too many requests are queued; try again"))

    async def _work(self) -> None:
        while True:
            message, deadline_ms = await self._queue.get()
            left_secs = (deadline_ms - self._clock.now_ms()) / 1_000
            if left_secs <= 0:
                REQUESTS.labels(message.subject, _EXPIRED).inc()
                continue
            _deadline_ms.set(deadline_ms)
            try:
                async with asyncio.timeout(left_secs):
                    with REQUEST_SECONDS.labels(message.subject).time():
                        data = await self._handle(message)
            except TimeoutError:
                REQUESTS.labels(message.subject, _EXPIRED).inc()
            except RequestError as error:
                await self._reply_error(message, error)
            except Exception:
                log.exception("request failed", subject=message.subject)
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

    async def _reply_error(self, message: Msg, error: RequestError) -> None:
        REQUESTS.labels(message.subject, error.code.value).inc()
        body = msgspec.json.encode(
            ErrorReply(error.code, error.detail, error.field, dict(error.members))
        )
        await self._reply(message, body, {ERROR_HEADER: error.code.value})

    async def _reply(self, message: Msg, data: bytes, headers: dict[str, str] | None) -> None:
        if not message.reply or not self._bus.can_publish:
            return  # the requester times out
        try:
            await self._bus.client.publish(message.reply, data, headers=headers)
        except (NatsError, OSError) as error:
            report_refused("reply", error)


def _invalid(error: msgspec.ValidationError) -> InvalidField:
    """The InvalidField for an error of msgspec, such as ``Expected `int` >= 1 - at `$.limit` ``."""
    rule, _, path = str(error).partition(" - at ")
    field = path.strip("`").removeprefix("$").lstrip(".") or "request"
    if rule.startswith("Object missing required field"):
        field = rule.split("`")[1]
    return InvalidField(f"{field}: {rule}", field=field)
