"""Reported days replace those of the built-in table, and what is unknown is not certain."""

from datetime import date

import pytest

from shared.market.calendar_data import BUILT_IN, CalendarData
from shared.market.exchange_holidays import HolidayKind, SpecialDay

MONDAY = date(2027, 2, 1)
HOLIDAY = SpecialDay(MONDAY, "Test", HolidayKind.TRADING, {"MCX": (1_020, 1_435)})
REPORTED = CalendarData(special_days={MONDAY: HOLIDAY}, years=frozenset({2027}))


def test_a_weekday_of_an_unknown_year_counts_as_a_trading_day_and_is_not_certain() -> None:
    assert BUILT_IN.hours("NSE", MONDAY) == (555, 930)
    assert not BUILT_IN.is_known(MONDAY)
    assert BUILT_IN.is_known(date(2026, 12, 31))


def test_a_reported_year_is_known() -> None:
    data = BUILT_IN.updated(REPORTED)
    assert data.is_known(MONDAY)
    assert data.hours("NSE", MONDAY) is None
    assert data.hours("MCX", MONDAY) == (1_020, 1_435)
    assert data.hours("NSE", date(2026, 12, 25)) is None, "the table's years are kept"


def test_a_reported_year_replaces_all_days_of_that_year() -> None:
    again = CalendarData(special_days={}, years=frozenset({2027}))
    assert BUILT_IN.updated(REPORTED).updated(again).hours("NSE", MONDAY) == (555, 930)


def test_timings_of_a_day_have_precedence_over_its_holiday() -> None:
    timings = CalendarData(timings={MONDAY: {"NSE": (600, 660), "MCX": (540, 1_435)}})
    data = BUILT_IN.updated(REPORTED).updated(timings)
    assert data.hours("NSE", MONDAY) == (600, 660)
    assert data.hours("MCX", MONDAY) == (540, 1_435)


def test_timings_close_a_group_of_exchanges_of_which_none_is_listed() -> None:
    data = CalendarData(timings={MONDAY: {"MCX": (1_020, 1_435)}})
    assert data.hours("NSE", MONDAY) is None
    assert data.hours("NFO", MONDAY) is None
    assert data.hours("NSCOM", MONDAY) == (540, 1_435), "its group is listed, itself is not"
    assert data.is_known(MONDAY)


@pytest.mark.parametrize(
    ("day", "until"),
    [(date(2026, 11, 28), date(2026, 12, 31)), (date(2027, 1, 1), date(2026, 12, 31))],
)
def test_the_table_is_known_until_the_end_of_its_last_year(day: date, until: date) -> None:
    assert BUILT_IN.known_until(day) == until


def test_timings_extend_the_time_that_is_known() -> None:
    data = BUILT_IN.updated(CalendarData(timings={date(2027, 1, 1): {}}))
    assert data.known_until(date(2026, 12, 1)) == date(2027, 1, 1)
    assert data.hours("NSE", date(2027, 1, 1)) is None
