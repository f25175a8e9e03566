"""Makes five-minute bars of Upstox's one-minute candles."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from services.persister.aggregation.minute import trades_have_volume
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import WINDOW_MS, window_start


@dataclass(frozen=True, slots=True)
class MinuteCandle:
    """One candle of Upstox's answer; prices in rupees."""

    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    oi: int


def repaired_bars(key: str, day: Iterable[MinuteCandle], windows: Collection[int]) -> list[Bar]:
    """Bars of those `windows` (starts, epoch ms) that have candles, oldest first.

    `day` is all candles of a day until now, in any order. Fields that only quotes give, such as
    the last traded quantity, are None. A candle without volume, of an instrument that has volume,
    shows that its minute has no trade: it is no part of a bar.
    """
    if trades_have_volume(key):
        day = [candle for candle in day if candle.volume > 0]
    candles: dict[int, list[MinuteCandle]] = {}
    vtt_at_end: dict[int, int] = {}
    vtt = 0
    for candle in sorted(day, key=lambda candle: candle.start_ms):
        start_ms = window_start(candle.start_ms)
        candles.setdefault(start_ms, []).append(candle)
        vtt += candle.volume
        vtt_at_end[start_ms] = vtt
    # Candles of an index have a volume of 0 all day.
    has_volume = vtt > 0
    return [
        _bar(key, start_ms, minutes, vtt_at_end[start_ms] if has_volume else None)
        for start_ms, minutes in candles.items()
        if start_ms in windows
    ]


def _bar(key: str, start_ms: int, minutes: list[MinuteCandle], vtt: int | None) -> Bar:
    return Bar(
        key=key,
        start=start_ms,
        open=minutes[0].open,
        high=max(minute.high for minute in minutes),
        low=min(minute.low for minute in minutes),
        close=minutes[-1].close,
        ltq=None,
        ltt=None,
        volume=None if vtt is None else sum(minute.volume for minute in minutes),
        vtt=vtt,
        atp=None,
        oi=minutes[-1].oi or None,
        ticks=0,
        state=BarState.REPAIRED,
        silent_ms=WINDOW_MS,
        epoch=0,
    )
