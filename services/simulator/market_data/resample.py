"""Resamples candles to a longer interval.

A candle belongs to the interval that contains its start. Intervals within a day are aligned to
the start of the session: 09:15 IST for shares, 00:00 IST in a market that is always open. The
last interval of a day may be shorter. Weeks start on Monday.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta

from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import Candle
from shared.market.exchange_time import MINUTE_MS, day_start, ist_date, midnight_ms

StartOf = Callable[[int], int]
"""Maps the start of a candle to the start of its interval (both epoch ms)."""


def resample(candles: Iterable[Candle], start_of: StartOf) -> list[Candle]:
    """A candle for each interval that contains any; `candles` and the result are in time order."""
    resampled: list[Candle] = []
    for candle in candles:
        start_ms = start_of(candle.start_ms)
        if resampled and resampled[-1].start_ms == start_ms:
            last = resampled[-1]
            last.high = max(last.high, candle.high)
            last.low = min(last.low, candle.low)
            last.close = candle.close
            last.volume += candle.volume
            last.oi = candle.oi
        else:
            resampled.append(replace(candle, start_ms=start_ms))
    return resampled


def intraday(calendar: SimulatedCalendar, segment: str, minutes: int) -> StartOf:
    """Intervals of `minutes`, aligned to the start of the day's session."""
    width_ms = minutes * MINUTE_MS

    def start_of(at_ms: int) -> int:
        session = calendar.session(segment, at_ms)
        anchor_ms = day_start(at_ms) if session is None else session[0]
        return at_ms - (at_ms - anchor_ms) % width_ms

    return start_of


def weekly(at_ms: int) -> int:
    """00:00 IST of the Monday of the week."""
    day = ist_date(at_ms)
    return midnight_ms(day - timedelta(days=day.weekday()))


def monthly(at_ms: int) -> int:
    """00:00 IST of the first day of the month."""
    return midnight_ms(ist_date(at_ms).replace(day=1))
