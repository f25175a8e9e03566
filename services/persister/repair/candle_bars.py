"""Makes five-minute bars of Upstox's candles of one or five minutes."""

from collections.abc import Collection, Iterable

from services.persister.aggregation.minute import trades_have_volume
from services.persister.candles.candle import UpstoxCandle
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import WINDOW_MS, window_start


def repaired_bars(key: str, day: Iterable[UpstoxCandle], windows: Collection[int]) -> list[Bar]:
    """Bars of those `windows` (starts, epoch ms) that have candles, oldest first.

    `day` is all candles of a day until now, in any order. Fields that only quotes give, such as
    the last traded quantity, are None. A candle without volume, of an instrument that has volume,
    shows that its minute has no trade: it is no part of a bar. A window with an invalid candle gets
    no bar, and from then on the day's cumulative volume is unknown.
    """
    if trades_have_volume(key):
        day = [candle for candle in day if candle.volume > 0 or not candle.is_valid]
    candles: dict[int, list[UpstoxCandle]] = {}
    invalid_windows: set[int] = set()
    vtt_at_end: dict[int, int | None] = {}
    vtt = 0
    for candle in sorted(day, key=lambda candle: candle.start_ms):
        start_ms = window_start(candle.start_ms)
        if not candle.is_valid:
            invalid_windows.add(start_ms)
        candles.setdefault(start_ms, []).append(candle)
        vtt += candle.volume
        vtt_at_end[start_ms] = None if invalid_windows else vtt
    # Candles of an index have a volume of 0 all day.
    has_volume = vtt > 0
    return [
        _bar(key, start_ms, minutes, vtt_at_end[start_ms], has_volume=has_volume)
        for start_ms, minutes in candles.items()
        if start_ms in windows and start_ms not in invalid_windows
    ]


def _bar(
    key: str, start_ms: int, minutes: list[UpstoxCandle], vtt: int | None, *, has_volume: bool
) -> Bar:
    return Bar(
        key=key,
        start=start_ms,
        open=minutes[0].open,
        high=max(minute.high for minute in minutes),
        low=min(minute.low for minute in minutes),
        close=minutes[-1].close,
        ltq=None,
        ltt=None,
        volume=sum(minute.volume for minute in minutes) if has_volume else None,
        vtt=vtt if has_volume else None,
        atp=None,
        oi=minutes[-1].oi or None,
        ticks=0,
        state=BarState.REPAIRED,
        silent_ms=WINDOW_MS,
        epoch=0,
    )
