"""Bars of earlier years and of one minute over HTTP, with the values of the SDK's candles."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.persister.storage.bar_store import BarStore
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.rest import RELIANCE, get, store_instruments
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.upstox_history import (
    Row,
    SimulatedHistory,
    fetching_persister,
    simulated_history,
)

WEEK: dict[str, Any] = {"key": KEY, "from_": "2024-03-04", "to": "2024-03-09", "limit": 2_000}


@pytest.fixture
async def upstox() -> AsyncIterator[SimulatedHistory]:
    async with simulated_history(calendar="exchange") as simulated:
        yield simulated


@pytest.fixture
async def gateway(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings, upstox: SimulatedHistory
) -> AsyncIterator[InProcessGateway]:
    await BarStore(mongo).prepare()
    await store_instruments(mongo, [RELIANCE])
    async with (
        fetching_persister(nats, mongo_settings, upstox),
        running_gateway(nats, question_timeout_secs=PATIENCE_SECS) as gateway,
    ):
        yield gateway


def rows(bars: list[dict[str, Any]]) -> list[Row]:
    names = ("start", "open", "high", "low", "close")
    return [(*(bar[name] for name in names), bar.get("volume", 0)) for bar in bars]


async def all_bars(gateway: InProcessGateway, **query: Any) -> list[dict[str, Any]]:
    bars: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        reply = await get(gateway, "/v1/bars", **query, **cursor)
        assert reply.status == 200, reply.text
        if "unfetched" in reply.body:
            assert reply.headers["Cache-Control"] == "no-store"
        bars += reply.body["bars"]
        if "next" not in reply.body:
            return bars
        cursor = {"cursor": reply.body["next"]}


@pytest.mark.parametrize(
    ("interval", "unit", "count"),
    [("1m", "minutes", 1), ("3m", "minutes", 3), ("5m", "minutes", 5), ("15m", "minutes", 15),
     ("30m", "minutes", 30), ("1h", "hours", 1), ("1d", "days", 1)],
)  # fmt: skip
async def test_bars_of_every_length_equal_the_candles_that_the_sdk_reads(
    gateway: InProcessGateway, upstox: SimulatedHistory, interval: str, unit: str, count: int
) -> None:
    bars = await all_bars(gateway, interval=interval, **WEEK)
    assert rows(bars) == await upstox.sdk_past(KEY, unit, count, "2024-03-04", "2024-03-08")
    assert {bar["state"] for bar in bars} == {"repaired"}
    if interval not in ("15m", "1h"):
        assert {bar["source"] for bar in bars} == {"upstox"}


async def test_an_instrument_has_the_reference_data_of_upstox_full_quote(
    gateway: InProcessGateway, upstox: SimulatedHistory
) -> None:
    path = f"/v1/instruments/{KEY.replace('|', '%7C')}"
    reply = await get(gateway, path)
    assert (reply.status, reply.body["instrument"]["symbol"]) == (200, "RELIANCE")
    quote = await upstox.sdk_quote(KEY)
    reference: dict[str, Any] = reply.body["reference"]
    taken_at = reference.pop("taken_at")
    assert reference == {
        "lower_circuit": quote.lower_circuit_limit,
        "upper_circuit": quote.upper_circuit_limit,
        "previous_close": quote.prev_close_price,
        "year_high": quote.year_high,
        "year_low": quote.year_low,
    }
    again = await get(gateway, path)
    assert again.body["reference"]["taken_at"] == taken_at
    unknown = await get(gateway, "/v1/instruments/NSE_EQ%7CNOBODY")
    assert (unknown.status, unknown.body["code"]) == (404, "not_found")


async def test_an_unknown_key_is_not_found(gateway: InProcessGateway) -> None:
    for interval in ("1m", "5m", "1d"):
        reply = await get(gateway, "/v1/bars", **WEEK | {"key": "NSE_EQ|NOBODY"}, interval=interval)
        assert (reply.status, reply.body["code"], reply.body["field"]) == (404, "not_found", "key")


async def test_while_upstox_is_away_minutes_are_an_error_and_bars_say_what_they_lack(
    gateway: InProcessGateway, upstox: SimulatedHistory
) -> None:
    await upstox.break_candles()
    minutes = await get(gateway, "/v1/bars", interval="1m", **WEEK)
    assert (minutes.status, minutes.body["code"]) == (503, "unavailable")
    while True:
        bars = await get(gateway, "/v1/bars", **WEEK)
        assert (bars.status, bars.headers["Cache-Control"]) == (200, "no-store")
        if "next" not in bars.body:
            break
    assert bars.body["bars"] == []
    assert bars.body["unfetched"]["to_ms"] - bars.body["unfetched"]["from_ms"] == 5 * 86_400_000
