"""Candle requests are validated."""

from datetime import date

import pytest

from services.simulator.errors import ApiError
from services.simulator.market_data.candle_query import (
    CandleInterval,
    CandleUnit,
    interval_of,
    parse_day,
    range_of,
    v2_interval,
    v2_range,
)

MINUTE = CandleInterval(CandleUnit.MINUTES, 1)
HALF_HOUR = CandleInterval(CandleUnit.MINUTES, 30)
HOUR = CandleInterval(CandleUnit.HOURS, 1)
DAY = CandleInterval(CandleUnit.DAYS, 1)
WEEK = CandleInterval(CandleUnit.WEEKS, 1)


def code_of(error: pytest.ExceptionInfo[ApiError]) -> str:
    return error.value.code


@pytest.mark.parametrize(
    ("unit", "count", "minutes"),
    [("minutes", "1", 1), ("minutes", "300", 300), ("hours", "5", 300), ("days", "1", None)],
)
def test_an_interval_is_parsed_from_the_path(unit: str, count: str, minutes: int | None) -> None:
    interval = interval_of(unit, count)
    assert (interval.unit, interval.count, interval.minutes) == (unit, int(count), minutes)


@pytest.mark.parametrize("intraday", [False, True])
def test_an_unknown_unit_is_refused(intraday: bool) -> None:
    with pytest.raises(ApiError) as error:
        interval_of("years", "1", intraday=intraday)
    assert code_of(error) == "UDAPI1146"


def test_intraday_candles_have_no_weeks() -> None:
    with pytest.raises(ApiError) as error:
        interval_of("weeks", "1", intraday=True)
    assert code_of(error) == "UDAPI1146"


@pytest.mark.parametrize(
    ("unit", "count"),
    [
        *(("minutes", count) for count in ("0", "301", "-1", "x", "")),
        *(("hours", "6"), ("days", "2"), ("weeks", "2"), ("months", "2")),
    ],
)
def test_an_interval_out_of_range_is_refused(unit: str, count: str) -> None:
    with pytest.raises(ApiError) as error:
        interval_of(unit, count)
    assert code_of(error) == "UDAPI1147"


@pytest.mark.parametrize(
    ("interval", "earliest"),
    [
        (MINUTE, "2026-02-28"),
        (HALF_HOUR, "2025-12-31"),
        (HOUR, "2025-12-31"),
        (DAY, "2016-03-31"),
        (WEEK, "2000-01-01"),
    ],
)
def test_the_length_of_the_range_is_limited(interval: CandleInterval, earliest: str) -> None:
    first = date.fromisoformat(earliest)
    last = date(2026, 3, 31)
    assert range_of(interval, "2026-03-31", earliest) == (first, last)
    assert range_of(interval, "2026-03-31", None) == (first, last)
    before = date.fromordinal(first.toordinal() - 1)
    with pytest.raises(ApiError) as error:
        range_of(interval, "2026-03-31", before.isoformat())
    assert code_of(error) == "UDAPI1148"


def test_minutes_begin_in_2022() -> None:
    assert range_of(MINUTE, "2022-01-10", None)[0] == date(2022, 1, 1)
    with pytest.raises(ApiError) as error:
        range_of(MINUTE, "2022-01-10", "2021-12-31")
    assert code_of(error) == "UDAPI1148"


def test_a_range_that_ends_before_its_start_is_refused() -> None:
    with pytest.raises(ApiError) as error:
        range_of(DAY, "2026-01-01", "2026-01-02")
    assert code_of(error) == "UDAPI1015"


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "01-01-2026", ""])
def test_an_invalid_day_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as error:
        range_of(DAY, text, None)
    assert code_of(error) == "UDAPI1015"


def test_v2_has_its_own_interval_names() -> None:
    assert v2_interval("30minute") == HALF_HOUR
    assert v2_interval("week") == WEEK
    for text, intraday in [("5minute", False), ("day", True)]:
        with pytest.raises(ApiError):
            v2_interval(text, intraday=intraday)


def test_v2_shortens_a_range_that_is_too_long() -> None:
    last = date(2026, 3, 31)
    assert v2_range("1minute", "2026-03-31", "2020-01-01") == (date(2026, 2, 28), last)
    assert v2_range("day", "2026-03-31", None) == (date(2025, 3, 31), last)
    with pytest.raises(ApiError):
        v2_range("day", "2026-03-31", "2026-04-01")


@pytest.mark.parametrize("text", ["20261124", "2026-W01-1", "24-11-2026", "", "tomorrow"])
def test_other_date_formats_are_refused(text: str) -> None:
    with pytest.raises(ApiError) as error:
        parse_day(text, "date")
    assert code_of(error) == "UDAPI1088"


def test_a_day_is_parsed() -> None:
    assert parse_day("2026-11-24", "to_date") == date(2026, 11, 24)
