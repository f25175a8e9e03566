"""The instruments master is loaded as a stream, kept when the next load fails, and searched."""

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import REGISTRY

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
from shared.errors import InvalidField, Unavailable
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
                return await mongo.db["masters"].find_one({"day": {"$ne": ""}}) is not None

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
    reliance = (await search(bus, "RELIANCE"))[0]
    assert (reliance.key, reliance.has_derivatives) == ("NSE_EQ|INE002A01018", True)
    assert (await search(bus, "INE002A01018"))[0].symbol == "RELIANCE"
    assert (await search(bus, "nifty"))[0].key == "NSE_INDEX|Nifty 50"
    some_call = next(
        instrument for instrument in await search(bus, "nifty ce", limit=50) if instrument.strike
    )
    found = await search(bus, f"nifty {some_call.strike:g} ce")
    assert (found[0].type, found[0].strike) == ("CE", some_call.strike)
    assert found[0].underlying_symbol == "NIFTY"
    assert found[0].expiry == min(instrument.expiry or "" for instrument in found)


def master_row(key: str, kind: str, symbol: str, name: str, **more: Any) -> dict[str, Any]:
    """A row in the shape of Upstox's master; a derivative lacks `isin` and `short_name`."""
    segment = key.partition("|")[0]
    return {
        "segment": segment, "name": name, "exchange": segment.partition("_")[0],
        "instrument_type": kind, "instrument_key": key, "trading_symbol": symbol,
        "exchange_token": key.partition("|")[2], "tick_size": 5.0, "lot_size": 1,
        "freeze_quantity": 100_000.0, "security_type": "NORMAL",
    } | more  # fmt: skip


def contract_row(
    number: int, of: str, of_key: str, kind: str, expiry: str, strike: float = 0.0
) -> dict[str, Any]:
    at = datetime.fromisoformat(f"{expiry}T23:59:59+05:30")
    segment = "BSE_FO" if of_key.startswith("BSE") else "NSE_FO"
    words = f"{of} FUT" if kind == "FUT" else f"{of} {strike:g} {kind}"
    return master_row(
        f"{segment}|{number}", kind, f"{words} {at:%d %b %y}".upper(), of, weekly=False,
        expiry=int(at.timestamp() * 1_000), strike_price=strike, minimum_lot=75,
        underlying_key=of_key, underlying_symbol=of,
        underlying_type="INDEX" if "INDEX" in of_key else "EQUITY",
    )  # fmt: skip


def real_rows() -> list[dict[str, Any]]:
    """A cut of the master with the words that traders search for."""
    nifty, bank, sensex = "NSE_INDEX|Nifty 50", "NSE_INDEX|Nifty Bank", "BSE_INDEX|SENSEX"
    mahindra, larsen = "NSE_EQ|INE101A01026", "NSE_EQ|INE018A01030"
    rows = [
        master_row(nifty, "INDEX", "NIFTY", "Nifty 50"),
        master_row(bank, "INDEX", "BANKNIFTY", "Nifty Bank"),
        master_row("NSE_INDEX|Nifty Next 50", "INDEX", "NIFTY NEXT 50", "Nifty Next 50"),
        master_row(sensex, "INDEX", "SENSEX", "SENSEX"),
        master_row("BSE_INDEX|SNSX50", "INDEX", "SENSEX50", "SENSEX50"),
        master_row(mahindra, "EQ", "M&M", "MAHINDRA & MAHINDRA LTD", short_name="Mahindra"),
        master_row(larsen, "EQ", "LT", "LARSEN & TOUBRO LTD.", short_name="Larsen and Toubro"),
        master_row("NSE_EQ|INE498L01015", "EQ", "LTF", "L&T FINANCE LIMITED"),
        master_row("NSE_EQ|INE002A01018", "EQ", "RELIANCE", "RELIANCE INDUSTRIES LTD"),
        contract_row(59_461, "RELIANCE", "NSE_EQ|INE002A01018", "FUT", "2026-12-29"),
        contract_row(59_182, "RELIANCE", "NSE_EQ|INE002A01018", "FUT", "2026-11-24"),
    ]
    number = 40_000
    for of, of_key, strikes in (
        ("NIFTY", nifty, range(23_000, 25_050, 50)),
        ("NIFTYNXT50", "NSE_INDEX|Nifty Next 50", range(23_000, 25_000, 100)),
        ("BANKNIFTY", bank, range(51_000, 53_000, 100)),
        ("SENSEX", sensex, range(79_000, 81_000, 100)),
        ("M&M", mahindra, range(3_000, 3_300, 50)),
        ("LT", larsen, range(3_500, 3_800, 20)),
    ):
        for strike in strikes:
            for kind in ("CE", "PE"):
                for expiry in ("2026-12-29", "2026-11-24"):
                    number += 1
                    rows.append(contract_row(number, of, of_key, kind, expiry, strike))
    return rows


