"""Answers questions about stored bars and gaps: in pages, and never more than a page's worth."""

from typing import Any, Final, cast

from pymongo.errors import PyMongoError

from services.persister.storage.bar_rows import SHOWN, bars_of
from services.persister.storage.bar_store import BARS, GAPS
from services.persister.storage.documents import bar_ids, to_ms, whole
from shared.contracts.history import (
    MAX_TIME_MS,
    BarsReply,
    BarsRequest,
    Gap,
    GapReason,
    GapsReply,
    GapsRequest,
    GapState,
    HistoryBar,
    Interval,
)
from shared.contracts.messages import BarState
from shared.errors import InvalidField, Unavailable
from shared.market.exchange_calendar import exchange_of
from shared.market.exchange_time import DAY_MS, IST_OFFSET_MS, MINUTE_MS, WINDOW_MS, to_datetime
from shared.runtime.mongo import Document, Mongo

_LENGTH_MS: Final = {
    Interval.FIVE_MINUTES: WINDOW_MS,
    Interval.FIFTEEN_MINUTES: 15 * MINUTE_MS,
    Interval.HOUR: 60 * MINUTE_MS,
    Interval.DAY: DAY_MS,
}
# Longer bars are made of many; a page of them must not be made of too many.
_MOST_OF: Final = {Interval.FIFTEEN_MINUTES: 2_000, Interval.HOUR: 1_000, Interval.DAY: 400}
_OPEN_AT_09_15: Final = frozenset({"NSE", "NFO", "BSE", "BFO"})
_BY_TRUST: Final = [BarState.COMPLETE.value, BarState.REPAIRED.value, BarState.PARTIAL.value]
_STATES: Final = {state.value: state for state in BarState}


def bucket_shift_ms(key: str, interval: Interval) -> int:
    """Where bars of this length begin, counted from the epoch: with the exchange's session."""
    opens_ms = 9 * 60 * MINUTE_MS
    if exchange_of(key.partition("|")[0]) in _OPEN_AT_09_15:
        opens_ms += 15 * MINUTE_MS
    if interval is Interval.DAY:
        opens_ms = 0
    return (opens_ms - IST_OFFSET_MS) % _LENGTH_MS[interval]


