"""Candles agree with the trades to the paisa, and the official SDK parses them."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
import upstox_client

from tests.support.sdk import SDK_SECS
from tests.support.waiting import eventually

Sdk = Callable[[Callable[[Any], Any]], Awaitable[Any]]

RELIANCE = "NSE_EQ|INE002A01018"
NIFTY = "NSE_INDEX|Nifty 50"
START_MS = 1_767_607_200_000
TODAY = "2026-01-05"
V3 = "/v3/historical-candle"
V2 = "/v2/historical-candle"


@pytest.fixture
def speed() -> float:
    """Some tests wait for minutes of exchange time."""
    return 60.0


async def candles(base_url: str, path: str) -> list[list[Any]]:
    """The rows of a call without a token, which candles do not require."""
    async with aiohttp.ClientSession(base_url) as anonymous, anonymous.get(path) as response:
        assert response.status == 200, await response.text()
        rows: list[list[Any]] = (await response.json())["data"]["candles"]
        return rows


async def until(http: aiohttp.ClientSession, at_ms: int) -> None:
    """Wait until the market has traded past `at_ms`; on a busy machine it is behind the clock."""

    async def is_past() -> bool:
        query = {"key": RELIANCE, "from_ms": str(at_ms)}
        async with http.get("/simulator/v1/trades", params=query) as response:
            return bool(await response.json())

    await eventually(is_past, what=f"a trade after {at_ms}")


def start_ms(row: list[Any]) -> int:
    assert row[0].endswith("+05:30")
    return int(datetime.fromisoformat(row[0]).timestamp()) * 1_000


async def test_minutes_of_the_running_day_agree_with_the_trades(
    base_url: str, http: aiohttp.ClientSession
) -> None:
    await until(http, START_MS + 125_000)
    rows = await candles(base_url, f"{V3}/intraday/{RELIANCE}/minutes/1")
    assert len(rows) >= 3
    assert [start_ms(row) for row in rows] == sorted(map(start_ms, rows), reverse=True)
    for row in rows[1:]:
        query = {
            "key": RELIANCE,
            "from_ms": str(start_ms(row)),
            "to_ms": str(start_ms(row) + 60_000),
        }
        async with http.get("/simulator/v1/trades", params=query) as response:
            trades = await response.json()
        prices = [trade["price"] for trade in trades]
        volume = sum(trade["quantity"] for trade in trades)
        assert row[1:] == [prices[0], max(prices), min(prices), prices[-1], volume, 0]


async def test_longer_candles_of_the_running_day_have_the_same_volume(base_url: str) -> None:
    day = await candles(base_url, f"{V3}/intraday/{RELIANCE}/days/1")
    hours = await candles(base_url, f"{V3}/intraday/{RELIANCE}/hours/1")
    minutes = await candles(base_url, f"{V3}/intraday/{RELIANCE}/minutes/1")
    assert len(day) == 1
    assert day[0][5] <= sum(row[5] for row in hours) <= sum(row[5] for row in minutes)
    assert day[0][1] == hours[-1][1] == minutes[-1][1]
    assert start_ms(hours[-1]) % 3_600_000 == 1_800_000  # whole hours of IST: always open


async def test_past_days_are_newest_first_and_without_the_running_day(base_url: str) -> None:
    rows = await candles(base_url, f"{V3}/{RELIANCE}/days/1/{TODAY}/2025-12-01")
    days = [row[0][:10] for row in rows]
    assert days == sorted(days, reverse=True)
    assert (days[0], days[-1]) == ("2026-01-02", "2025-12-01")
    assert all(row[0].endswith("T00:00:00+05:30") for row in rows)
    assert "2025-12-25" not in days


@pytest.mark.parametrize("key", [RELIANCE, NIFTY])
async def test_minutes_of_a_past_day_add_up_to_its_candle(base_url: str, key: str) -> None:
    span = "2026-01-02/2026-01-02"
    (day,) = await candles(base_url, f"{V3}/{key}/days/1/{span}")
    for interval in ("minutes/1", "minutes/7", "minutes/30", "hours/2"):
        rows = await candles(base_url, f"{V3}/{key}/{interval}/{span}")
        oldest, newest = rows[-1], rows[0]
        assert (oldest[1], newest[4]) == (day[1], day[4])
        assert (max(row[2] for row in rows), min(row[3] for row in rows)) == (day[2], day[3])
        assert sum(row[5] for row in rows) == day[5]


async def test_weeks_and_months_add_up_their_days(base_url: str) -> None:
    days = await candles(base_url, f"{V3}/{RELIANCE}/days/1/2025-12-31/2025-12-01")
    (month,) = await candles(base_url, f"{V3}/{RELIANCE}/months/1/2025-12-31/2025-12-01")
    weeks = await candles(base_url, f"{V3}/{RELIANCE}/weeks/1/2025-12-31/2025-12-01")
    assert month[0] == "2025-12-01T00:00:00+05:30"
    assert month[5] == sum(row[5] for row in days) == sum(row[5] for row in weeks)
    assert (month[1], month[4]) == (days[-1][1], days[0][4])
    assert [(a - b) for a, b in pairwise(map(start_ms, weeks))] == [7 * 86_400_000] * 4


async def test_the_same_call_gives_the_same_candles(base_url: str) -> None:
    path = f"{V3}/{RELIANCE}/minutes/5/2026-01-02/2025-12-30"
    assert await candles(base_url, path) == await candles(base_url, path)


async def test_v2_has_the_same_candles(base_url: str) -> None:
    for v2, v3 in [("day", "days/1"), ("1minute", "minutes/1"), ("30minute", "minutes/30")]:
        span = "2026-01-02/2026-01-01"
        v2_rows = await candles(base_url, f"{V2}/{RELIANCE}/{v2}/{span}")
        assert v2_rows == await candles(base_url, f"{V3}/{RELIANCE}/{v3}/{span}")
    for interval in ("1minute", "30minute"):
        assert await candles(base_url, f"{V2}/intraday/{RELIANCE}/{interval}")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{V3}/NSE_EQ|NOBODY/days/1/{TODAY}", "UDAPI100011"),
        (f"{V3}/RELIANCE/days/1/{TODAY}", "UDAPI1021"),
        (f"{V2}/intraday/RELIANCE/1minute", "UDAPI1021"),
        (f"{V3}/{RELIANCE}/days/1/yesterday", "UDAPI1015"),
        (f"{V3}/{RELIANCE}/days/1/2025-01-01/2025-01-02", "UDAPI1015"),
        (f"{V2}/{RELIANCE}/day/2025-01-01/2025-01-02", "UDAPI1015"),
        (f"{V3}/{RELIANCE}/years/1/{TODAY}", "UDAPI1146"),
        (f"{V3}/{RELIANCE}/minutes/301/{TODAY}", "UDAPI1147"),
        (f"{V3}/{RELIANCE}/minutes/1/{TODAY}/2025-01-01", "UDAPI1148"),
        (f"{V3}/intraday/{RELIANCE}/weeks/1", "UDAPI1146"),
        (f"{V2}/{RELIANCE}/2minute/{TODAY}", "UDAPI1020"),
    ],
)
async def test_an_invalid_request_is_refused(
    http: aiohttp.ClientSession, path: str, code: str
) -> None:
    async with http.get(path) as response:
        assert response.status == 400
        assert (await response.json())["errors"][0]["errorCode"] == code


async def test_the_official_sdk_parses_the_candles_of_v3(sdk: Sdk) -> None:
    api = upstox_client.HistoryV3Api
    answer = await sdk(
        lambda c: api(c).get_historical_candle_data(
            RELIANCE, "hours", "1", "2026-01-02", _request_timeout=SDK_SECS
        )
    )
    assert answer.status == "success"
    assert answer.data.candles[0][0] == "2026-01-02T15:00:00+05:30"
    answer = await sdk(
        lambda c: api(c).get_historical_candle_data1(
            NIFTY, "days", 1, "2026-01-02", "2026-01-01", _request_timeout=SDK_SECS
        )
    )
    assert [row[5] for row in answer.data.candles] == [0, 0]
    answer = await sdk(
        lambda c: api(c).get_intra_day_candle_data(
            RELIANCE, "minutes", "1", _request_timeout=SDK_SECS
        )
    )
    assert len(answer.data.candles[0]) == 7


async def test_the_official_sdk_parses_the_candles_of_v2(sdk: Sdk) -> None:
    api = upstox_client.HistoryApi
    answer = await sdk(
        lambda c: api(c).get_historical_candle_data(
            RELIANCE, "week", "2026-01-02", "2.0", _request_timeout=SDK_SECS
        )
    )
    assert len(answer.data.candles) > 500
    answer = await sdk(
        lambda c: api(c).get_historical_candle_data1(
            RELIANCE, "day", "2026-01-02", "2026-01-01", "2.0", _request_timeout=SDK_SECS
        )
    )
    assert len(answer.data.candles) == 2
    answer = await sdk(
        lambda c: api(c).get_intra_day_candle_data(
            RELIANCE, "30minute", "2.0", _request_timeout=SDK_SECS
        )
    )
    assert len(answer.data.candles) == 1
