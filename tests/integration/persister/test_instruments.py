"""The instruments master is loaded as a stream, kept when the next load fails, and searched."""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from services.persister.instruments.instrument_store import InstrumentStore
from services.persister.instruments.master_loader import MasterLoader
from services.persister.settings import PersisterSettings
from shared.bus.connection import Bus
from shared.bus.requests import send_request
from shared.contracts.instruments import (
    INSTRUMENTS_GET,
    INSTRUMENTS_SEARCH,
    GetReply,
    GetRequest,
    Instrument,
    SearchReply,
    SearchRequest,
)
from shared.errors import InvalidField
from shared.market.exchange_time import DAY_MS
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from shared.runtime.tasks import stop
from tests.support.builders import MONDAY_10_00
from tests.support.patience import PATIENCE_SECS
from tests.support.persisters import CLOCK, answering_persister
from tests.support.servers import PASSWORD, NatsServer
from tests.support.simulated import running as running_simulator
from tests.support.waiting import eventually

_MASTER = "/market-quote/instruments/exchange/complete.json.gz"


@pytest.fixture
async def bus(nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings) -> AsyncIterator[Bus]:
    """A persister that has loaded the master of a simulated Upstox with all its derivatives."""
    async with running_simulator(universe="full", start_ms=MONDAY_10_00) as http:
        url = str(http._base_url).rstrip("/") + _MASTER
        async with answering_persister(nats, mongo_settings, master_url=url) as gateway:

            async def is_loaded() -> bool:
                return await mongo.db["masters"].find_one() is not None

            await eventually(is_loaded, what="the master is loaded")
            yield gateway


async def search(bus: Bus, query: str, **more: Any) -> list[Instrument]:
    request = SearchRequest(query=query, **more)
    return (
        await send_request(
            bus, CLOCK, INSTRUMENTS_SEARCH, request, SearchReply, timeout_secs=PATIENCE_SECS
        )
    ).instruments


async def test_the_most_relevant_instrument_is_found_first(bus: Bus) -> None:
    assert (await search(bus, "reli"))[0].symbol == "RELIANCE"
    assert (await search(bus, "RELIANCE"))[0].key == "NSE_EQ|INE002A01018"
    assert (await search(bus, "INE002A01018"))[0].symbol == "RELIANCE"
    assert (await search(bus, "nifty"))[0].key == "NSE_INDEX|Nifty 50"
    some_call = next(
        instrument for instrument in await search(bus, "nifty ce", limit=50) if instrument.strike
    )
    found = await search(bus, f"nifty {some_call.strike:g} ce")
    assert (found[0].type, found[0].strike) == ("CE", some_call.strike)
    assert found[0].underlying_symbol == "NIFTY"
    assert found[0].expiry == min(instrument.expiry or "" for instrument in found)


async def test_a_search_can_be_narrowed(bus: Bus) -> None:
    futures = await search(bus, "reliance", types=["FUT"])
    assert futures
    assert {instrument.type for instrument in futures} == {"FUT"}
    expiry = futures[0].expiry
    assert expiry is not None
    options = await search(bus, "reliance", segments=["NSE_FO"], expiry=expiry, limit=50)
    assert {(instrument.segment, instrument.expiry) for instrument in options} == {
        ("NSE_FO", expiry)
    }
    assert {
        instrument.segment for instrument in await search(bus, "gold", segments=["MCX_FO"])
    } <= {"MCX_FO"}
    assert await search(bus, "reliance", types=["INDEX"]) == []


async def test_instruments_by_key_have_the_order_of_the_request_and_unknown_keys_are_named(
    bus: Bus,
) -> None:
    keys = ["NSE_INDEX|Nifty 50", "NSE_EQ|NONE", "NSE_EQ|INE002A01018"]
    reply = await send_request(
        bus, CLOCK, INSTRUMENTS_GET, GetRequest(keys=keys), GetReply, timeout_secs=PATIENCE_SECS
    )
    assert [instrument.key for instrument in reply.instruments] == [keys[0], keys[2]]
    assert reply.unknown == [keys[1]]
    share = reply.instruments[1]
    assert (share.segment, share.type, share.exchange) == ("NSE_EQ", "EQ", "NSE")
    assert share.isin == "INE002A01018"
    assert share.lot_size == 1
    assert share.tick_size
    assert 0 < share.tick_size <= 1


async def test_a_query_without_a_word_is_refused(bus: Bus) -> None:
    with pytest.raises(InvalidField) as caught:
        await search(bus, "   ")
    assert caught.value.field == "query"


