"""Bars of Upstox's one-minute candles, for windows in which trades were missed."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import WINDOW_MS, window_start


@dataclass(frozen=True, slots=True)
class MinuteCandle:
    """One row of Upstox's answer; times in epoch ms, prices in rupees."""

    start: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    oi: int


def repaired_bars(key: str, day: Sequence[MinuteCandle], windows: set[int]) -> list[Bar]:
    """The bars of `windows` (their starts) that have candles; `day` is a whole day's, in any order.

    What only quotes tell, such as the last quantity, is unknown in them.
    """
    bars: dict[int, list[MinuteCandle]] = {}
    totals: dict[int, int] = {}
    total = 0
    for candle in sorted(day, key=lambda candle: candle.start):
        start = window_start(candle.start)
        bars.setdefault(start, []).append(candle)
        total += candle.volume
        totals[start] = total
    # An index has no volume, all day long.
    has_volume = total > 0
    return [
        _bar(key, start, rows, totals[start] if has_volume else None)
        for start, rows in bars.items()
        if start in windows
    ]


def _bar(key: str, start: int, minutes: list[MinuteCandle], total: int | None) -> Bar:
    return Bar(
        key=key,
        start=start,
        open=minutes[0].open,
        high=max(minute.high for minute in minutes),
        low=min(minute.low for minute in minutes),
        close=minutes[-1].close,
        ltq=None,
        ltt=None,
        volume=None if total is None else sum(minute.volume for minute in minutes),
        vtt=total,
        atp=None,
        oi=minutes[-1].oi or None,
        ticks=0,
        state=BarState.REPAIRED,
        silent_ms=WINDOW_MS,
        epoch=0,
    )
