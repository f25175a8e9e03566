"""Which days have unusual hours, as data: the built-in table, and what Upstox reports. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from shared.market.exchange_holidays import SPECIAL_DAYS, TABLE_YEARS, HolidayKind, SpecialDay
from shared.market.exchange_sessions import COMMODITIES, EXCHANGES, Minutes, usual_hours

DayHours = Mapping[str, Minutes]
"""The sessions of one day by exchange."""
_GROUPS: Final = (COMMODITIES, frozenset(EXCHANGES) - COMMODITIES)


@dataclass(frozen=True, slots=True)
class CalendarData:
    """Known special days and hours of the exchanges."""

    special_days: Mapping[date, SpecialDay] = field(default_factory=dict)
    years: frozenset[int] = frozenset()
    """Years of which all special days are known."""
    timings: Mapping[date, DayHours] = field(default_factory=dict)
    """Days whose hours were reported one by one; they have precedence over `special_days`."""

    def updated(self, newer: "CalendarData") -> "CalendarData":
        """This data, replaced by `newer` for its years and for the days of its timings."""
        kept = {day: at for day, at in self.special_days.items() if day.year not in newer.years}
        return CalendarData(
            special_days=kept | dict(newer.special_days),
            years=self.years | newer.years,
            timings=dict(self.timings) | dict(newer.timings),
        )

    def is_known(self, day: date) -> bool:
        """Whether the sessions of a day are known. If not, a weekday counts as a trading day."""
        return day.year in self.years or day in self.timings

    def known_until(self, day: date) -> date:
        """The last day before which, from `day` on, all days are known; the day before `day` if
        it is not known itself."""
        while day.year in self.years:
            day = date(day.year + 1, 1, 1)
        while day in self.timings:
            day += timedelta(days=1)
        return day - timedelta(days=1)

    def hours(self, exchange: str, day: date) -> Minutes | None:
        """The session of an exchange in minutes after 00:00 IST; None without a session."""
        timings = self.timings.get(day)
        if timings is not None:
            if exchange in timings:
                return timings[exchange]
            if not any(other in timings for other in _group(exchange)):
                return None
        special = self.special_days.get(day)
        if special is not None:
            if exchange in special.hours:
                return special.hours[exchange]
            if special.kind is HolidayKind.TRADING or exchange in special.closed:
                return None
        return None if day.weekday() >= 5 else usual_hours(exchange, day)


BUILT_IN: Final = CalendarData(
    special_days=MappingProxyType({special.day: special for special in SPECIAL_DAYS}),
    years=TABLE_YEARS,
)


def _group(exchange: str) -> frozenset[str]:
    """The exchanges that share their holidays with `exchange`.

    Timings without any of a group mean that the group is closed. Timings with some of them may
    leave out one that Upstox does not report.
    """
    return next((group for group in _GROUPS if exchange in group), _GROUPS[1])
