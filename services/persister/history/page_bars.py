"""Makes stored bars of the candles of a page. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from services.persister.aggregation.minute import trades_have_volume
from services.persister.candles.candle import UpstoxCandle
from services.persister.repair.candle_bars import repaired_bars
from services.persister.storage.daily_candles import daily_document
from services.persister.storage.documents import bar_document
from shared.contracts.history import BarSource
from shared.market.exchange_time import ist_date, trading_day, window_start
from shared.runtime.mongo import Document


def five_minute_documents(key: str, candles: Iterable[UpstoxCandle]) -> list[Document]:
    """A document for each five-minute candle with trades, oldest first."""
    days: dict[int, list[UpstoxCandle]] = defaultdict(list)
    # Of rows that repeat a start, the last one counts.
    for candle in {candle.start_ms: candle for candle in candles}.values():
        days[trading_day(candle.start_ms)].append(candle)
    return [
        bar_document(bar) | {"source": BarSource.UPSTOX.value}
        for _, day in sorted(days.items())
        for bar in repaired_bars(key, day, {window_start(candle.start_ms) for candle in day})
    ]


def daily_documents(key: str, candles: Sequence[UpstoxCandle]) -> list[Document]:
    """A document for each day with a valid candle, oldest first; of several, the last one counts."""
    has_volume = trades_have_volume(key)
    days = {
        ist_date(candle.start_ms): candle
        for candle in sorted(candles, key=lambda candle: candle.start_ms)
        if candle.is_valid and (candle.volume > 0 or not has_volume)
    }
    return [daily_document(key, candle) for candle in days.values()]
