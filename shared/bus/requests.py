"""Requests over the bus: each with a deadline, answered within bounds or refused with a code.

A request is the JSON of a msgspec struct; its deadline is a header, by the machines' clocks.
An answer is the JSON of another struct, or, marked by a header, `{code, detail, field}`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from prometheus_client import Counter, Histogram

from shared.bus.connection import Bus
from shared.errors import (
    BadMessage,
    Code,
    InvalidField,
    Overloaded,
    RequestError,
    TimedOut,
    Unavailable,
    answered_error,
)
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.tasks import run_together

log = get_logger(__name__)

DEADLINE: Final = "Deadline-Ms"
REFUSED: Final = "Refused"

ANSWERED: Final = Counter(
    "tradedad_requests_total", "Requests over the bus, by subject and outcome", ["subject", "code"]
)
ANSWER_SECONDS: Final = Histogram(
    "tradedad_request_seconds", "From taking up a request to its answer", ["subject"]
)

Q = TypeVar("Q", bound=msgspec.Struct)
A = TypeVar("A", bound=msgspec.Struct)


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a request was not carried out; `field` names the part of it that is to blame."""

    code: Code
    detail: str
    field: str | None = None


async def ask(
    bus: Bus, clock: Clock, subject: str, request: msgspec.Struct, answer: type[A], *, secs: float
) -> A:
    """What a service answers to `request` within `secs` seconds.

    Raises the RequestError that it refused with, and Unavailable if nobody has answered
    (TimedOut if that took all the time there was).
    """
    data = await ask_encoded(bus, clock, subject, request, secs=secs)
    try:
        return msgspec.json.decode(data, type=answer)
    except msgspec.DecodeError as error:
        raise _unreadable(subject, error) from None


async def ask_encoded(
    bus: Bus, clock: Clock, subject: str, request: msgspec.Struct, *, secs: float
) -> bytes:
    """The same as JSON, the very bytes that the service has sent; raises as `ask`."""
    headers = {DEADLINE: str(clock.now_ms() + int(secs * 1_000))}
    try:
        reply = await bus.client.request(
            subject, msgspec.json.encode(request), timeout=secs, headers=headers
        )
    except TimeoutError:
        log.debug("no answer in time", subject=subject)
        raise TimedOut(f"{subject} did not answer within {secs:g} s") from None
    except (NatsError, OSError) as error:
        log.debug("no answer", subject=subject, error=repr(error))
        raise Unavailable(f"{subject} does not answer at the moment") from None
    if not (reply.headers and REFUSED in reply.headers):
        return reply.data
    try:
        refusal = msgspec.json.decode(reply.data, type=Refusal)
    except msgspec.DecodeError as error:
        raise _unreadable(subject, error) from None
    raise answered_error(refusal.code, refusal.detail, refusal.field)


def _unreadable(subject: str, error: msgspec.DecodeError) -> Unavailable:
    log.warning("unreadable answer", subject=subject, error=str(error))
    return Unavailable(f"{subject} answers what cannot be read")


@dataclass(frozen=True, slots=True)
class Handler(Generic[Q]):
    """How one sort of request is answered; `work` may raise any RequestError."""

    request: type[Q]
    work: Callable[[Q], Awaitable[msgspec.Struct]]


class Responder:
    """As a component, answers requests by subject, in a queue group with its like.

    At most `at_once` are worked on and `waiting` wait; one more is refused as overloaded at
    once. One whose deadline has passed is dropped: nobody waits for its answer.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        answers: Mapping[str, Handler[Any]],
        *,
        group: str,
        at_once: int,
        waiting: int,
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._answers = answers
        self._group = group
        self._at_once = at_once
        self._waiting: asyncio.Queue[tuple[Msg, int]] = asyncio.Queue(waiting)

    async def run(self) -> None:
        """Until cancelled. Subscriptions come back by themselves after an outage."""
        subscriptions = [
            await self._bus.client.subscribe(subject, queue=self._group, cb=self._take)
            for subject in self._answers
        ]
        try:
            await run_together({f"answers-{n}": self._work() for n in range(self._at_once)})
        finally:
            for subscription in subscriptions:
                try:
                    await subscription.unsubscribe()
                except (NatsError, OSError) as error:
                    log.debug("subscription left to end with the connection", error=repr(error))

    async def _take(self, message: Msg) -> None:
        try:
            deadline_ms = int((message.headers or {}).get(DEADLINE, ""))
        except ValueError:
            await self._refuse(message, BadMessage(f"a request needs a header {DEADLINE}"))
            return
        try:
            self._waiting.put_nowait((message, deadline_ms))
        except asyncio.QueueFull:
            await self._refuse(message, Overloaded("too many requests wait; try again"))

    async def _work(self) -> None:
        while True:
            message, deadline_ms = await self._waiting.get()
            left_secs = (deadline_ms - self._clock.now_ms()) / 1_000
            if left_secs <= 0:
                ANSWERED.labels(message.subject, "expired").inc()
                continue
            try:
                async with asyncio.timeout(left_secs):
                    with ANSWER_SECONDS.labels(message.subject).time():
                        data = await self._answer(message)
            except TimeoutError:
                ANSWERED.labels(message.subject, "expired").inc()
            except RequestError as error:
                await self._refuse(message, error)
            except Exception:
                log.exception("request failed", subject=message.subject)
                await self._refuse(message, RequestError("it went wrong on our side"))
            else:
                ANSWERED.labels(message.subject, "ok").inc()
                await self._reply(message, data, None)

    async def _answer(self, message: Msg) -> bytes:
        answer = self._answers[message.subject]
        try:
            request = msgspec.json.decode(message.data, type=answer.request)
        except msgspec.ValidationError as error:
            raise _invalid(error) from None
        except msgspec.DecodeError:
            raise BadMessage("the request is not valid JSON") from None
        data = msgspec.json.encode(await answer.work(request))
        if len(data) > self._bus.client.max_payload:
            raise RequestError("the answer is larger than the bus carries")
        return data

    async def _refuse(self, message: Msg, error: RequestError) -> None:
        ANSWERED.labels(message.subject, error.code.value).inc()
        refusal = Refusal(error.code, error.detail, error.field)
        await self._reply(message, msgspec.json.encode(refusal), {REFUSED: error.code.value})

    async def _reply(self, message: Msg, data: bytes, headers: dict[str, str] | None) -> None:
        if not message.reply or not self._bus.can_publish:
            return  # who asked has a timeout
        try:
            await self._bus.client.publish(message.reply, data, headers=headers)
        except (NatsError, OSError) as error:
            log.debug("answer not sent", subject=message.subject, error=repr(error))


def _invalid(error: msgspec.ValidationError) -> InvalidField:
    """msgspec says ``Expected `int` >= 1 - at `$.limit` ``."""
    rule, _, place = str(error).partition(" - at ")
    field = place.strip("`").removeprefix("$").lstrip(".") or "request"
    if rule.startswith("Object missing required field"):
        field = rule.split("`")[1]
    return InvalidField(f"{field}: {rule}", field=field)
