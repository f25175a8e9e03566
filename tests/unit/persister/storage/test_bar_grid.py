"""Bars of each interval are aligned to the session of their exchange and day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.persister.storage.bar_grid import BarGrid
from shared.contracts.history import Interval
from shared.market.calendar_data import BUILT_IN, CalendarData
from shared.market.exchange_time import DAY_MS, MINUTE_MS, WINDOW_MS, day_start, midnight_ms
from tests.support.builders import KEY, MONDAY_10_00

MIDNIGHT = day_start(MONDAY_10_00)
HOUR_MS = 60 * MINUTE_MS
MUHURAT = midnight_ms(date(2026, 11, 8))
"""A Sunday with a session from 18:00 to 19:00."""
FRIDAY = MUHURAT - 2 * DAY_MS


def grid(
    key: str = KEY, interval: Interval = Interval.HOUR, calendar: CalendarData = BUILT_IN
) -> BarGrid:
    return BarGrid.of(calendar, key, interval, FRIDAY, MUHURAT + 3 * DAY_MS)


def ist(day_ms: int, text: str) -> int:
    hours, _, minutes = text.partition(":")
    return day_ms + int(hours) * HOUR_MS + int(minutes) * MINUTE_MS


@pytest.mark.parametrize(
    ("key", "interval", "opens"),
    [
        ("NSE_EQ|INE002A01018", Interval.FIFTEEN_MINUTES, 9 * 60 + 15),
        ("NSE_FO|1", Interval.HOUR, 9 * 60 + 15),
        ("BSE_INDEX|SENSEX", Interval.HOUR, 9 * 60 + 15),
        ("MCX_FO|1", Interval.HOUR, 9 * 60),
        ("NCD_FO|1", Interval.HOUR, 9 * 60),
        ("NSE_EQ|INE002A01018", Interval.DAY, 0),
        ("MCX_FO|1", Interval.DAY, 0),
        ("no key", Interval.HOUR, 9 * 60),
    ],
)
def test_a_bar_starts_with_the_session_and_a_day_at_midnight(
    key: str, interval: Interval, opens: int
) -> None:
    bars = BarGrid.of(BUILT_IN, key, interval, MIDNIGHT, MIDNIGHT + DAY_MS)
    start_ms = MIDNIGHT + opens * MINUTE_MS
    assert bars.start_of(start_ms) == bars.aligned_up(start_ms) == start_ms
    assert bars.start_of(start_ms + interval.length_ms - 1) == start_ms
    assert bars.start_of(start_ms - 1) == start_ms - interval.length_ms


@pytest.mark.parametrize(
    ("at_ms", "start_ms"), [(0, 15), (15, 15), (16, 75), (74, 75), (75, 75), (76, 135)]
)
def test_a_range_begins_and_ends_with_the_next_start_of_a_bar(at_ms: int, start_ms: int) -> None:
    assert BarGrid(60, 15).aligned_up(at_ms) == start_ms


@pytest.mark.parametrize(
    ("day_ms", "at", "start"),
    [
        (FRIDAY, "10:00", "9:15"), (MUHURAT, "17:50", "17:00"), (MUHURAT, "18:00", "18:00"),
        (MUHURAT, "18:59", "18:00"), (MUHURAT + DAY_MS, "10:00", "9:15"),
        (MUHURAT, "0:05", "0:00"), (MUHURAT + DAY_MS, "0:05", "0:00"),
    ],
)  # fmt: skip
def test_hours_of_muhurat_start_with_its_session_and_those_of_other_days_as_usual(
    day_ms: int, at: str, start: str
) -> None:
    assert grid().start_of(ist(day_ms, at)) == ist(day_ms, start)


def test_quarters_of_an_hour_and_commodities_start_as_usual_if_the_session_is_on_their_grid() -> (
    None
):
    assert "$switch" not in grid(interval=Interval.FIFTEEN_MINUTES).start_expression()
    assert "$switch" not in grid("MCX_FO|1").start_expression()
    assert "$switch" not in grid(interval=Interval.DAY).start_expression()
    assert "$switch" in grid().start_expression()


def test_days_before_and_after_the_range_that_cannot_matter_are_left_out() -> None:
    usual = BarGrid.of(BUILT_IN, KEY, Interval.HOUR, MUHURAT + 3 * DAY_MS, MUHURAT + 90 * DAY_MS)
    assert "$switch" not in usual.start_expression()


def test_hours_that_were_reported_for_a_day_have_precedence() -> None:
    reported = CalendarData(timings={date(2026, 11, 8): {"NSE": (17 * 60 + 40, 19 * 60)}})
    assert grid(calendar=BUILT_IN.updated(reported)).start_of(ist(MUHURAT, "18:00")) == ist(
        MUHURAT, "17:40"
    )


DAYS = st.dictionaries(st.integers(0, 4), st.integers(0, 22 * 12), max_size=4)


@given(DAYS, st.sampled_from([Interval.FIFTEEN_MINUTES, Interval.HOUR]), st.integers(0, 5 * 288))
def test_every_window_is_in_one_bar_and_bars_follow_each_other(
    opens: dict[int, int], interval: Interval, window: int
) -> None:
    timings = {
        date(2026, 11, 6) + timedelta(days=day): {"NSE": (opened * 5, 24 * 60)}
        for day, opened in opens.items()
    }
    bars = grid(interval=interval, calendar=CalendarData(timings=timings))
    at_ms = FRIDAY - HOUR_MS + window * WINDOW_MS
    start_ms = bars.start_of(at_ms)
    next_ms = bars.aligned_up(start_ms + 1)
    assert bars.start_of(start_ms) == bars.aligned_up(start_ms) == start_ms
    assert start_ms <= at_ms < next_ms <= start_ms + interval.length_ms
    assert bars.start_of(next_ms) == next_ms
    assert bars.start_of(next_ms - WINDOW_MS) == start_ms