class MasterServer:
    """Serves one master file after another."""

    def __init__(self) -> None:
        self.file: bytes | None = None
        self.requests = 0
        self.url = ""

    async def get(self, _: web.Request) -> web.Response:
        self.requests += 1
        if self.file is None:
            raise web.HTTPServiceUnavailable
        return web.Response(body=self.file)


@asynccontextmanager
async def master_server() -> AsyncIterator[MasterServer]:
    server = MasterServer()
    app = web.Application()
    app.router.add_get("/complete.json.gz", server.get)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/complete.json.gz"
    try:
        yield server
    finally:
        await runner.cleanup()


def row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "instrument_key": f"NSE_EQ|{number}", "segment": "NSE_EQ", "exchange": "NSE",
        "instrument_type": "EQ", "trading_symbol": f"SYM{number}", "name": f"COMPANY {number}",
        "lot_size": 1, "tick_size": 5.0,
    } | more  # fmt: skip


def zipped(rows: list[dict[str, Any]]) -> bytes:
    return gzip.compress(json.dumps(rows).encode(), compresslevel=1)


class SteppedClock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.at_ms = MONDAY_10_00
        self.reads = 0

    def now_ms(self) -> int:
        self.reads += 1
        return self.at_ms

    def now_us(self) -> int:
        return self.at_ms * 1_000

    def monotonic(self) -> float:
        return self.at_ms / 1_000

    async def sleep(self, secs: float) -> None:
        await asyncio.sleep(secs)


@asynccontextmanager
async def loading(
    mongo: Mongo, server: MasterServer, clock: SteppedClock
) -> AsyncIterator[MasterLoader]:
    settings = PersisterSettings.model_validate(
        {"nats_password": PASSWORD, "master_url": server.url, "master_check_secs": 0.05}
    )
    async with aiohttp.ClientSession() as http:
        yield MasterLoader(http, InstrumentStore(mongo), settings, clock)


async def stored_symbols(mongo: Mongo) -> set[str]:
    return {instrument["symbol"] async for instrument in mongo.db["instruments"].find()}


@pytest.fixture
def truncated_file() -> bytes:
    """A gzip file without its last bytes; all rows can be read."""
    whole = zipped([row(number) for number in range(1, 9)])
    return whole[:-4]


async def test_a_master_is_loaded_each_day_and_one_that_fails_keeps_the_last(
    mongo: Mongo, truncated_file: bytes
) -> None:
    clock = SteppedClock()
    async with master_server() as server, loading(mongo, server, clock) as master:
        server.file = zipped([row(number) for number in range(1, 9)])
        work = asyncio.create_task(master.run())

        async def has(*symbols: str) -> None:
            async def is_so() -> bool:
                return await stored_symbols(mongo) == set(symbols)

            await eventually(is_so, what=f"{symbols} are stored")

        async def fetched_again() -> None:
            count = server.requests

            async def is_so() -> bool:
                return server.requests >= count + 2

            await eventually(is_so, what="it tried again")

        first = [f"SYM{number}" for number in range(1, 9)]
        await has(*first)
        count = server.requests
        reads = clock.reads
        await eventually(lambda: clock.reads > reads + 5, what="the date is checked again")
        assert server.requests == count  # once a day
        for bad in (None, b"<html>", truncated_file, zipped([row(1)])):
            clock.at_ms += DAY_MS
            server.file = bad
            await fetched_again()
            assert await stored_symbols(mongo) == set(first)
        rows = [row(2, trading_symbol="RENAMED"), *(row(number) for number in range(3, 10))]
        server.file = zipped(rows)
        await has("RENAMED", *first[2:], "SYM9")
        assert not work.done()
        await stop([work])


async def test_a_malformed_row_does_not_affect_others(mongo: Mongo) -> None:
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        server.file = zipped([row(1), {"segment": "NSE_EQ"}, row(2)])
        await InstrumentStore(mongo).prepare()
        await master.load("2026-11-23")
    assert await stored_symbols(mongo) == {"SYM1", "SYM2"}


async def test_a_master_is_never_completely_in_memory(mongo: Mongo) -> None:
    rows = [row(number, security_type="X" * 2_000) for number in range(8_000)]
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        server.file = zipped(rows)
        whole_bytes = len(json.dumps(rows))
        del rows
        await InstrumentStore(mongo).prepare()
        tracemalloc.start()
        await master.load("2026-11-23")
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert await mongo.db["instruments"].count_documents({}) == 8_000
    assert peak_bytes < whole_bytes / 2