@pytest.mark.parametrize(
    ("query", "symbols"),
    [
        ("nifty", ["NIFTY"]),
        ("nifty 50", ["NIFTY"]),
        ("bank nifty", ["BANKNIFTY"]),
        ("sensex", ["SENSEX"]),
        ("m&m", ["M&M"]),
        ("l&t", ["LT"]),
        ("reliance fut", ["RELIANCE FUT 24 NOV 26", "RELIANCE FUT 29 DEC 26"]),
        ("nifty 24000 ce", ["NIFTY 24000 CE 24 NOV 26", "NIFTY 24000 CE 29 DEC 26"]),
        ("bank nifty 52000 ce", ["BANKNIFTY 52000 CE 24 NOV 26"]),
        ("sensex 80000pe", ["SENSEX 80000 PE 24 NOV 26"]),
        (
            "nifty 24010 ce",
            [f"NIFTY {strike} CE 24 NOV 26" for strike in (24_000, 24_050, 23_950, 24_100, 23_900)]
            + ["NIFTY 24000 CE 29 DEC 26"],
        ),
        ("nifty 24010 put 29 dec", ["NIFTY 24000 PE 29 DEC 26", "NIFTY 24050 PE 29 DEC 26"]),
        ("bank nifty 52040 ce", ["BANKNIFTY 52000 CE 24 NOV 26", "BANKNIFTY 52100 CE 24 NOV 26"]),
        ("m&m 3020 ce", ["M&M 3000 CE 24 NOV 26", "M&M 3050 CE 24 NOV 26"]),
        ("l&t 3610 pe", ["LT 3600 PE 24 NOV 26", "LT 3620 PE 24 NOV 26"]),
    ],
)
async def test_words_of_traders_find_instruments_of_the_real_master(
    searched_store: InstrumentStore, query: str, symbols: list[str]
) -> None:
    found = (await searched_store.search(SearchRequest(query=query))).instruments
    assert [instrument.symbol for instrument in found][: len(symbols)] == symbols


async def test_a_search_returns_up_to_fifty_instruments(searched_store: InstrumentStore) -> None:
    request = SearchRequest(query="nifty ce", limit=50)
    assert len((await searched_store.search(request)).instruments) == 50


async def test_the_nearest_strikes_can_be_narrowed(searched_store: InstrumentStore) -> None:
    request = SearchRequest(query="nifty 24010 ce", expiry="2026-12-29", limit=2)
    found = (await searched_store.search(request)).instruments
    assert [instrument.symbol for instrument in found] == [
        "NIFTY 24000 CE 29 DEC 26", "NIFTY 24050 CE 29 DEC 26",
    ]  # fmt: skip
    puts_only = SearchRequest(query="nifty 24010 ce", types=["PE"])
    assert (await searched_store.search(puts_only)).instruments == []


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


async def test_before_a_master_is_loaded_no_key_is_called_unknown(mongo: Mongo) -> None:
    store = InstrumentStore(mongo)
    await store.prepare()
    with pytest.raises(Unavailable, match="not been loaded"):
        await store.get(GetRequest(keys=["NSE_EQ|INE002A01018"]))


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


FIRST_MASTER_SECS = datetime.fromisoformat("2026-11-23T06:15+05:30").timestamp()


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(f"tradedad_persister_{name}") or 0.0


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
    mongo: Mongo, server: MasterServer, clock: SteppedClock, **options: Any
) -> AsyncIterator[MasterLoader]:
    settings = PersisterSettings.model_validate(
        {"nats_password": PASSWORD, "master_url": server.url, "master_check_secs": 0.05} | options
    )
    async with aiohttp.ClientSession() as http:
        yield MasterLoader(http, InstrumentStore(mongo), settings, clock)


async def stored_symbols(mongo: Mongo) -> set[str]:
    return {instrument["symbol"] async for instrument in mongo.db["instruments"].find()}


