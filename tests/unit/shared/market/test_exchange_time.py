"""Times are assigned to the right windows and days of the exchange."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.market.exchange_time import (
    DAY_MS,
    IST,
    WINDOW_MS,
    day_start,
    ist_date,
    midnight_ms,
    to_datetime,
    trading_day,
    window_start,
)

times = st.integers(min_value=0, max_value=4_102_444_800_000)  # 1970 to 2100


def ist_ms(year: int, month: int, day: int, hour: int, minute: int, second: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, second, tzinfo=IST).timestamp()) * 1_000


def test_a_window_is_five_minutes_of_exchange_time() -> None:
    open_ms = ist_ms(2026, 11, 23, 9, 15)
    assert window_start(open_ms) == open_ms
    assert window_start(open_ms + 5 * 60_000 - 1) == open_ms
    assert window_start(open_ms + 5 * 60_000) == open_ms + 5 * 60_000
    assert window_start(open_ms - 1) == ist_ms(2026, 11, 23, 9, 10)


@given(times)
def test_every_time_is_in_its_window_and_no_window_crosses_a_day(at_ms: int) -> None:
    start = window_start(at_ms)
    assert start <= at_ms < start + WINDOW_MS
    assert trading_day(start) == trading_day(at_ms) == trading_day(start + WINDOW_MS - 1)


@given(times)
def test_the_day_is_the_calendar_day_in_india(at_ms: int) -> None:
    at = datetime.fromtimestamp(at_ms / 1_000, UTC) + timedelta(hours=5, minutes=30)
    assert ist_date(at_ms) == at.date()
    assert trading_day(at_ms) == (at.date() - date(1970, 1, 1)).days
    assert day_start(at_ms) <= at_ms < day_start(at_ms) + DAY_MS


def test_the_day_changes_at_midnight_in_india() -> None:
    midnight = ist_ms(2026, 11, 23, 0, 0)
    assert ist_date(midnight - 1) == date(2026, 11, 22)
    assert ist_date(midnight) == date(2026, 11, 23)
    assert trading_day(midnight) == trading_day(midnight - 1) + 1
    assert day_start(ist_ms(2026, 11, 23, 15, 29, 59)) == midnight


def test_midnight_is_that_of_india() -> None:
    assert midnight_ms(date(1970, 1, 2)) == DAY_MS - 19_800_000
    assert ist_date(midnight_ms(date(2026, 12, 29))) == date(2026, 12, 29)


@given(times)
def test_a_datetime_keeps_the_millisecond(at_ms: int) -> None:
    converted = to_datetime(at_ms)
    assert converted.utcoffset() == timedelta(0)
    assert (converted - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == at_ms
