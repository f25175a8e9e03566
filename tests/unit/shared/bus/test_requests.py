"""Requests have deadlines and bounds, and errors keep their codes, on a fake bus."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Annotated, Any, cast

import msgspec
import pytest
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import MaxPayloadError, NoRespondersError
from structlog.testing import capture_logs

from shared.bus.connection import Bus
from shared.bus.refused_publishes import REFUSED_PUBLISHES
from shared.bus.requests import DEADLINE_HEADER, ERROR_HEADER, send_request
from shared.bus.responder import Handler, Responder
from shared.errors import (
    Code,
    InvalidField,
    NotFound,
    Overloaded,
    RequestError,
    TimedOut,
    Unavailable,
)
from tests.support.virtual_time import LoopClock, run_virtual

SUBJECT = "echo"
CLOCK = LoopClock()


class Echo(msgspec.Struct, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1)]


Handle = Callable[[Echo], Awaitable[Echo]]


async def echo(request: Echo) -> Echo:
    return request


class FakeBus:
    """Connects requesters with responders inside the process."""

    can_publish = True
    is_connected = True
    max_payload = 1_000

    def __init__(self) -> None:
        self.client = self
        self.receivers: dict[str, Callable[[Msg], Awaitable[None]]] = {}
        self.replies: asyncio.Queue[Msg] = asyncio.Queue()

    async def subscribe(self, subject: str, *, queue: str, cb: Any) -> Any:
        self.receivers[subject] = cb
        return SimpleNamespace(drain=self._drain, _id=1)

    async def _drain(self) -> None:
        self._remove_sub(1)

    def _remove_sub(self, _: int) -> None:
        self.receivers.clear()

    async def publish(self, subject: str, data: bytes, headers: dict[str, str] | None) -> None:
        await self.replies.put(Msg(cast("Any", None), subject, data=data, headers=headers))

    async def deliver(self, data: bytes, headers: dict[str, str] | None = None) -> None:
        message = Msg(cast("Any", None), SUBJECT, reply="inbox", data=data, headers=headers)
        await self.receivers[SUBJECT](message)

    async def request(
        self,
        subject: str,
        data: bytes,
        *,
        timeout: float,  # noqa: ASYNC109  (nats-py's signature)
        headers: dict[str, str],
    ) -> Msg:
        if subject not in self.receivers:
            raise NoRespondersError
        await self.deliver(data, headers)
        async with asyncio.timeout(timeout):
            return await self.replies.get()


class Serving:
    """A responder that runs in the background."""

    def __init__(
        self,
        handle: Handle = echo,
        *,
        concurrent: int = 1,
        queued: int = 8,
        bus: FakeBus | None = None,
        leave_secs: float = 0.0,
    ) -> None:
        self.bus = bus or FakeBus()
        self._responder = Responder(
            cast("Bus", self.bus),
            CLOCK,
            {SUBJECT: Handler(Echo, handle)},
            queue_group="group",
            max_concurrent=concurrent,
            max_queued=queued,
            leave_secs=leave_secs,
        )

    async def __aenter__(self) -> FakeBus:
        self._running = asyncio.create_task(self._responder.run())
        await asyncio.sleep(0.001)
        return self.bus

    def cancel(self) -> None:
        self._running.cancel()

    async def __aexit__(self, *_: object) -> None:
        self.cancel()
        await asyncio.wait([self._running])


async def send(bus: FakeBus, text: str = "a", *, timeout_secs: float = 5.0) -> Echo:
    return await send_request(
        cast("Bus", bus), CLOCK, SUBJECT, Echo(text), Echo, timeout_secs=timeout_secs
    )


def deadline(secs: float) -> dict[str, str]:
    return {DEADLINE_HEADER: str(CLOCK.now_ms() + int(secs * 1_000))}


def test_a_request_has_the_reply_of_its_handler() -> None:
    async def main() -> Echo:
        async with Serving() as bus:
            return await send(bus, "hello")

    assert run_virtual(main()) == Echo("hello")


def test_an_error_keeps_its_code_detail_and_field() -> None:
    async def refuse(_: Echo) -> Echo:
        raise NotFound("no such text", field="text")

    async def main() -> NotFound:
        async with Serving(refuse) as bus:
            with pytest.raises(NotFound) as refusal:
                await send(bus)
            return refusal.value

    error = run_virtual(main())
    assert (error.detail, error.field) == ("no such text", "text")


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        (b"{", Code.BAD_MESSAGE, None),
        (b'{"text":""}', Code.INVALID_FIELD, "text"),
        (b"{}", Code.INVALID_FIELD, "text"),
        (b'{"text":"a","other":1}', Code.INVALID_FIELD, "request"),
        (b"[]", Code.INVALID_FIELD, "request"),
    ],
)
def test_a_malformed_request_is_refused_with_the_field_at_fault(
    data: bytes, code: Code, field: str | None
) -> None:
    async def main() -> Msg:
        async with Serving() as bus:
            await bus.deliver(data, deadline(1))
            return await bus.replies.get()

    reply = run_virtual(main())
    assert reply.headers == {ERROR_HEADER: code.value}
    body = msgspec.json.decode(reply.data)
    assert (body["code"], body.get("field")) == (code.value, field)


@pytest.mark.parametrize("headers", [None, {}, {DEADLINE_HEADER: "soon"}])
def test_a_request_without_a_deadline_is_refused(headers: dict[str, str] | None) -> None:
    async def main() -> Msg:
        async with Serving() as bus:
            await bus.deliver(b'{"text":"a"}', headers)
            return await bus.replies.get()

    assert run_virtual(main()).headers == {ERROR_HEADER: Code.BAD_MESSAGE.value}


def test_a_request_beyond_the_bounds_is_refused_at_once() -> None:
    async def main() -> list[Msg]:
        go_on = asyncio.Event()

        async def wait(request: Echo) -> Echo:
            await go_on.wait()
            return request

        async with Serving(wait, concurrent=1, queued=1) as bus:
            for _ in range(3):
                await bus.deliver(b'{"text":"a"}', deadline(10))
                await asyncio.sleep(0.001)
            refused = await bus.replies.get()
            go_on.set()
            return [refused, await bus.replies.get(), await bus.replies.get()]

    refused, *replied = run_virtual(main())
    assert refused.headers == {ERROR_HEADER: Code.OVERLOADED.value}
    assert [reply.headers for reply in replied] == [None, None]


def test_a_request_past_its_deadline_is_not_handled() -> None:
    handled: list[str] = []

    async def record(request: Echo) -> Echo:
        handled.append(request.text)
        return request

    async def main() -> None:
        async with Serving(record) as bus:
            await bus.deliver(b'{"text":"late"}', deadline(-0.001))
            await send(bus, "in time")

    run_virtual(main())
    assert handled == ["in time"]


def test_handling_is_cancelled_at_the_deadline() -> None:
    async def hang_once(request: Echo) -> Echo:
        if request.text == "hang":
            await asyncio.Event().wait()
        return request

    async def main() -> Echo:
        async with Serving(hang_once) as bus:
            with pytest.raises(TimedOut):
                await send(bus, "hang", timeout_secs=1)
            return await send(bus, "next")

    assert run_virtual(main()) == Echo("next")


def test_an_unexpected_exception_is_logged_and_the_next_request_is_handled() -> None:
    async def break_once(request: Echo) -> Echo:
        if request.text == "break":
            raise ZeroDivisionError
        return request

    async def main() -> Echo:
        async with Serving(break_once) as bus:
            with capture_logs() as logged, pytest.raises(RequestError) as refusal:
                await send(bus, "break")
            assert refusal.value.code is Code.INTERNAL
            assert [line["event"] for line in logged] == ["request failed"]
            return await send(bus, "next")

    assert run_virtual(main()) == Echo("next")


def test_a_reply_that_nats_cannot_carry_is_an_internal_error() -> None:
    async def main() -> Code:
        async with Serving() as bus:
            with pytest.raises(RequestError, match="larger") as refusal:
                await send(bus, "x" * 2_000)
            return refusal.value.code

    assert run_virtual(main()) is Code.INTERNAL


def test_without_a_responder_the_subject_is_unavailable() -> None:
    async def main() -> None:
        with pytest.raises(Unavailable, match=SUBJECT):
            await send(FakeBus())

    run_virtual(main())


@pytest.mark.parametrize(
    ("error", "is_counted"), [(MaxPayloadError(), 1), (NoRespondersError(), 0)]
)
def test_a_request_that_nats_refuses_is_counted_and_a_missing_responder_is_not(
    error: NatsError, is_counted: int
) -> None:
    class RefusingBus(FakeBus):
        async def request(self, *_: Any, **__: Any) -> Msg:
            raise error

    counter = REFUSED_PUBLISHES.labels("request")

    async def main() -> None:
        with pytest.raises(Unavailable):
            await send(RefusingBus())

    before = counter._value.get()
    run_virtual(main())
    assert counter._value.get() == before + is_counted


@pytest.mark.parametrize("headers", [None, {ERROR_HEADER: "not_found"}])
def test_a_reply_that_cannot_be_decoded_is_unavailable(headers: dict[str, str] | None) -> None:
    async def main() -> None:
        bus = FakeBus()

        async def garble(message: Msg) -> None:
            await bus.publish(message.reply, b"{", headers)

        bus.receivers[SUBJECT] = garble
        with pytest.raises(Unavailable, match="cannot be decoded"):
            await send(bus)

    run_virtual(main())


def test_an_invalid_field_of_a_nested_value_is_named_by_its_path() -> None:
    class Nested(msgspec.Struct):
        items: list[Echo]

    async def ignore(_: Nested) -> Echo:
        return Echo("done")

    async def main() -> InvalidField:
        bus = FakeBus()
        responder = Responder(
            cast("Bus", bus), CLOCK, {SUBJECT: Handler(Nested, ignore)},
            queue_group="group", max_concurrent=1, max_queued=1,
        )  # fmt: skip
        running = asyncio.create_task(responder.run())
        await asyncio.sleep(0.001)
        with pytest.raises(InvalidField) as refusal:
            await send_request(
                cast("Bus", bus), CLOCK, SUBJECT, Nested([Echo("")]), Echo, timeout_secs=5
            )
        running.cancel()
        await asyncio.wait([running])
        return refusal.value

    assert run_virtual(main()).field == "items[0].text"


def test_a_responder_that_stops_answers_what_has_begun_and_refuses_what_waits() -> None:
    async def slow(request: Echo) -> Echo:
        await asyncio.sleep(1.0)
        return request

    async def main() -> tuple[bytes, str]:
        serving = Serving(slow)
        async with serving as bus:
            for text in (b"begun", b"waiting"):
                await bus.deliver(b'{"text":"%s"}' % text, deadline(5.0))
            await asyncio.sleep(0.5)
            serving.cancel()
            refusal, answer = await bus.replies.get(), await bus.replies.get()
            assert refusal.headers is not None
            return answer.data, refusal.headers[ERROR_HEADER]

    assert run_virtual(main()) == (b'{"text":"begun"}', Code.OVERLOADED)


def test_a_request_that_a_stop_cuts_off_is_answered_as_timed_out() -> None:
    async def endless(request: Echo) -> Echo:
        await asyncio.Event().wait()
        return request

    async def main() -> tuple[float, str]:
        serving = Serving(endless)
        async with serving as bus:
            await bus.deliver(b'{"text":"a"}', deadline(60.0))
            await asyncio.sleep(0.001)
            serving.cancel()
            cancelled_at = asyncio.get_running_loop().time()
            reply = await bus.replies.get()
            assert reply.headers is not None
            waited_secs = asyncio.get_running_loop().time() - cancelled_at
            return waited_secs, reply.headers[ERROR_HEADER]

    waited_secs, code = run_virtual(main())
    assert code == Code.TIMED_OUT
    assert waited_secs < 2.0


def test_a_request_that_a_leaving_responder_refuses_is_sent_again_to_its_successor() -> None:
    async def main() -> tuple[Echo, float]:
        bus = FakeBus()
        first, second = Serving(bus=bus, leave_secs=1.0), Serving(bus=bus)
        async with first:
            first.cancel()
            await asyncio.sleep(0.001)
            began_at = asyncio.get_running_loop().time()
            sending = asyncio.create_task(send(bus, "moved"))
            await asyncio.sleep(0.5)
            async with second:
                return await sending, asyncio.get_running_loop().time() - began_at

    reply, waited_secs = run_virtual(main())
    assert reply == Echo("moved")
    assert waited_secs == pytest.approx(0.55, abs=0.06)


@pytest.mark.parametrize("leave_secs", [0.0, 1.0])
def test_a_responder_that_runs_again_serves_again(leave_secs: float) -> None:
    async def main() -> list[Echo]:
        serving = Serving(leave_secs=leave_secs)
        replies = []
        for term in ("first", "second"):
            async with serving as bus:
                replies.append(await send(bus, term))
        return replies

    assert run_virtual(main()) == [Echo("first"), Echo("second")]


def test_a_request_that_only_leaving_responders_receive_is_refused_at_its_timeout() -> None:
    async def main() -> float:
        bus = FakeBus()
        serving = Serving(bus=bus, leave_secs=60.0)
        async with serving:
            serving.cancel()
            await asyncio.sleep(0.001)
            began_at = asyncio.get_running_loop().time()
            with pytest.raises(Overloaded):
                await send(bus, timeout_secs=5.0)
            return asyncio.get_running_loop().time() - began_at

    assert run_virtual(main()) == pytest.approx(5.0, abs=0.2)
