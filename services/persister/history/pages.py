"""The pages in which earlier candles are fetched: what one call to Upstox answers. Pure.

A page is one calendar month of five-minute candles, or ten calendar years of daily candles.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, Self

from services.persister.candles.candle import SETTLED_MS, CandleLength
from shared.contracts.history import Interval
from shared.market.exchange_time import ist_date

_DECADE: Final = 10
# Bars of a share's session; a day of another segment has more.
_BARS_A_DAY: Final = {
    Interval.FIVE_MINUTES: 75, Interval.FIFTEEN_MINUTES: 25, Interval.HOUR: 7, Interval.DAY: 1
}  # fmt: skip
# Calendar days for weekends and holidays.
_DAYS_PER_TRADING_DAY: Final = 7 / 5
_SPARE_DAYS: Final = 5


class PageKind(StrEnum):
    """The length of a page's candles."""

    FIVE_MINUTES = "5m"
    DAY = "1d"

    @property
    def first_day(self) -> date:
        """Upstox has no such candles before this day."""
        return _FIRST_DAYS[self]

    @property
    def candle_length(self) -> CandleLength:
        return _CANDLE_LENGTHS[self]


_FIRST_DAYS: Final = {PageKind.FIVE_MINUTES: date(2022, 1, 1), PageKind.DAY: date(2000, 1, 1)}
_CANDLE_LENGTHS: Final = {
    PageKind.FIVE_MINUTES: CandleLength.FIVE_MINUTES,
    PageKind.DAY: CandleLength.DAY,
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of one instrument."""

    kind: PageKind
    key: str
    start: date

    @classmethod
    def of(cls, kind: PageKind, key: str, day: date) -> Self:
        """The page that includes `day`."""
        if kind is PageKind.FIVE_MINUTES:
            return cls(kind, key, day.replace(day=1))
        return cls(kind, key, date(day.year - day.year % _DECADE, 1, 1))

    @property
    def end(self) -> date:
        """The first day after the page."""
        if self.kind is PageKind.DAY:
            return date(self.start.year + _DECADE, 1, 1)
        return (self.start + timedelta(days=31)).replace(day=1)

    @property
    def page_id(self) -> str:
        """The `_id` of the page's document."""
        return f"{self.kind}|{self.key}|{self.start}"

    def until(self, settled: date) -> date:
        """The first day that is not fetched with this page; days from `settled` on never are."""
        return min(self.end, settled)


def kind_of(interval: Interval) -> PageKind:
    """The pages that bars of an interval are made of."""
    return PageKind.DAY if interval is Interval.DAY else PageKind.FIVE_MINUTES


def settled_day(now_ms: int) -> date:
    """The first day whose candles are not fetched yet, by the wall clock."""
    return ist_date(now_ms - SETTLED_MS)


def pages_between(kind: PageKind, key: str, first: date, end: date) -> Iterator[Page]:
    """The pages that include days from `first` to before `end`, oldest first."""
    day = max(first, kind.first_day)
    while day < end:
        page = Page.of(kind, key, day)
        yield page
        day = page.end


def horizon(interval: Interval, first: date, limit: int) -> date:
    """A day by which `limit` bars that begin on `first` or later have very likely ended."""
    trading_days = limit / _BARS_A_DAY[interval]
    days = int(trading_days * _DAYS_PER_TRADING_DAY) + _SPARE_DAYS
    return first + timedelta(days=min(days, (date.max - first).days))
