"""Makes longer candles of shorter ones.

PURE. A candle belongs to the span that holds its start. Spans within a day are counted
from where its session starts: 09:15 IST for shares, 00:00 IST in a market that is
always open; the last one of a day may be short. Weeks start on Monday.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

from services.simulator.market.history import midnight_ms
from services.simulator.market.state import Candle
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import MINUTE_MS, day_start, ist_date

StartOf = Callable[[int], int]
"""From a candle's start to its span's (both epoch ms)."""


def merge(candles: Iterable[Candle], start_of: StartOf) -> list[Candle]:
    """One candle for each span that has any; in the order of time, as `candles` are."""
    merged: list[Candle] = []
    for candle in candles:
        start_ms = start_of(candle.start_ms)
        if merged and merged[-1].start_ms == start_ms:
            last = merged[-1]
            last.high = max(last.high, candle.high)
            last.low = min(last.low, candle.low)
            last.close = candle.close
            last.volume += candle.volume
            last.oi = candle.oi
        else:
            merged.append(replace(candle, start_ms=start_ms))
    return merged


def within_day(calendar: Calendar, segment: str, minutes: int) -> StartOf:
    """Spans of so many minutes, counted from where the session of the day starts."""
    width_ms = minutes * MINUTE_MS

    def start_of(at_ms: int) -> int:
        session = calendar.session(segment, at_ms)
        anchor_ms = day_start(at_ms) if session is None else session[0]
        return at_ms - (at_ms - anchor_ms) % width_ms

    return start_of


def week(at_ms: int) -> int:
    """00:00 IST of the week's Monday."""
    day = ist_date(at_ms)
    return midnight_ms(day - timedelta(days=day.weekday()))


def month(at_ms: int) -> int:
    """00:00 IST of the month's first day."""
    return midnight_ms(ist_date(at_ms).replace(day=1))
