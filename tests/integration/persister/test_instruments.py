"""Instruments of the master are searched, and read by key."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from services.persister.instruments.instrument_store import InstrumentStore
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
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import MONDAY_10_00
from tests.support.instrument_masters import SteppedClock, loading, master_server, zipped
from tests.support.patience import PATIENCE_SECS
from tests.support.persisters import CLOCK, answering_persister
from tests.support.servers import NatsServer
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


@pytest.fixture
async def searched_store(mongo: Mongo) -> InstrumentStore:
    """A store with `real_rows`."""
    store = InstrumentStore(mongo)
    async with master_server() as server, loading(mongo, server, SteppedClock()) as master:
        server.file = zipped(real_rows())
        await store.prepare()
        await master.load("2026-11-23")
    return store