@pytest.fixture
async def searched_store(mongo: Mongo) -> InstrumentStore:
    """A store with `real_rows`."""
    store = InstrumentStore(mongo)
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        server.file = zipped(real_rows())
        await store.prepare()
        await master.load("2026-11-23")
    return store


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
        assert metric("master_timestamp_seconds") == FIRST_MASTER_SECS
        for bad in (None, b"<html>", truncated_file, zipped([row(1)])):
            failures = metric("master_failures_total")
            clock.at_ms += DAY_MS
            server.file = bad
            await fetched_again()
            assert await stored_symbols(mongo) == set(first)
            assert metric("master_failures_total") > failures
            assert metric("master_timestamp_seconds") == FIRST_MASTER_SECS, "it grows old"
        rows = [row(2, trading_symbol="RENAMED"), *(row(number) for number in range(3, 10))]
        server.file = zipped(rows)
        await has("RENAMED", *first[2:], "SYM9")
        await eventually(
            lambda: metric("master_timestamp_seconds") == FIRST_MASTER_SECS + 4 * 86_400,
            what="the master is that of today",
        )
        assert not work.done()
        await stop([work])


async def test_a_malformed_row_does_not_affect_others(mongo: Mongo) -> None:
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        bad_rows: list[dict[str, Any]] = [
            {"segment": "NSE_EQ"},
            row(3, expiry=MONDAY_10_00 * 1_000),
            row(4, expiry=MONDAY_10_00 * 1_000_000),
            row(5, lot_size=1e20),
            row(6, lot_size=10**25),
            row(7, trading_symbol=None),
            row(8, name={"text": "x"}),
            row(9, tick_size=1e308),
        ]
        server.file = zipped([row(1), *bad_rows, row(2)])
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


async def test_a_refused_master_leaves_no_instrument_and_is_accepted_on_the_third_day(
    mongo: Mongo,
) -> None:
    first = [row(number) for number in range(1, 9)]
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        await InstrumentStore(mongo).prepare()
        server.file = zipped(first)
        await master.load("2026-11-23")
        server.file = zipped([row(100), row(101)])
        for day in ("2026-11-24", "2026-11-25"):
            with pytest.raises(Unavailable):
                await master.load(day)
            assert await stored_symbols(mongo) == {f"SYM{number}" for number in range(1, 9)}
        await master.load("2026-11-26")
    assert await stored_symbols(mongo) == {"SYM100", "SYM101"}


async def test_a_smaller_master_is_accepted_with_the_setting(mongo: Mongo) -> None:
    async with master_server() as server:
        server.file = zipped([row(number) for number in range(1, 9)])
        async with loading(mongo, server, SteppedClock()) as master:
            await InstrumentStore(mongo).prepare()
            await master.load("2026-11-23")
        server.file = zipped([row(1)])
        async with loading(mongo, server, SteppedClock(), master_min_share=0) as master:
            await master.load("2026-11-24")
    assert await stored_symbols(mongo) == {"SYM1"}


@pytest.mark.parametrize("file", [b"[]", b"{}", b'[{"a": 1}]'])
async def test_a_master_without_an_instrument_is_refused(mongo: Mongo, file: bytes) -> None:
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        await InstrumentStore(mongo).prepare()
        server.file = file
        with pytest.raises(Unavailable):
            await master.load("2026-11-23")


async def test_a_master_with_another_address_replaces_all_instruments_also_on_the_same_day(
    mongo: Mongo,
) -> None:
    store = InstrumentStore(mongo)
    await store.prepare()
    universes = [[row(number) for number in range(1, 9)], [row(100)]]
    async with master_server() as one, master_server() as other:
        one.file, other.file = map(zipped, universes)
        for server, symbols in (
            (one, {f"SYM{number}" for number in range(1, 9)}),
            (other, {"SYM100"}),
            (one, {f"SYM{number}" for number in range(1, 9)}),
        ):
            async with loading(mongo, server, SteppedClock()) as master:
                work = asyncio.create_task(master.run())

                async def has(expected: set[str] = symbols) -> bool:
                    return await stored_symbols(mongo) == expected

                await eventually(has, what=f"{symbols} are stored")
                await stop([work])


async def test_a_master_that_was_stored_in_part_is_replaced_by_one_of_any_size(
    mongo: Mongo,
) -> None:
    store = InstrumentStore(mongo)
    await store.prepare()
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        server.file = zipped([row(number) for number in range(1, 9)])
        await master.load("2026-11-23")
        await store.begin("https://example.com/another")  # and then the leader was killed
        server.file = zipped([row(100)])
        await master.load("2026-11-23")
    assert await stored_symbols(mongo) == {"SYM100"}
