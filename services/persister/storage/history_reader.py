"""Reads pages of stored bars and gaps, to answer requests over the bus."""

from typing import Any, Final, cast

from pymongo.errors import PyMongoError

from services.persister.storage.bar_rows import PROJECTED_FIELDS, decode_rows
from services.persister.storage.bar_store import BARS, GAPS
from services.persister.storage.documents import bar_id_range, plain_int, to_ms
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

_INTERVAL_MS: Final = {
    Interval.FIVE_MINUTES: WINDOW_MS,
    Interval.FIFTEEN_MINUTES: 15 * MINUTE_MS,
    Interval.HOUR: 60 * MINUTE_MS,
    Interval.DAY: DAY_MS,
}
# Bars of a page. A longer bar is made of many five-minute bars, whose number must stay bounded.
_MAX_BARS: Final = {Interval.FIFTEEN_MINUTES: 2_000, Interval.HOUR: 1_000, Interval.DAY: 400}
_OPEN_AT_09_15: Final = frozenset({"NSE", "NFO", "BSE", "BFO"})
_MOST_CERTAIN_FIRST: Final = [
    BarState.COMPLETE.value,
    BarState.REPAIRED.value,
    BarState.PARTIAL.value,
]
_STATES: Final = {state.value: state for state in BarState}


def interval_offset_ms(key: str, interval: Interval) -> int:
    """Start of the first bar after the Unix epoch, epoch ms.

    Bars are aligned to the opening of the exchange's session, those of a day to 00:00 IST.
    """
    opens_ms = 9 * 60 * MINUTE_MS
    if exchange_of(key.partition("|")[0]) in _OPEN_AT_09_15:
        opens_ms += 15 * MINUTE_MS
    if interval is Interval.DAY:
        opens_ms = 0
    return (opens_ms - IST_OFFSET_MS) % _INTERVAL_MS[interval]


