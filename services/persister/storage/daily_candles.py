"""Upstox's daily candles in MongoDB, and their place among the days made of five-minute bars.

They are reference data: a setting on the retention of bars does not apply to them.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Final

from services.persister.aggregation.minute import trades_have_volume
from services.persister.candles.candle import UpstoxCandle
from services.persister.storage.bar_precedence import has_all_trades
from services.persister.storage.documents import plain_int, to_ms
from shared.contracts.history import MAX_TIME_MS, BarSource, HistoryBar, HistoryBarState
from shared.market.exchange_time import DAY_MS, ist_date, to_datetime
from shared.runtime.mongo import Document, Mongo, ensure_collection

DAILY: Final = "candles_1d"
_NUMBER: Final = {"bsonType": ["double", "int", "long"]}
_INTEGER_OR_NULL: Final = {"bsonType": ["int", "long", "null"]}
_SCHEMA: Final[dict[str, Any]] = {
    "bsonType": "object",
    "additionalProperties": False,
    "required": ["_id", "key", "start", "open", "high", "low", "close", "source"],
    "properties": {
        "_id": {"bsonType": "string"},
        "key": {"bsonType": "string"},
        "start": {"bsonType": "date"},
        **dict.fromkeys(("open", "high", "low", "close"), _NUMBER),
        **dict.fromkeys(("volume", "oi"), _INTEGER_OR_NULL),
        "source": {"enum": [source.value for source in BarSource]},
    },
}
_LATEST_MS: Final = MAX_TIME_MS - 2 * DAY_MS
_OWN: Final = (HistoryBarState.COMPLETE, HistoryBarState.REPAIRED, HistoryBarState.FORMING)


class DailyCandles:
    """The stored candles; methods raise PyMongoError while the database is unavailable."""

    def __init__(self, mongo: Mongo) -> None:
        self._db = mongo.db
        self._candles = mongo.db.get_collection(DAILY)

    async def prepare(self) -> None:
        """Create the collection, or bring it up to date."""
        await ensure_collection(self._db, DAILY, _SCHEMA, [], by_id=True)

    async def read(self, key: str, from_ms: int, to_ms: int, limit: int) -> list[HistoryBar]:
        """At most `limit` candles that start in `[from_ms, to_ms)`, oldest first."""
        first, end = (_id(key, first_day(at_ms)) for at_ms in (from_ms, to_ms))
        rows = self._candles.find({"_id": {"$gte": first, "$lt": end}}).sort("_id").limit(limit)
        return [_bar(row) async for row in rows]


def first_day(at_ms: int) -> date:
    """The first day that begins at `at_ms` (epoch ms) or later."""
    return ist_date(min(at_ms, _LATEST_MS) - 1 + DAY_MS)


def daily_document(key: str, candle: UpstoxCandle) -> Document:
    """A daily candle as a document. Each day of each instrument has one."""
    return {
        "_id": _id(key, ist_date(candle.start_ms)),
        "key": key,
        "start": to_datetime(candle.start_ms),
        "open": candle.open,
        "high": candle.high,
        "low": candle.low,
        "close": candle.close,
        "volume": candle.volume if trades_have_volume(key) else None,
        "oi": candle.oi or None,
        "source": BarSource.UPSTOX.value,
    }


def merged_days(own: Iterable[HistoryBar], candles: Iterable[HistoryBar]) -> list[HistoryBar]:
    """One bar a day, oldest first: the own bar, unless the candle has a trade that it lacks.

    The own bar lacks trades if the instrument was not followed for the whole day.
    """
    days = {candle.start: candle for candle in candles}
    for bar in own:
        candle = days.get(bar.start)
        if candle is None or (bar.state in _OWN and has_all_trades(bar, candle)):
            days[bar.start] = bar
    return [days[start] for start in sorted(days)]


def page_of_days(
    days: Sequence[HistoryBar], limit: int, ends: Iterable[int | None]
) -> tuple[list[HistoryBar], int | None]:
    """The first `limit` days before all `ends`, and the start of the next page.

    `ends` are the times from which the parts of `days` were not read; None if a part is whole.
    """
    end_ms = min((end for end in ends if end is not None), default=None)
    known = [day for day in days if end_ms is None or day.start < end_ms]
    if len(known) > limit:
        return known[:limit], known[limit].start
    return known, end_ms


def _id(key: str, day: date) -> str:
    return f"{key}|{day.isoformat()}"


def _bar(row: Document) -> HistoryBar:
    start_ms = to_ms(row["start"])
    return HistoryBar(
        start=start_ms,
        end=start_ms + DAY_MS,
        open=row["open"],
        high=row["high"],
        low=row["low"],
        close=row["close"],
        volume=plain_int(row["volume"]),
        oi=plain_int(row["oi"]),
        ticks=0,
        state=HistoryBarState.REPAIRED,
        source=BarSource(row["source"]),
    )
