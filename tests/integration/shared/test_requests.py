"""Requests from one NATS account to another through a real nats-server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from shared.bus.connection import Bus
from shared.bus.refused_publishes import REFUSED_PUBLISHES
from shared.bus.requests import DEADLINE_HEADER, ERROR_HEADER, send_request
from shared.bus.responder import Handler, Responder
from shared.contracts.instruments import INSTRUMENTS_GET, GetReply, GetRequest
from shared.errors import BadMessage, InvalidField, NotFound, Overloaded, RequestError, Unavailable
from shared.runtime.clock import SystemClock
from tests.support.buses import bus_of
from tests.support.patience import PATIENCE_MS, PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.services import running
from tests.support.settings import nats_settings
from tests.support.waiting import eventually

Work = Callable[[GetRequest], Awaitable[GetReply]]
CLOCK = SystemClock()


async def echo(request: GetRequest) -> GetReply:
    return GetReply(instruments=[], unknown=request.keys)


@asynccontextmanager
async def answering(
    nats: NatsServer, work: Work = echo, *, at_once: int = 2, waiting: int = 8
) -> AsyncIterator[Bus]:
    """A persister that handles requests with `work`; yields the connection of a gateway."""
    settings = nats_settings(nats.url, has_outages=True)
    async with (
        bus_of(nats, "persister", settings=settings) as bus,
        bus_of(nats, "gateway", settings=settings) as gateway,
    ):
        responder = Responder(
            bus, CLOCK, {INSTRUMENTS_GET: Handler(GetRequest, work)},
            queue_group="persister", max_concurrent=at_once, max_queued=waiting,
        )  # fmt: skip

        @asynccontextmanager
        async def build() -> AsyncIterator[list[Responder]]:
            yield [responder]

        async with running(build()):

            async def replies() -> bool:
                try:
                    await raw_request(gateway, b"{}", {})
                except TimeoutError:
                    return False
                return True

            await eventually(replies, what="the persister replies")
            yield gateway


async def raw_request(
    bus: Bus, data: bytes, headers: dict[str, str], *, timeout_secs: float = 1.0
) -> Any:
    return await bus.client.request(INSTRUMENTS_GET, data, timeout=timeout_secs, headers=headers)


async def get(bus: Bus, *keys: str, secs: float = PATIENCE_SECS) -> GetReply:
    request = GetRequest(keys=list(keys))
    return await send_request(bus, CLOCK, INSTRUMENTS_GET, request, GetReply, timeout_secs=secs)


async def test_a_request_that_is_too_large_is_counted(nats: NatsServer) -> None:
    async with answering(nats) as gateway:
        counter = REFUSED_PUBLISHES.labels("request")
        before = counter._value.get()
        with pytest.raises(Unavailable):
            await get(gateway, "x" * 2_000_000)
        assert counter._value.get() == before + 1
        assert await get(gateway, "NSE_EQ|A") == GetReply(instruments=[], unknown=["NSE_EQ|A"])


async def test_a_reply_reaches_the_requester_in_another_account(nats: NatsServer) -> None:
    async with answering(nats) as gateway:
        assert await get(gateway, "NSE_EQ|A") == GetReply(instruments=[], unknown=["NSE_EQ|A"])


async def test_an_error_keeps_its_code_detail_and_field(nats: NatsServer) -> None:
    async def refuse(request: GetRequest) -> GetReply:
        raise NotFound("no such instrument", field="keys")

    async with answering(nats, refuse) as gateway:
        with pytest.raises(NotFound) as caught:
            await get(gateway, "NSE_EQ|A")
    assert (caught.value.detail, caught.value.field) == ("no such instrument", "keys")


async def test_an_invalid_request_names_the_field(nats: NatsServer) -> None:
    async with answering(nats) as gateway:
        with pytest.raises(InvalidField) as caught:
            await get(gateway)
    assert caught.value.field == "keys"
    assert "length >= 1" in caught.value.detail


async def test_a_malformed_request_is_refused_with_a_code(nats: NatsServer) -> None:
    async with answering(nats) as gateway:
        deadline = {DEADLINE_HEADER: str(CLOCK.now_ms() + PATIENCE_MS)}
        for data, headers in ((b"{", deadline), (b'{"keys":["A|1"]}', {})):
            reply = await raw_request(gateway, data, headers, timeout_secs=PATIENCE_SECS)
            assert reply.headers == {ERROR_HEADER: BadMessage.code}
        missing = await raw_request(gateway, b"{}", deadline, timeout_secs=PATIENCE_SECS)
        assert msgspec.json.decode(missing.data)["field"] == "keys"


async def test_a_deadline_that_is_no_time_ends_no_responder(nats: NatsServer) -> None:
    async with answering(nats, at_once=1) as gateway:
        for digits in (15, 400, 5_000):
            headers = {DEADLINE_HEADER: "9" * digits}
            reply = await raw_request(
                gateway, b'{"keys":["A|1"]}', headers, timeout_secs=PATIENCE_SECS
            )
            assert reply.headers == {ERROR_HEADER: BadMessage.code}
        assert (await get(gateway, "A|1")).unknown == ["A|1"]


async def test_an_unexpected_error_is_an_internal_error_and_the_next_request_is_answered(
    nats: NatsServer,
) -> None:
    async def fail_once(request: GetRequest) -> GetReply:
        if request.keys == ["A|1"]:
            raise ZeroDivisionError
        return await echo(request)

    async with answering(nats, fail_once, at_once=1) as gateway:
        with capture_logs() as logged, pytest.raises(RequestError, match="internal error"):
            await get(gateway, "A|1")
        assert [line["event"] for line in logged] == ["request failed"]
        assert (await get(gateway, "A|2")).unknown == ["A|2"]


async def test_one_request_too_many_is_refused_while_others_wait(nats: NatsServer) -> None:
    begun, may_finish = asyncio.Event(), asyncio.Event()

    async def wait(request: GetRequest) -> GetReply:
        begun.set()
        await may_finish.wait()
        return await echo(request)

    async with answering(nats, wait, at_once=1, waiting=1) as gateway:
        first = asyncio.create_task(get(gateway, "A|1"))
        await begun.wait()
        others = [asyncio.create_task(get(gateway, f"A|{n}")) for n in (2, 3)]
        done, _ = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        (refused,) = done
        assert isinstance(refused.exception(), Overloaded)
        may_finish.set()
        assert (await first).unknown == ["A|1"]
        await asyncio.wait(others)


async def test_a_request_past_its_deadline_is_not_handled(nats: NatsServer) -> None:
    handled: list[list[str]] = []

    async def record(request: GetRequest) -> GetReply:
        handled.append(request.keys)
        return await echo(request)

    async with answering(nats, record, at_once=1) as gateway:
        late = {DEADLINE_HEADER: str(CLOCK.now_ms() - 1)}
        with pytest.raises(TimeoutError):
            await raw_request(gateway, b'{"keys":["A|1"]}', late)
        await get(gateway, "A|2")
    assert handled == [["A|2"]]


async def test_work_that_exceeds_the_deadline_is_cancelled(nats: NatsServer) -> None:
    async def hang(request: GetRequest) -> GetReply:
        if request.keys == ["A|1"]:
            await asyncio.Event().wait()
        return await echo(request)

    async with answering(nats, hang, at_once=1) as gateway:
        with pytest.raises(Unavailable):
            await get(gateway, "A|1", secs=0.3)
        assert (await get(gateway, "A|2")).unknown == ["A|2"]


async def test_a_request_without_a_responder_is_unavailable(nats: NatsServer) -> None:
    async with bus_of(nats, "gateway") as gateway:
        with pytest.raises(Unavailable, match=INSTRUMENTS_GET):
            await get(gateway, "A|1", secs=0.5)


async def test_requests_are_answered_again_after_nats_was_killed(nats: NatsServer) -> None:
    async with answering(nats) as gateway:
        nats.kill()
        await asyncio.to_thread(nats.start)

        async def answered() -> bool:
            try:
                return (await get(gateway, "A|1", secs=1.0)).unknown == ["A|1"]
            except Unavailable:
                return False

        await eventually(answered, what="a reply after the outage")


async def test_requests_without_a_connection_leave_nothing_in_memory(nats: NatsServer) -> None:
    async with bus_of(nats, "gateway") as gateway:
        nats.kill()
        await eventually(lambda: not gateway.is_connected, what="the connection is lost")
        for _ in range(20):
            with pytest.raises(Unavailable):
                await get(gateway, "A|1", secs=0.5)
        assert gateway.client._resp_map == {}
        await asyncio.to_thread(nats.start)


async def test_a_user_without_the_right_to_request_gets_no_reply(nats: NatsServer) -> None:
    async with answering(nats):
        observer = await nats.connect("observer")
        with pytest.raises(TimeoutError):
            await observer.request(INSTRUMENTS_GET, b'{"keys":["A|1"]}', timeout=0.5)
        await observer.close()
