"""Times of a trading day and the end of DAY orders."""

import pytest

from services.trading.paper.trading_day import order_end_ms, trading_day
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start
from tests.support.builders import MONDAY_10_00

CALENDAR = Calendar()
MIDNIGHT = day_start(MONDAY_10_00)
FRIDAY_10_00 = MONDAY_10_00 + 4 * DAY_MS


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@pytest.mark.parametrize(
    ("segment", "has_derivatives", "times"),
    [
        ("NSE_EQ", False, ["09:15", "15:30", "15:30"]),
        ("NSE_EQ", True, ["09:15", "15:15", "15:35"]),
        ("BSE_EQ", True, ["09:15", "15:15", "15:35"]),
        ("NSE_FO", False, ["09:15", "15:40", "15:40"]),
        ("MCX_FO", False, ["09:00", "23:55", "23:55"]),
    ],
)
def test_continuous_trading_and_day_orders_end_by_segment(
    segment: str, has_derivatives: bool, times: list[str]
) -> None:
    day = trading_day(CALENDAR, segment, MONDAY_10_00, has_derivatives=has_derivatives)
    assert day is not None
    found = (day.start_ms, day.continuous_end_ms, day.end_ms)
    assert [clock((at_ms - MIDNIGHT) // MINUTE_MS) for at_ms in found] == times


def test_before_the_closing_auction_was_introduced_shares_traded_until_the_end() -> None:
    before = MONDAY_10_00 - 150 * DAY_MS
    while (day := trading_day(CALENDAR, "NSE_EQ", before, has_derivatives=True)) is None:
        before -= DAY_MS
    assert day.continuous_end_ms == day.end_ms


def test_there_is_no_trading_day_on_a_sunday() -> None:
    sunday = MONDAY_10_00 - DAY_MS
    assert trading_day(CALENDAR, "NSE_EQ", sunday, has_derivatives=False) is None


@pytest.mark.parametrize(
    ("arrival_ms", "is_waiting", "end_ms"),
    [
        (MONDAY_10_00, False, MIDNIGHT + 935 * MINUTE_MS),
        (MONDAY_10_00, True, MIDNIGHT + 915 * MINUTE_MS),
        (MIDNIGHT + 935 * MINUTE_MS + 200, False, MIDNIGHT + 935 * MINUTE_MS),
        (MIDNIGHT + 960 * MINUTE_MS, False, MIDNIGHT + 2 * DAY_MS + 935 * MINUTE_MS),
        (FRIDAY_10_00 + 8 * 60 * MINUTE_MS, False, MIDNIGHT + 7 * DAY_MS + 935 * MINUTE_MS),
    ],
    ids=["in the session", "an untriggered stop", "just after it", "before a holiday", "on Friday"],
)
def test_a_day_order_ends_with_the_first_session_that_has_not_ended_at_its_arrival(
    arrival_ms: int, is_waiting: bool, end_ms: int
) -> None:
    found = order_end_ms(
        CALENDAR, "NSE_EQ", arrival_ms, has_derivatives=True, is_waiting=is_waiting
    )
    assert found == end_ms
