"""The `expiry` of an instrument search: a date, or one of Upstox's keywords.

Upstox documents the keywords by name only. Here the weekly ones count the expiries of an
underlying, and the monthly ones the last expiry of each month; futures and options are counted
separately.
"""

from collections.abc import Callable, Iterable
from typing import Final

from services.simulator.market_data.candle_query import parse_day
from services.simulator.market_data.instrument_master import MasterRow
from shared.market.exchange_time import ist_date

CURRENT_WEEK: Final = "current_week"
_WEEKS: Final = {
    **dict.fromkeys((CURRENT_WEEK, "this_week", "near_week", "weekly"), 0),
    "next_week": 1,
    "far_week": 2,
}
_MONTHS: Final = {
    **dict.fromkeys(("current_month", "this_month", "near_month", "monthly"), 0),
    "next_month": 1,
    "far_month": 2,
}

RowFilter = Callable[[MasterRow], bool]


def check_expiry(text: str) -> None:
    """Raise ApiError unless it is a keyword or a date as YYYY-MM-DD."""
    if text not in _WEEKS and text not in _MONTHS:
        parse_day(text, "expiry")


def expiry_filter(text: str, rows: Iterable[MasterRow], today: str) -> RowFilter:
    """Return a filter for rows with the expiry `text`, which is a date or a keyword.

    A keyword selects among the expiries in `rows` that are not before `today`. Rows without an
    expiry never match.
    """
    if text not in _WEEKS and text not in _MONTHS:
        return lambda row: expiry_day(row) == text
    days: dict[tuple[str, bool], set[str]] = {}
    for row in rows:
        if "expiry" in row and expiry_day(row) >= today:
            days.setdefault(_series(row), set()).add(expiry_day(row))
    selected = {series: _nth(text, sorted(of_series)) for series, of_series in days.items()}
    return lambda row: "expiry" in row and selected.get(_series(row)) == expiry_day(row)


def expiry_day(row: MasterRow) -> str:
    """The day of the expiry as YYYY-MM-DD; empty for a row without one."""
    return ist_date(row["expiry"]).isoformat() if "expiry" in row else ""


def _series(row: MasterRow) -> tuple[str, bool]:
    return row["underlying_symbol"], row["instrument_type"] == "FUT"


def _nth(keyword: str, days: list[str]) -> str | None:
    """The expiry that a keyword selects among `days`, which are in order; None if there is none."""
    number = _WEEKS.get(keyword)
    if number is None:
        number = _MONTHS[keyword]
        days = list({day[:7]: day for day in days}.values())  # the last one of each month
    return days[number] if number < len(days) else None
