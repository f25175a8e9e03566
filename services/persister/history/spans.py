"""The spans of days in which candles that are not stored are read from Upstox. Pure.

A span is what one call answers: some weeks of past days, the same ones for every request, or
today.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from services.persister.candles.candle import CandleLength
from services.persister.history.pages import PageKind
from shared.contracts.history import CandleInterval

FIRST_DAY: Final = PageKind.FIVE_MINUTES.first_day
# Some 2 000 candles of a share: more would block the event loop, fewer need more calls.
_SPAN_DAYS: Final = {
    CandleInterval.MINUTE: 7, CandleInterval.THREE_MINUTES: 21, CandleInterval.HALF_HOUR: 84
}  # fmt: skip
_LENGTHS: Final = {
    CandleInterval.MINUTE: CandleLength.MINUTE,
    CandleInterval.THREE_MINUTES: CandleLength.THREE_MINUTES,
    CandleInterval.HALF_HOUR: CandleLength.HALF_HOUR,
}


@dataclass(frozen=True, slots=True)
class Span:
    """The days `[first, end)` of one instrument; `is_today` if that is the running day."""

    key: str
    interval: CandleInterval
    first: date
    end: date
    is_today: bool = False

    @property
    def length(self) -> CandleLength:
        return _LENGTHS[self.interval]


def spans_between(
    key: str, interval: CandleInterval, first: date, end: date, today: date
) -> Iterator[Span]:
    """The spans that include days from `first` to before `end`, oldest first, up to today."""
    length = _SPAN_DAYS[interval]
    day = max(first, FIRST_DAY)
    while day < min(end, today):
        start = day - timedelta(days=(day - FIRST_DAY).days % length)
        span_end = min(start + timedelta(days=length), today)
        yield Span(key, interval, start, span_end)
        day = span_end
    if first <= today < end:
        yield Span(key, interval, today, today + timedelta(days=1), is_today=True)
