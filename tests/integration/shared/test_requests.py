"""Requests from one account to another, with least rights, through a real nats-server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from shared.bus.connection import Bus
from shared.bus.requests import DEADLINE_HEADER, ERROR_HEADER, Handler, Responder, send_request
from shared.contracts.instruments import INSTRUMENTS_GET, GetReply, GetRequest
from shared.errors import BadMessage, InvalidField, NotFound, Overloaded, RequestError, Unavailable
from shared.runtime.clock import SystemClock
from tests.support.buses import bus_of
from tests.support.servers import NatsServer
from tests.support.services import running
from tests.support.waiting import eventually

Work = Callable[[GetRequest], Awaitable[GetReply]]
CLOCK = SystemClock()


async def echo(request: GetRequest) -> GetReply:
    return GetReply(instruments=[], unknown=request.keys)


@asynccontextmanager
async def answering(
    nats: NatsServer, work: Work = echo, *, at_once: int = 2, waiting: int = 8
) -> AsyncIterator[Bus]:
    """A persister that answers with `work`; yields a gateway's connection."""
    async with bus_of(nats, "persister") as bus, bus_of(nats, "gateway") as asker:
        responder = Responder(
            bus, CLOCK, {INSTRUMENTS_GET: Handler(GetRequest, work)},
            queue_group="persister", max_concurrent=at_once, max_queued=waiting,
        )  # fmt: skip

        @asynccontextmanager
        async def build() -> AsyncIterator[list[Responder]]:
            yield [responder]

        async with running(build()):

            async def answers() -> bool:
                try:
                    await bare(asker, b"{}", {})
                except TimeoutError:
                    return False
                return True

            await eventually(answers, what="the subscription reached the server")
            yield asker


async def bare(bus: Bus, data: bytes, headers: dict[str, str]) -> Any:
    return await bus.client.request(INSTRUMENTS_GET, data, timeout=0.5, headers=headers)


async def get(bus: Bus, *keys: str, secs: float = 5.0) -> GetReply:
    request = GetRequest(keys=list(keys))
    return await send_request(bus, CLOCK, INSTRUMENTS_GET, request, GetReply, timeout_secs=secs)


async def test_an_answer_comes_back_to_who_asked_in_another_account(nats: NatsServer) -> None:
    async with answering(nats) as asker:
        assert await get(asker, "NSE_EQ|A") == GetReply(instruments=[], unknown=["NSE_EQ|A"])


async def test_an_error_keeps_its_code_detail_and_field(nats: NatsServer) -> None:
    async def refuse(request: GetRequest) -> GetReply:
        raise NotFound("no such instrument", field="keys")

    async with answering(nats, refuse) as asker:
        with pytest.raises(NotFound) as caught:
            await get(asker, "NSE_EQ|A")
    assert (caught.value.detail, caught.value.field) == ("no such instrument", "keys")


async def test_a_broken_rule_names_the_field(nats: NatsServer) -> None:
    async with answering(nats) as asker:
        with pytest.raises(InvalidField) as caught:
            await get(asker)
    assert caught.value.field == "keys"
    assert "length >= 1" in caught.value.detail


async def test_what_is_no_request_is_refused_with_a_code(nats: NatsServer) -> None:
    async with answering(nats) as asker:
        soon = {DEADLINE_HEADER: str(CLOCK.now_ms() + 5_000)}
        for data, headers in ((b"{", soon), (b'{"keys":["A|1"]}', {})):
            reply = await bare(asker, data, headers)
            assert reply.headers == {ERROR_HEADER: BadMessage.code}
        missing = await bare(asker, b"{}", soon)
        assert msgspec.json.decode(missing.data)["field"] == "keys"


async def test_what_goes_wrong_unforeseen_is_our_fault_and_the_next_is_answered(
    nats: NatsServer,
) -> None:
    async def break_once(request: GetRequest) -> GetReply:
        if request.keys == ["A|1"]:
            raise ZeroDivisionError
        return await echo(request)

    async with answering(nats, break_once, at_once=1) as asker:
        with capture_logs() as logged, pytest.raises(RequestError, match="internal error"):
            await get(asker, "A|1")
        assert [line["event"] for line in logged] == ["request failed"]
        assert (await get(asker, "A|2")).unknown == ["A|2"]


async def test_one_request_too_many_is_refused_at_once(nats: NatsServer) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(request: GetRequest) -> GetReply:
        begun.set()
        await go_on.wait()
        return await echo(request)

    async with answering(nats, wait, at_once=1, waiting=1) as asker:
        first = asyncio.create_task(get(asker, "A|1"))
        await begun.wait()
        others = [asyncio.create_task(get(asker, f"A|{n}")) for n in (2, 3)]
        done, _ = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        (refused,) = done
        assert isinstance(refused.exception(), Overloaded)
        go_on.set()
        assert (await first).unknown == ["A|1"]
        await asyncio.wait(others)


async def test_a_request_past_its_deadline_is_not_carried_out(nats: NatsServer) -> None:
    carried_out: list[list[str]] = []

    async def note(request: GetRequest) -> GetReply:
        carried_out.append(request.keys)
        return await echo(request)

    async with answering(nats, note, at_once=1) as asker:
        late = {DEADLINE_HEADER: str(CLOCK.now_ms() - 1)}
        with pytest.raises(TimeoutError):
            await bare(asker, b'{"keys":["A|1"]}', late)
        await get(asker, "A|2")
    assert carried_out == [["A|2"]]


async def test_work_that_outlasts_the_deadline_is_given_up(nats: NatsServer) -> None:
    async def linger(request: GetRequest) -> GetReply:
        if request.keys == ["A|1"]:
            await asyncio.Event().wait()
        return await echo(request)

    async with answering(nats, linger, at_once=1) as asker:
        with pytest.raises(Unavailable):
            await get(asker, "A|1", secs=0.3)
        assert (await get(asker, "A|2")).unknown == ["A|2"]


async def test_nobody_there_is_unavailable(nats: NatsServer) -> None:
    async with bus_of(nats, "gateway") as asker:
        with pytest.raises(Unavailable, match=INSTRUMENTS_GET):
            await get(asker, "A|1", secs=0.5)


async def test_answers_go_on_after_nats_was_killed(nats: NatsServer) -> None:
    async with answering(nats) as asker:
        nats.kill()
        nats.start()

        async def answered() -> bool:
            try:
                return (await get(asker, "A|1", secs=0.5)).unknown == ["A|1"]
            except Unavailable:
                return False

        await eventually(answered, what="an answer after the outage")


async def test_who_may_not_ask_gets_no_answer(nats: NatsServer) -> None:
    async with answering(nats):
        observer = await nats.connect("observer")
        with pytest.raises(TimeoutError):
            await observer.request(INSTRUMENTS_GET, b'{"keys":["A|1"]}', timeout=0.5)
        await observer.close()
