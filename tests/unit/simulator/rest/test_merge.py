"""Longer candles are made of shorter ones, aligned to the session."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import Candle
from services.simulator.rest.merge import merge, month, week, within_day
from shared.market.exchange_time import DAY_MS, MINUTE_MS

MIDNIGHT = 1_767_551_400_000  # Monday 2026-01-05 00:00 IST
OPEN = MIDNIGHT + (9 * 60 + 15) * MINUTE_MS
SHUTTING = SimulatedCalendar()


def minute(number: int, price: int = 100, volume: int = 1, oi: int = 0) -> Candle:
    return Candle(OPEN + number * MINUTE_MS, price, price + 2, price - 2, price + 1, volume, oi)


def test_merged_candle_has_first_open_extremes_last_close_and_all_volume() -> None:
    rows = [minute(0, 100, 5), minute(3, 110, 7), minute(14, 90, 1, oi=9)]
    assert merge(rows, within_day(SHUTTING, "NSE_EQ", 15)) == [
        Candle(OPEN, 100, 112, 88, 91, 13, 9)
    ]


def test_shorter_candles_stay_as_they_were() -> None:
    rows = [minute(0), minute(1)]
    merge(rows, within_day(SHUTTING, "NSE_EQ", 5))
    assert rows == [minute(0), minute(1)]


def test_spans_count_from_the_open() -> None:
    start_of = within_day(SHUTTING, "NSE_EQ", 60)
    assert start_of(OPEN + 59 * MINUTE_MS) == OPEN
    assert start_of(OPEN + 60 * MINUTE_MS) == OPEN + 60 * MINUTE_MS


def test_spans_of_an_always_open_market_count_from_midnight() -> None:
    start_of = within_day(SimulatedCalendar(), "NSE_EQ", 60)
    assert start_of(OPEN) == MIDNIGHT + 9 * 60 * MINUTE_MS


def test_span_does_not_reach_into_the_next_day() -> None:
    start_of = within_day(SimulatedCalendar(), "NSE_EQ", 300)
    assert start_of(MIDNIGHT + DAY_MS) == MIDNIGHT + DAY_MS
    assert start_of(MIDNIGHT + DAY_MS - 1) == MIDNIGHT + 20 * 60 * MINUTE_MS


def test_weeks_start_on_monday_and_months_on_the_first() -> None:
    assert week(MIDNIGHT + 6 * DAY_MS) == MIDNIGHT
    assert week(MIDNIGHT + 7 * DAY_MS) == MIDNIGHT + 7 * DAY_MS
    assert month(MIDNIGHT) == MIDNIGHT - 4 * DAY_MS


@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.integers(100, 900), st.integers(1, 50)), max_size=60
    ),
    st.integers(1, 300),
)
def test_nothing_is_lost_or_made_up(rows: list[tuple[int, int, int]], minutes: int) -> None:
    places = sorted({row[0]: row for row in rows}.values())
    candles = [minute(*row) for row in places]
    merged = merge(candles, within_day(SHUTTING, "NSE_EQ", minutes))
    assert sum(c.volume for c in merged) == sum(c.volume for c in candles)
    assert max((c.high for c in merged), default=0) == max((c.high for c in candles), default=0)
    assert [c.close for c in merged[-1:]] == [c.close for c in candles[-1:]]
    assert all(b.start_ms - a.start_ms >= minutes * MINUTE_MS for a, b in pairwise(merged))
