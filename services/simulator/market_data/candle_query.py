"""Validation of candle requests: interval and range of days."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from services.simulator.errors import ApiError, ErrorCode


class CandleUnit(StrEnum):
    """The units in the paths of v3."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class CandleInterval:
    """The length of a candle."""

    unit: CandleUnit
    count: int

    @property
    def minutes(self) -> int | None:
        """The length in minutes; None if it is a day or more."""
        match self.unit:
            case CandleUnit.MINUTES:
                return self.count
            case CandleUnit.HOURS:
                return self.count * 60
        return None


_MAX_COUNT: Final = {
    CandleUnit.MINUTES: 300,
    CandleUnit.HOURS: 5,
    CandleUnit.DAYS: 1,
    CandleUnit.WEEKS: 1,
    CandleUnit.MONTHS: 1,
}
_FIRST_DAY: Final = date(2000, 1, 1)
_FIRST_DAY_OF_MINUTES: Final = date(2022, 1, 1)
_MAX_SHORT_MINUTES: Final = 15
_V2_INTERVALS: Final = {
    "1minute": (CandleInterval(CandleUnit.MINUTES, 1), 1),
    "30minute": (CandleInterval(CandleUnit.MINUTES, 30), 12),
    "day": (CandleInterval(CandleUnit.DAYS, 1), 12),
    "week": (CandleInterval(CandleUnit.WEEKS, 1), 120),
    "month": (CandleInterval(CandleUnit.MONTHS, 1), 120),
}
"""Interval and maximum range in months, by the names in the paths of v2."""
_V2_INTRADAY: Final = frozenset({"1minute", "30minute"})


def interval_of(unit_text: str, count_text: str, *, intraday: bool = False) -> CandleInterval:
    """The interval of a v3 path. Raises ApiError (UDAPI1146 for the unit, UDAPI1147)."""
    allowed = tuple(CandleUnit)
    if intraday:
        allowed = (CandleUnit.MINUTES, CandleUnit.HOURS, CandleUnit.DAYS)
    if unit_text not in allowed:
        raise ApiError(
            ErrorCode.INVALID_CANDLE_UNIT,
            f"Unit accepts one of ({','.join(allowed)})",
            path="unit",
            value=unit_text,
        )
    unit = CandleUnit(unit_text)
    is_number = count_text.isascii() and count_text.isdigit() and len(count_text) <= 3
    if not (is_number and 1 <= int(count_text) <= _MAX_COUNT[unit]):
        raise ApiError(
            ErrorCode.INVALID_CANDLE_INTERVAL,
            f"Interval of {unit} is a number from 1 to {_MAX_COUNT[unit]}",
            path="interval",
            value=count_text,
        )
    return CandleInterval(unit, int(count_text))


def range_of(interval: CandleInterval, to_text: str, from_text: str | None) -> tuple[date, date]:
    """First and last day of a v3 request, both included.

    If `from_text` is None, the range has the maximum length. Raises ApiError: UDAPI1015 if the
    range is empty or a date is malformed, UDAPI1148 if the range is too long.
    """
    first_day = _FIRST_DAY if interval.minutes is None else _FIRST_DAY_OF_MINUTES
    last = _range_day(to_text, "to_date")
    max_months = _max_months(interval)
    earliest = first_day if max_months is None else max(first_day, _months_before(last, max_months))
    if from_text is None:
        return min(earliest, last), last
    first = _range_day(from_text, "from_date")
    if first > last:
        raise _empty_range(from_text)
    if first < earliest:
        raise ApiError(
            ErrorCode.INVALID_CANDLE_RANGE, "Invalid date range", path="from_date", value=from_text
        )
    return first, last


def v2_interval(text: str, *, intraday: bool = False) -> CandleInterval:
    """The interval of a v2 path. Raises ApiError (UDAPI1020)."""
    allowed = _V2_INTRADAY if intraday else _V2_INTERVALS.keys()
    if text not in allowed:
        raise ApiError(
            ErrorCode.INVALID_V2_CANDLE_INTERVAL,
            f"Interval accepts one of ({','.join(sorted(allowed))})",
            path="interval",
            value=text,
        )
    return _V2_INTERVALS[text][0]


def v2_range(interval_text: str, to_text: str, from_text: str | None) -> tuple[date, date]:
    """First and last day of a v2 request; a range that is too long begins later.

    Raises ApiError (UDAPI1015) if the range is empty or a date is malformed.
    """
    last = _range_day(to_text, "to_date")
    earliest = max(_FIRST_DAY, _months_before(last, _V2_INTERVALS[interval_text][1]))
    first = earliest if from_text is None else _range_day(from_text, "from_date")
    if first > last:
        raise _empty_range(from_text)
    return max(first, earliest), last


def parse_day(text: str, field: str, code: ErrorCode = ErrorCode.INVALID_DATE) -> date:
    """A date in the form YYYY-MM-DD. Raises ApiError with `code`."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # Python also reads other forms of ISO 8601; Upstox accepts only this one.
    if day is None or day.isoformat() != text:
        message = f"{field} is a date as YYYY-MM-DD"
        raise ApiError(code, message, path=field, value=text)
    return day


def _range_day(text: str, field: str) -> date:
    return parse_day(text, field, ErrorCode.INVALID_DATE_RANGE)


def _empty_range(from_text: str | None) -> ApiError:
    return ApiError(
        ErrorCode.INVALID_DATE_RANGE,
        "to_date must be greater than or equal to from_date",
        path="from_date",
        value=from_text,
    )


def _max_months(interval: CandleInterval) -> int | None:
    """The maximum range in months; None means unlimited."""
    match interval.unit:
        case CandleUnit.MINUTES if interval.count <= _MAX_SHORT_MINUTES:
            return 1
        case CandleUnit.MINUTES | CandleUnit.HOURS:
            return 3
        case CandleUnit.DAYS:
            return 120
    return None


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    year = max(year, 1)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
