"""The feed's market status takes precedence over the calendar."""

from datetime import datetime

import pytest

from services.ingest.market.market_hours import MarketHours, segment_of
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import IST

STOCK, METAL = "NSE_EQ|INE002A01018", "MCX_FO|1"


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1_000)


TRADING = at("2026-11-23T11:00")  # a Monday
NIGHT = at("2026-11-23T04:00")
EVENING = at("2026-11-23T20:00")
HOLIDAY = at("2026-12-25T11:00")
HOLIDAY_EVENING = at("2026-11-24T20:00")  # Guru Nanak Jayanti: MCX trades in the evening


@pytest.fixture
def hours() -> MarketHours:
    return MarketHours(Calendar())


def test_a_segment_is_the_first_part_of_a_key() -> None:
    assert segment_of(STOCK) == "NSE_EQ"


@pytest.mark.parametrize(
    ("moment", "stock_trades", "metal_trades"),
    [
        (TRADING, True, True),
        (NIGHT, False, False),
        (EVENING, False, True),
        (HOLIDAY, False, False),
        (HOLIDAY_EVENING, False, True),
    ],
)
def test_without_a_status_the_calendar_decides(
    hours: MarketHours, moment: int, stock_trades: bool, metal_trades: bool
) -> None:
    assert hours.any_open([STOCK], moment) is stock_trades
    assert hours.any_open([STOCK, METAL], moment) is metal_trades
    assert hours.all_closed([STOCK], moment) is not stock_trades


def test_a_status_of_the_feed_overrides_the_calendar(hours: MarketHours) -> None:
    hours.update({"NSE_EQ": "NORMAL_CLOSE"})
    assert not hours.any_open([STOCK], TRADING)
    assert hours.all_closed([STOCK], TRADING)
    hours.update({"NSE_EQ": "NORMAL_OPEN"})
    assert hours.any_open([STOCK], NIGHT)


def test_a_status_concerns_its_own_segment_only(hours: MarketHours) -> None:
    hours.update({"NSE_EQ": "NORMAL_CLOSE"})
    assert hours.is_open("MCX_FO", TRADING)
    assert not hours.all_closed([STOCK, METAL], TRADING)


@pytest.mark.parametrize("status", ["PRE_OPEN_START", "PRE_OPEN_END"])
def test_in_the_pre_open_a_segment_is_neither_open_nor_closed(
    hours: MarketHours, status: str
) -> None:
    hours.update({"NSE_EQ": status})
    assert not hours.any_open([STOCK], TRADING)
    assert not hours.all_closed([STOCK], TRADING)