class HistoryReader:
    """Answers the requests `history.bars` and `history.gaps`. Any process may, leader or not."""

    def __init__(self, mongo: Mongo) -> None:
        self._bars = mongo.db.get_collection(BARS)
        self._gaps = mongo.db.get_collection(GAPS)

    async def bars(self, request: BarsRequest) -> BarsReply:
        """A page of bars. Raises InvalidField, or Unavailable if the database does not answer."""
        from_ms = _page_start_ms(request)
        try:
            if request.interval is Interval.FIVE_MINUTES:
                bars, next_ms = await self._stored_bars(request, from_ms)
            else:
                bars, next_ms = await self._longer_bars(request, from_ms)
        except PyMongoError:
            raise Unavailable("bars cannot be read at the moment") from None
        cursor = None if next_ms is None else str(next_ms)
        return BarsReply(key=request.key, interval=request.interval, bars=bars, next=cursor)

    async def _stored_bars(
        self, request: BarsRequest, from_ms: int
    ) -> tuple[list[HistoryBar], int | None]:
        """Five-minute bars, and the start of the next page."""
        max_rows = request.limit + 1
        query = _start_within(request, from_ms)
        projection = dict.fromkeys(PROJECTED_FIELDS, 1)
        cursor = self._bars.find_raw_batches(query, projection, batch_size=max_rows)
        bars: list[HistoryBar] = []
        async for batch in cursor.sort("_id").limit(max_rows):
            bars += decode_rows(cast("bytes", batch))  # the driver types a batch as a document
        if len(bars) < max_rows:
            return bars, None
        return bars[:-1], bars[-1].start

    async def _longer_bars(
        self, request: BarsRequest, from_ms: int
    ) -> tuple[list[HistoryBar], int | None]:
        """Longer bars, and the start of the next page.

        They are made of a bounded number of five-minute bars; a day may have 288 of those.
        """
        length_ms = _INTERVAL_MS[request.interval]
        offset_ms = interval_offset_ms(request.key, request.interval)
        limit = min(request.limit, _MAX_BARS[request.interval])
        max_parts = (limit + 1) * (length_ms // WINDOW_MS)
        # A bar that starts before the range is not in the range.
        from_ms += (offset_ms - from_ms) % length_ms
        pipeline: list[dict[str, Any]] = [
            {"$match": _start_within(request, from_ms)},
            {"$sort": {"_id": 1}},
            {"$limit": max_parts},
            {"$group": _group_by_start(offset_ms, length_ms)},
            {"$sort": {"_id": 1}},
        ]
        rows = await (await self._bars.aggregate(pipeline)).to_list()
        is_cut_off = sum(row["parts"] for row in rows) == max_parts
        bars = [_longer_bar(row, length_ms) for row in rows]
        if len(bars) > limit or is_cut_off:
            count = min(limit, len(bars) - is_cut_off)
            return bars[:count], bars[count].start
        return bars, None

    async def gaps(self, request: GapsRequest) -> GapsReply:
        """A page of gaps. Raises InvalidField, or Unavailable if the database does not answer."""
        _check_range(request.from_ms, request.to_ms)
        query: dict[str, Any] = {
            "keys": request.key,
            "start": {"$lt": to_datetime(request.to_ms)},
            "end": {"$gt": to_datetime(request.from_ms)},
        }
        if request.cursor is not None:
            start_ms, _, gap_id = request.cursor.partition(".")
            start = to_datetime(_cursor_ms(start_ms))
            query["$or"] = [{"start": {"$gt": start}}, {"start": start, "_id": {"$gte": gap_id}}]
        max_rows = request.limit + 1
        try:
            cursor = self._gaps.find(query).sort([("start", 1), ("_id", 1)]).limit(max_rows)
            rows = await cursor.to_list()
        except PyMongoError:
            raise Unavailable("gaps cannot be read at the moment") from None
        next_cursor = None
        if len(rows) == max_rows:
            first = rows.pop()
            next_cursor = f"{to_ms(first['start'])}.{first['_id']}"
        gaps = [_gap(row, request.key) for row in rows]
        return GapsReply(key=request.key, gaps=gaps, next=next_cursor)


def _gap(row: Document, key: str) -> Gap:
    # The instrument's own state, which may differ from the state of the whole gap.
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


def _page_start_ms(request: BarsRequest) -> int:
    _check_range(request.from_ms, request.to_ms)
    return request.from_ms if request.cursor is None else _cursor_ms(request.cursor)


def _check_range(from_ms: int, to_ms: int) -> None:
    if to_ms <= from_ms:
        raise InvalidField("to_ms must be later than from_ms", field="to_ms")


def _cursor_ms(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15 and int(text) <= MAX_TIME_MS):
        raise InvalidField("cursor must be the `next` of an earlier page", field="cursor")
    return int(text)


def _start_within(request: BarsRequest, from_ms: int) -> dict[str, Any]:
    return {"_id": bar_id_range(request.key, from_ms, request.to_ms)}


def _group_by_start(offset_ms: int, length_ms: int) -> dict[str, Any]:
    start_ms = {"$toLong": "$start"}
    since_start_ms = {"$mod": [{"$subtract": [start_ms, offset_ms]}, length_ms]}
    return {
        "_id": {"$subtract": [start_ms, since_start_ms]},
        "open": {"$first": "$open"},
        "high": {"$max": "$high"},
        "low": {"$min": "$low"},
        "close": {"$last": "$close"},
        "volume": {"$sum": "$volume"},
        # An index has no volume, for which the sum would be 0.
        "parts_with_volume": {"$sum": {"$cond": [{"$eq": ["$volume", None]}, 0, 1]}},
        "oi": {"$last": "$oi"},
        "ticks": {"$sum": "$ticks"},
        "certainty": {"$max": {"$indexOfArray": [_MOST_CERTAIN_FIRST, "$state"]}},
        "silent_ms": {"$sum": "$silent_ms"},
        "parts": {"$sum": 1},
    }


def _longer_bar(row: Document, length_ms: int) -> HistoryBar:
    start_ms = int(row["_id"])
    return HistoryBar(
        start=start_ms,
        end=start_ms + length_ms,
        open=row["open"],
        high=row["high"],
        low=row["low"],
        close=row["close"],
        volume=plain_int(row["volume"]) if row["parts_with_volume"] else None,
        oi=plain_int(row["oi"]),
        ticks=int(row["ticks"]),
        state=_STATES[_MOST_CERTAIN_FIRST[row["certainty"]]],
        silent_ms=int(row["silent_ms"]),
    )
