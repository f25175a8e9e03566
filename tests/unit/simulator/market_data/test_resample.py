"""Candles are resampled to longer intervals, aligned to the session."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import Candle
from services.simulator.market_data.resample import intraday, monthly, resample, weekly
from shared.market.exchange_time import DAY_MS, MINUTE_MS

MIDNIGHT = 1_767_551_400_000  # Monday 2026-01-05 00:00 IST
OPEN = MIDNIGHT + (9 * 60 + 15) * MINUTE_MS
EXCHANGE_HOURS = SimulatedCalendar(always_open=False)


def minute(number: int, price: int = 100, volume: int = 1, oi: int = 0) -> Candle:
    return Candle(OPEN + number * MINUTE_MS, price, price + 2, price - 2, price + 1, volume, oi)


def test_a_resampled_candle_has_first_open_extremes_last_close_and_total_volume() -> None:
    rows = [minute(0, 100, 5), minute(3, 110, 7), minute(14, 90, 1, oi=9)]
    assert resample(rows, intraday(EXCHANGE_HOURS, "NSE_EQ", 15)) == [
        Candle(OPEN, 100, 112, 88, 91, 13, 9)
    ]


def test_the_input_is_not_modified() -> None:
    rows = [minute(0), minute(1)]
    resample(rows, intraday(EXCHANGE_HOURS, "NSE_EQ", 5))
    assert rows == [minute(0), minute(1)]


def test_intervals_are_aligned_to_the_open() -> None:
    start_of = intraday(EXCHANGE_HOURS, "NSE_EQ", 60)
    assert start_of(OPEN + 59 * MINUTE_MS) == OPEN
    assert start_of(OPEN + 60 * MINUTE_MS) == OPEN + 60 * MINUTE_MS


def test_intervals_of_an_always_open_market_are_aligned_to_midnight() -> None:
    start_of = intraday(SimulatedCalendar(), "NSE_EQ", 60)
    assert start_of(OPEN) == MIDNIGHT + 9 * 60 * MINUTE_MS


def test_an_interval_does_not_extend_into_the_next_day() -> None:
    start_of = intraday(SimulatedCalendar(), "NSE_EQ", 300)
    assert start_of(MIDNIGHT + DAY_MS) == MIDNIGHT + DAY_MS
    assert start_of(MIDNIGHT + DAY_MS - 1) == MIDNIGHT + 20 * 60 * MINUTE_MS


def test_weeks_start_on_monday_and_months_on_the_first() -> None:
    assert weekly(MIDNIGHT + 6 * DAY_MS) == MIDNIGHT
    assert weekly(MIDNIGHT + 7 * DAY_MS) == MIDNIGHT + 7 * DAY_MS
    assert monthly(MIDNIGHT) == MIDNIGHT - 4 * DAY_MS


@given(
    st.lists(
        st.tuples(st.integers(1, 400), st.integers(100, 900), st.integers(1, 50)), max_size=60
    ),
    st.integers(1, 300),
)
def test_volume_and_extremes_are_preserved(rows: list[tuple[int, int, int]], minutes: int) -> None:
    distinct_rows = sorted({row[0]: row for row in rows}.values())
    candles = [minute(*row) for row in distinct_rows]
    resampled = resample(candles, intraday(EXCHANGE_HOURS, "NSE_EQ", minutes))
    assert sum(c.volume for c in resampled) == sum(c.volume for c in candles)
    assert max((c.high for c in resampled), default=0) == max((c.high for c in candles), default=0)
    assert [c.close for c in resampled[-1:]] == [c.close for c in candles[-1:]]
    assert all(b.start_ms - a.start_ms >= minutes * MINUTE_MS for a, b in pairwise(resampled))
