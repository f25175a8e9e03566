"""Which candles a call asks for, and whether it may.

PURE, but for the refusals it raises.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from http import HTTPStatus
from typing import Final

from services.simulator.envelope import INVALID_INPUT, refuse

BAD_UNIT: Final = "UDAPI1146"
BAD_INTERVAL: Final = "UDAPI1147"
BAD_RANGE: Final = "UDAPI1148"


class Unit(StrEnum):
    """Of v3's paths."""

    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Interval:
    """The length of a candle."""

    unit: Unit
    count: int

    @property
    def minutes(self) -> int | None:
        """Its length, if it is a part of a day."""
        match self.unit:
            case Unit.MINUTES:
                return self.count
            case Unit.HOURS:
                return self.count * 60
        return None


_MOST: Final = {Unit.MINUTES: 300, Unit.HOURS: 5, Unit.DAYS: 1, Unit.WEEKS: 1, Unit.MONTHS: 1}
_FIRST_DAY: Final = date(2000, 1, 1)
_FIRST_MINUTES: Final = date(2022, 1, 1)
_SHORT_MINUTES: Final = 15
_V2_INTERVALS: Final = {
    "1minute": (Interval(Unit.MINUTES, 1), 1),
    "30minute": (Interval(Unit.MINUTES, 30), 12),
    "day": (Interval(Unit.DAYS, 1), 12),
    "week": (Interval(Unit.WEEKS, 1), 120),
    "month": (Interval(Unit.MONTHS, 1), 120),
}
_V2_INTRADAY: Final = frozenset({"1minute", "30minute"})


def interval_of(unit_text: str, count_text: str, *, intraday: bool = False) -> Interval:
    """The interval of a v3 path. Raises Refusal (UDAPI1146, UDAPI1147)."""
    allowed = (Unit.MINUTES, Unit.HOURS, Unit.DAYS) if intraday else tuple(Unit)
    if unit_text not in allowed:
        raise _refuse(BAD_UNIT, f"Unit accepts one of ({','.join(allowed)})", "unit", unit_text)
    unit = Unit(unit_text)
    is_number = count_text.isascii() and count_text.isdigit() and len(count_text) <= 3
    if not (is_number and 1 <= int(count_text) <= _MOST[unit]):
        message = f"Interval of {unit} is a number from 1 to {_MOST[unit]}"
        raise _refuse(BAD_INTERVAL, message, "interval", count_text)
    return Interval(unit, int(count_text))


def range_of(interval: Interval, to_text: str, from_text: str | None) -> tuple[date, date]:
    """First and last day of a v3 call, both included. Raises Refusal (UDAPI1148).

    Without a first day it is the earliest that may be asked for.
    """
    first_day = _FIRST_DAY if interval.minutes is None else _FIRST_MINUTES
    last = day_of(to_text, "to_date")
    months = _most_months(interval)
    earliest = first_day if months is None else max(first_day, _months_before(last, months))
    first = min(earliest, last) if from_text is None else day_of(from_text, "from_date")
    if first > last:
        raise _refuse(BAD_RANGE, "to_date is before from_date", "from_date", from_text)
    if first < earliest:
        raise _refuse(BAD_RANGE, "Invalid date range", "from_date", from_text)
    return first, last


def v2_interval(text: str, *, intraday: bool = False) -> Interval:
    """The interval of a v2 path. Raises Refusal."""
    allowed = _V2_INTRADAY if intraday else _V2_INTERVALS.keys()
    if text not in allowed:
        raise _refuse(
            "UDAPI1020", f"Interval accepts one of ({','.join(sorted(allowed))})", "interval", text
        )
    return _V2_INTERVALS[text][0]


def v2_range(interval_text: str, to_text: str, from_text: str | None) -> tuple[date, date]:
    """First and last day of a v2 call; too long a range loses its beginning."""
    last = day_of(to_text, "to_date")
    earliest = max(_FIRST_DAY, _months_before(last, _V2_INTERVALS[interval_text][1]))
    first = earliest if from_text is None else day_of(from_text, "from_date")
    if first > last:
        raise _refuse("UDAPI1015", "to_date is before from_date", "from_date", from_text)
    return max(first, earliest), last


def day_of(text: str, field: str) -> date:
    """A day as YYYY-MM-DD. Raises Refusal."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    # Python reads other forms of ISO 8601 as well; Upstox asks for this one.
    if day is None or day.isoformat() != text:
        raise _refuse(INVALID_INPUT, f"{field} is a date as YYYY-MM-DD", field, text)
    return day


def _most_months(interval: Interval) -> int | None:
    match interval.unit:
        case Unit.MINUTES if interval.count <= _SHORT_MINUTES:
            return 1
        case Unit.MINUTES | Unit.HOURS:
            return 3
        case Unit.DAYS:
            return 120
    return None


def _months_before(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    year = max(year, 1)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _refuse(code: str, message: str, path: str, value: object) -> Exception:
    return refuse(HTTPStatus.BAD_REQUEST, code, message, path=path, value=value)