class History:
    """Reads only; any process may answer."""

    def __init__(self, mongo: Mongo) -> None:
        self._bars = mongo.db.get_collection(BARS)
        self._gaps = mongo.db.get_collection(GAPS)

    async def bars(self, request: BarsRequest) -> BarsReply:
        """A page of bars. Raises InvalidField, or Unavailable while the database is away."""
        from_ms = _from_ms(request)
        try:
            if request.interval is Interval.FIVE_MINUTES:
                bars, after = await self._stored(request, from_ms)
            else:
                bars, after = await self._made(request, from_ms)
        except PyMongoError:
            raise Unavailable("bars cannot be read at the moment") from None
        more = None if after is None else str(after)
        return BarsReply(key=request.key, interval=request.interval, bars=bars, next=more)

    async def _stored(
        self, request: BarsRequest, from_ms: int
    ) -> tuple[list[HistoryBar], int | None]:
        most = request.limit + 1
        query = _within(request, from_ms)
        shown = dict.fromkeys(SHOWN, 1)
        cursor = self._bars.find_raw_batches(query, shown, batch_size=most)
        bars: list[HistoryBar] = []
        async for batch in cursor.sort("_id").limit(most):
            bars += bars_of(cast("bytes", batch))  # typed as the documents that it holds
        if len(bars) < most:
            return bars, None
        return bars[:-1], bars[-1].start

    async def _made(
        self, request: BarsRequest, from_ms: int
    ) -> tuple[list[HistoryBar], int | None]:
        """Longer bars, of a bounded number of five-minute ones; a day may have 288 of them."""
        length_ms = _LENGTH_MS[request.interval]
        shift_ms = bucket_shift_ms(request.key, request.interval)
        limit = min(request.limit, _MOST_OF[request.interval])
        most = (limit + 1) * (length_ms // WINDOW_MS)
        # A bar that begins before the range is none of it.
        from_ms += (shift_ms - from_ms) % length_ms
        pipeline: list[dict[str, Any]] = [
            {"$match": _within(request, from_ms)},
            {"$sort": {"_id": 1}},
            {"$limit": most},
            {"$group": _together(shift_ms, length_ms)},
            {"$sort": {"_id": 1}},
        ]
        rows = await (await self._bars.aggregate(pipeline)).to_list()
        cut_off = sum(row["parts"] for row in rows) == most
        bars = [
            _bar(row | {"state": _BY_TRUST[row["trust"]]}, int(row["_id"]), length_ms)
            for row in rows
        ]
        if len(bars) > limit or cut_off:
            keep = min(limit, len(bars) - cut_off)
            return bars[:keep], bars[keep].start
        return bars, None

    async def gaps(self, request: GapsRequest) -> GapsReply:
        """A page of gaps. Raises InvalidField, or Unavailable while the database is away."""
        _check_range(request.from_ms, request.to_ms)
        query: dict[str, Any] = {
            "keys": request.key,
            "start": {"$lt": to_datetime(request.to_ms)},
            "end": {"$gt": to_datetime(request.from_ms)},
        }
        if request.cursor is not None:
            at, _, gap_id = request.cursor.partition(".")
            start = to_datetime(_whole(at))
            query["$or"] = [{"start": {"$gt": start}}, {"start": start, "_id": {"$gte": gap_id}}]
        most = request.limit + 1
        try:
            found = self._gaps.find(query).sort([("start", 1), ("_id", 1)]).limit(most)
            rows = await found.to_list()
        except PyMongoError:
            raise Unavailable("gaps cannot be read at the moment") from None
        more = None
        if len(rows) == most:
            last = rows.pop()
            more = f"{to_ms(last['start'])}.{last['_id']}"
        gaps = [_gap(row, request.key) for row in rows]
        return GapsReply(key=request.key, gaps=gaps, next=more)


def _gap(row: Document, key: str) -> Gap:
    # Its own state: others of the same gap may have fared differently.
    if key in row["open_keys"]:
        state = GapState.OPEN
    elif key in row["abandoned_keys"]:
        state = GapState.ABANDONED
    else:
        state = GapState.REPAIRED
    return Gap(
        from_ms=to_ms(row["start"]),
        to_ms=to_ms(row["end"]),
        reason=GapReason(row["reason"]),
        state=state,
    )


def _from_ms(request: BarsRequest) -> int:
    _check_range(request.from_ms, request.to_ms)
    return request.from_ms if request.cursor is None else _whole(request.cursor)


def _check_range(from_ms: int, to_ms: int) -> None:
    if to_ms <= from_ms:
        raise InvalidField("to_ms must be later than from_ms", field="to_ms")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15 and int(text) <= MAX_TIME_MS):
        raise InvalidField("cursor is `next` of a page before", field="cursor")
    return int(text)


def _within(request: BarsRequest, from_ms: int) -> dict[str, Any]:
    return {"_id": bar_ids(request.key, from_ms, request.to_ms)}


def _together(shift_ms: int, length_ms: int) -> dict[str, Any]:
    at = {"$toLong": "$start"}
    into = {"$mod": [{"$subtract": [at, shift_ms]}, length_ms]}
    return {
        "_id": {"$subtract": [at, into]},
        "open": {"$first": "$open"},
        "high": {"$max": "$high"},
        "low": {"$min": "$low"},
        "close": {"$last": "$close"},
        # Null where none is known: an index's volume is unknown, not zero.
        "volume": {"$sum": "$volume"},
        "volumes": {"$sum": {"$cond": [{"$eq": ["$volume", None]}, 0, 1]}},
        "oi": {"$last": "$oi"},
        "ticks": {"$sum": "$ticks"},
        "trust": {"$max": {"$indexOfArray": [_BY_TRUST, "$state"]}},
        "silent_ms": {"$sum": "$silent_ms"},
        "parts": {"$sum": 1},
    }


def _bar(row: Document, start: int, length_ms: int) -> HistoryBar:
    return HistoryBar(
        start=start,
        end=start + length_ms,
        open=row["open"],
        high=row["high"],
        low=row["low"],
        close=row["close"],
        volume=whole(row["volume"]) if row.get("volumes", 1) else None,
        oi=whole(row["oi"]),
        ticks=int(row["ticks"]),
        state=_STATES[row["state"]],
        silent_ms=int(row["silent_ms"]),
    )
