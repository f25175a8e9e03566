"""Reads Upstox's answers on holidays and timings, and refuses those that cannot be. Pure."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Final

import msgspec

from shared.contracts.strict_json import decode_json
from shared.market.calendar_data import CalendarData, DayHours
from shared.market.exchange_holidays import HolidayKind, SpecialDay
from shared.market.exchange_sessions import EXCHANGES, Minutes
from shared.market.exchange_time import DAY_MS, IST, MINUTE_MS

_MIN_HOLIDAYS: Final = 5
"""Trading holidays that each year has at the least; NSE had 13 to 16 in the years to 2026."""
_MAX_HOLIDAYS: Final = 100
_MIN_SESSION_MINUTES: Final = 15
_MAX_SESSION_MINUTES: Final = 16 * 60

Text = Annotated[str, msgspec.Meta(max_length=256)]


class RefusedAnswer(Exception):
    """An answer of Upstox that cannot be right; the text is the reason."""


class _Timing(msgspec.Struct):
    exchange: str
    start_time: int
    end_time: int


class _Holiday(msgspec.Struct):
    date: date
    holiday_type: HolidayKind
    description: Text = ""
    closed_exchanges: list[str] = []
    open_exchanges: list[_Timing] = []


class _Holidays(msgspec.Struct):
    data: Annotated[list[_Holiday], msgspec.Meta(min_length=1, max_length=_MAX_HOLIDAYS)]


class _Timings(msgspec.Struct):
    data: Annotated[list[_Timing], msgspec.Meta(max_length=100)]


def read_holidays(body: bytes, today: date) -> CalendarData:
    """The special days of an answer of `/v2/market/holidays`, and the years that it covers.

    A year is covered if the answer has as many trading holidays as every year has. Raises
    RefusedAnswer if the answer is malformed, names a day twice or a wrong year, gives an exchange
    two states, has times that cannot be, or does not cover the year of `today`.
    """
    try:
        holidays = decode_json(body, _Holidays).data
    except msgspec.DecodeError as error:
        raise RefusedAnswer(str(error)) from None
    days: dict[date, SpecialDay] = {}
    for holiday in holidays:
        if abs(holiday.date.year - today.year) > 1:
            raise RefusedAnswer(f"{holiday.date} is not near {today}")
        if holiday.date in days:
            raise RefusedAnswer(f"{holiday.date} is listed twice")
        days[holiday.date] = _special_day(holiday)
    counts = dict.fromkeys((today.year, today.year - 1, today.year + 1), 0)
    for day, special in days.items():
        counts[day.year] += special.kind is HolidayKind.TRADING
    if counts[today.year] < _MIN_HOLIDAYS:
        raise RefusedAnswer(f"only {counts[today.year]} trading holidays in {today.year}")
    years = frozenset(year for year, count in counts.items() if count >= _MIN_HOLIDAYS)
    covered = {day: special for day, special in days.items() if day.year in years}
    return CalendarData(special_days=covered, years=years)


def read_timings(body: bytes, day: date, known: CalendarData) -> DayHours:
    """The sessions of an answer of `/v2/market/timings/{day}`, by exchange.

    Raises RefusedAnswer if the answer is malformed, has times that cannot be, or contradicts the
    list of holidays on whether an exchange trades at all.
    """
    try:
        hours = _hours(decode_json(body, _Timings).data, day)
    except msgspec.DecodeError as error:
        raise RefusedAnswer(str(error)) from None
    check_agreement(hours, day, known)
    return hours


def check_agreement(hours: DayHours, day: date, known: CalendarData) -> None:
    """Raises RefusedAnswer if the timings of a day contradict its list of holidays, if known."""
    if day.year not in known.years:
        return
    listed = CalendarData(special_days=known.special_days, years=known.years)
    for exchange in hours:
        if listed.hours(exchange, day) is None:
            raise RefusedAnswer(f"{exchange} has a session on {day}, a day off")
    if not hours and listed.hours("NSE", day) is not None:
        raise RefusedAnswer(f"no session on {day}, a trading day")


def _special_day(holiday: _Holiday) -> SpecialDay:
    hours = _hours(holiday.open_exchanges, holiday.date)
    closed = frozenset(holiday.closed_exchanges) & frozenset(EXCHANGES)
    if both := sorted(closed & set(hours)):
        raise RefusedAnswer(f"{both[0]} is open and closed on {holiday.date}")
    return SpecialDay(holiday.date, holiday.description, holiday.holiday_type, hours, closed)


def _hours(timings: Sequence[_Timing], day: date) -> dict[str, Minutes]:
    """The sessions by exchange; exchanges that are not known are left out."""
    midnight_ms = int(datetime(day.year, day.month, day.day, tzinfo=IST).timestamp()) * 1_000
    hours: dict[str, Minutes] = {}
    for timing in timings:
        if timing.exchange in hours:
            raise RefusedAnswer(f"{timing.exchange} is listed twice on {day}")
        start_ms, end_ms = timing.start_time - midnight_ms, timing.end_time - midnight_ms
        if not 0 <= start_ms < end_ms <= DAY_MS:
            raise RefusedAnswer(f"the session of {timing.exchange} is not within {day}")
        start, end = start_ms // MINUTE_MS, end_ms // MINUTE_MS
        if not _MIN_SESSION_MINUTES <= end - start <= _MAX_SESSION_MINUTES:
            raise RefusedAnswer(f"a session of {end - start} minutes on {day}")
        if timing.exchange in EXCHANGES:
            hours[timing.exchange] = (start, end)
    return hours
