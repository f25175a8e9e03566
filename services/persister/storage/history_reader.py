"""Reads pages of stored bars and gaps, to answer requests over the bus."""

from typing import Any, Final, cast

from pymongo.errors import PyMongoError

from services.persister.storage.bar_grid import BarGrid
from services.persister.storage.bar_rows import PROJECTED_FIELDS, decode_rows
from services.persister.storage.bar_store import BARS, GAPS
from services.persister.storage.daily_candles import DailyCandles, merged_days, page_of_days
from services.persister.storage.documents import (
    CHECKPOINT_ID,
    CHECKPOINTS,
    MAX_ID_TIME_MS,
    bar_id_range,
    to_ms,
)
from services.persister.storage.longer_bars import group_by_start, longer_bar
from services.persister.storage.page_cursor import encode_cursor, page_start
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
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import WINDOW_MS, to_datetime, window_start
from shared.runtime.mongo import Document, Mongo

# Bars of a page. A longer bar is made of many five-minute bars, whose number must stay bounded.
_MAX_BARS: Final = {Interval.FIFTEEN_MINUTES: 2_000, Interval.HOUR: 1_000, Interval.DAY: 400}


class HistoryReader:
    """Reads for the requests `history.bars` and `history.gaps`. Any process may, leader or not."""

    def __init__(self, mongo: Mongo, calendar: Calendar) -> None:
        self._calendar = calendar
        self._bars = mongo.db.get_collection(BARS)
        self._gaps = mongo.db.get_collection(GAPS)
        self._checkpoints = mongo.db.get_collection(CHECKPOINTS)
        self._daily = DailyCandles(mongo)

    async def bars(
        self, request: BarsRequest, end_ms: int | None = None, *, over_until_ms: int = 0
    ) -> BarsReply:
        """A page of bars, whose next page starts at `end_ms` at the latest.

        Bars that end by `over_until_ms` are over, also if the stream has not reached their end.
        Raises InvalidField, or Unavailable if the database does not answer.
        """
        check_range(request.from_ms, request.to_ms)
        from_ms, _ = page_start(request)
        to_ms = request.to_ms if end_ms is None else min(request.to_ms, end_ms)
        try:
            bars, next_ms = (
                await self._page(request, from_ms, to_ms, over_until_ms)
                if from_ms < to_ms
                else ([], None)
            )
        except PyMongoError:
            raise Unavailable("bars cannot be read at the moment") from None
        if next_ms is None and to_ms < request.to_ms:
            next_ms = max(from_ms, to_ms)
        cursor = None if next_ms is None else encode_cursor(request, next_ms)
        return BarsReply(key=request.key, interval=request.interval, bars=bars, next=cursor)

    async def has_bars(self, key: str) -> bool:
        """Whether anything of `key` is stored. Raises PyMongoError."""
        own = {"_id": bar_id_range(key, 0, MAX_ID_TIME_MS)}
        if await self._bars.find_one(own, {"_id": 1}) is not None:
            return True
        return bool(await self._daily.read(key, 0, MAX_TIME_MS, 1))

    async def _page(
        self, request: BarsRequest, from_ms: int, to_ms: int, over_until_ms: int
    ) -> tuple[list[HistoryBar], int | None]:
        """Bars that start in `[from_ms, to_ms)`, and the start of the next page."""
        if request.interval is Interval.FIVE_MINUTES:
            return await self._stored_bars(request, from_ms, to_ms)
        own, own_next_ms = await self._longer_bars(request, from_ms, to_ms, over_until_ms)
        if request.interval is not Interval.DAY:
            return own, own_next_ms
        candles = await self._daily.read(request.key, from_ms, to_ms, request.limit + 1)
        candles_next_ms = candles.pop().start if len(candles) > request.limit else None
        ends = (own_next_ms, candles_next_ms)
        return page_of_days(merged_days(own, candles), request.limit, ends)

    async def _stored_bars(
        self, request: BarsRequest, from_ms: int, to_ms: int
    ) -> tuple[list[HistoryBar], int | None]:
        """Five-minute bars, and the start of the next page."""
        max_rows = request.limit + 1
        query = {"_id": bar_id_range(request.key, from_ms, to_ms)}
        projection = dict.fromkeys(PROJECTED_FIELDS, 1)
        cursor = self._bars.find_raw_batches(query, projection, batch_size=max_rows)
        bars: list[HistoryBar] = []
        async for batch in cursor.sort("_id").limit(max_rows):
            bars += decode_rows(cast("bytes", batch))  # the driver types a batch as a document
        if len(bars) < max_rows:
            return bars, None
        return bars[:-1], bars[-1].start

    async def _longer_bars(
        self, request: BarsRequest, from_ms: int, to_ms: int, over_until_ms: int
    ) -> tuple[list[HistoryBar], int | None]:
        """Longer bars, and the start of the next page.

        They are made of a bounded number of five-minute bars; a day may have 288 of those.
        """
        length_ms = request.interval.length_ms
        grid = BarGrid.of(
            self._calendar.data, request.key, request.interval, from_ms, to_ms + length_ms
        )
        limit = min(request.limit, _MAX_BARS[request.interval])
        max_parts = (limit + 1) * (length_ms // WINDOW_MS)
        # The bars that start in the range are whole: the last one may end after the range.
        from_ms, until_ms = grid.aligned_up(from_ms), grid.aligned_up(to_ms)
        # Read before the bars, so that no bar is taken for a closed one whose end is missing.
        closed_until_ms = max(over_until_ms, await self._closed_until_ms())
        pipeline: list[dict[str, Any]] = [
            {"$match": {"_id": bar_id_range(request.key, from_ms, until_ms)}},
            {"$sort": {"_id": 1}},
            {"$limit": max_parts},
            {"$group": group_by_start(grid)},
            {"$sort": {"_id": 1}},
        ]
        rows = await (await self._bars.aggregate(pipeline)).to_list()
        is_cut_off = sum(row["parts"] for row in rows) == max_parts
        next_ms = None
        if len(rows) > limit or is_cut_off:
            count = min(limit, len(rows) - is_cut_off)
            rows, next_ms = rows[:count], int(rows[count]["_id"])
        missing = await self._missing_windows(request.key, rows, length_ms)
        incomplete = {grid.start_of(at_ms) for at_ms in missing}
        bars = [
            longer_bar(row, length_ms, closed_until_ms=closed_until_ms, incomplete=incomplete)
            for row in rows
        ]
        return bars, next_ms

    async def _closed_until_ms(self) -> int:
        """Exchange time by which all windows that have ended are stored; 0 if there is none."""
        checkpoint = await self._checkpoints.find_one({"_id": CHECKPOINT_ID}, {"closed_until": 1})
        if checkpoint is None or "closed_until" not in checkpoint:
            return 0
        return to_ms(checkpoint["closed_until"])

    async def _missing_windows(self, key: str, rows: list[Document], length_ms: int) -> set[int]:
        """Starts of windows that may have trades of `key` and have no full bar.

        They are in gaps that are not repaired, among the bars of `rows`.
        """
        if not rows:
            return set()
        from_ms, until_ms = int(rows[0]["_id"]), int(rows[-1]["_id"]) + length_ms
        query = _overlapping(key, from_ms, until_ms)
        query["$or"] = [{"open_keys": key}, {"abandoned_keys": key}]
        missing: set[int] = set()
        async for gap in self._gaps.find(query, {"start": 1, "end": 1}):
            first_ms, end_ms = max(to_ms(gap["start"]), from_ms), min(to_ms(gap["end"]), until_ms)
            missing.update(range(window_start(first_ms), end_ms, WINDOW_MS))
        if missing:
            full = {
                "_id": bar_id_range(key, min(missing), max(missing) + WINDOW_MS),
                "state": {"$ne": BarState.PARTIAL.value},
            }
            async for bar in self._bars.find(full, {"start": 1}):
                missing.discard(to_ms(bar["start"]))
        return missing

    async def gaps(self, request: GapsRequest) -> GapsReply:
        """A page of gaps. Raises InvalidField, or Unavailable if the database does not answer."""
        check_range(request.from_ms, request.to_ms)
        start_ms, row_id = page_start(request)
        query = _overlapping(request.key, request.from_ms, request.to_ms)
        if request.cursor is not None:
            start = to_datetime(start_ms)
            query["$or"] = [{"start": {"$gt": start}}, {"start": start, "_id": {"$gte": row_id}}]
        max_rows = request.limit + 1
        try:
            cursor = self._gaps.find(query).sort([("start", 1), ("_id", 1)]).limit(max_rows)
            rows = await cursor.to_list()
        except PyMongoError:
            raise Unavailable("gaps cannot be read at the moment") from None
        next_cursor = None
        if len(rows) == max_rows:
            first = rows.pop()
            next_cursor = encode_cursor(request, to_ms(first["start"]), first["_id"])
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


def _overlapping(key: str, from_ms: int, to_ms: int) -> dict[str, Any]:
    """A query for the gaps of `key` that overlap `[from_ms, to_ms)`."""
    return {
        "keys": key,
        "start": {"$lt": to_datetime(to_ms)},
        "end": {"$gt": to_datetime(from_ms)},
    }


def check_range(from_ms: int, to_ms: int) -> None:
    """Raises InvalidField if the range is empty."""
    if to_ms <= from_ms:
        raise InvalidField("to_ms must be later than from_ms", field="to_ms")
