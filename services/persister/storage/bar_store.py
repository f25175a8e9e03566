"""Writes bars, gaps and the checkpoint to MongoDB, guarded by the leader's epoch.

Every write is a transaction of `EpochGuard`.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import Final, TypeVar

import msgspec
from pymongo import ASCENDING, IndexModel, ReplaceOne, UpdateMany, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, OperationFailure

from services.persister import metrics
from services.persister.aggregation.checkpoint import AggregatorState, decode_state
from services.persister.aggregation.closed_windows import BarPlace, ClosedWindows
from services.persister.storage.bar_precedence import must_stay
from services.persister.storage.documents import (
    BAR_SCHEMA,
    CHECKPOINT_ID,
    CHECKPOINT_SCHEMA,
    CHECKPOINTS,
    GAP_SCHEMA,
    bar_document,
    bar_from_document,
    bar_id,
    bar_id_range,
    gap_document,
    to_ms,
)
from services.persister.storage.unpublished_bars import UnpublishedBars
from services.persister.stored_bars import StoredBars
from shared.contracts.history import GapState
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import to_datetime
from shared.runtime.epoch_guard import EpochGuard
from shared.runtime.logs import get_logger
from shared.runtime.mongo import Document, Mongo, ensure_collection

log = get_logger(__name__)

BARS: Final = "bars_5m"
GAPS: Final = "gaps"
_RETENTION_INDEX: Final = "retention"
_INDEX_NOT_FOUND: Final = 27
_DUPLICATE_KEY: Final = 11_000
_DAY_SECS: Final = 86_400
# Fields of a partial bar that only quotes give, so a repaired bar takes them over.
_QUOTE_FIELDS: Final = ("ltq", "ltt", "atp", "ticks", "silent_ms", "epoch")
# Changes the checkpoint without moving it.
_AMENDMENT: Final[Document] = {"$inc": {"amendments": 1}}

T = TypeVar("T")
_SaveBars = Callable[[ClosedWindows, AsyncClientSession], Awaitable[Sequence[Bar]]]


class BarStore:
    """The leader's store of bars, gaps and the checkpoint.

    All methods raise pymongo.errors.PyMongoError while the database is unavailable. Bars and gaps
    older than `retention_days` are deleted by the server; 0 means never.
    """

    def __init__(self, mongo: Mongo, *, retention_days: int = 0) -> None:
        self._db = mongo.db
        self._bars = mongo.db.get_collection(BARS)
        self._gaps = mongo.db.get_collection(GAPS)
        self._retention_days = retention_days
        self._guard = EpochGuard(mongo, CHECKPOINTS, CHECKPOINT_ID)
        self._unpublished = UnpublishedBars(mongo)
        # Bars of a window are new unless entries are read a second time. An insert takes a
        # fraction of the time of a replacement, so it is tried first.
        self._is_rewriting = False

    async def close(self) -> None:
        """End the database session. No write may follow."""
        await self._guard.close()

    async def prepare(self) -> None:
        """Create the collections with validators and indexes, or bring them up to date."""
        bar_indexes = [
            IndexModel(
                [("state", ASCENDING), ("start", ASCENDING)],
                partialFilterExpression={"state": BarState.PARTIAL.value},
            ),
        ]
        gap_indexes = [
            IndexModel([("keys", ASCENDING), ("start", ASCENDING)]),
            IndexModel([("state", ASCENDING), ("end", ASCENDING)]),
        ]
        # Bars are written window by window and read by instrument. Clustered by `_id`, the bars
        # of one instrument's month lie together on disk.
        await ensure_collection(self._db, BARS, BAR_SCHEMA, bar_indexes, by_id=True)
        await ensure_collection(self._db, GAPS, GAP_SCHEMA, gap_indexes)
        await ensure_collection(self._db, CHECKPOINTS, CHECKPOINT_SCHEMA, [])
        await self._unpublished.prepare()
        await self._set_retention()

    async def _set_retention(self) -> None:
        """Create, change or drop the TTL indexes."""
        secs = self._retention_days * _DAY_SECS
        for collection in (self._bars, self._gaps):
            try:
                indexes = await collection.index_information()
                current_secs = indexes.get(_RETENTION_INDEX, {}).get("expireAfterSeconds")
                if current_secs is not None and current_secs != secs:
                    await collection.drop_index(_RETENTION_INDEX)
            except OperationFailure as error:
                if error.code != _INDEX_NOT_FOUND:  # another persister may have dropped it
                    raise
            if secs:
                await collection.create_index(
                    "start", name=_RETENTION_INDEX, expireAfterSeconds=secs
                )

    async def take_over(self) -> tuple[int, AggregatorState]:
        """Supersede every older leader. Returns the new epoch and the last leader's state."""
        document = await self._guard.take_over()
        epoch: int = document["epoch"]
        if "state" not in document:
            return epoch, AggregatorState()
        try:
            return epoch, decode_state(document["state"])
        except msgspec.DecodeError as error:
            log.warning("checkpoint unreadable, rereading the whole stream", error=str(error))
            return epoch, AggregatorState()

    async def commit(self, closed: ClosedWindows, epoch: int) -> StoredBars:
        """Write the bars and gaps of closed windows, and the checkpoint, in one transaction.

        Writing the same again changes nothing. Returns the bars as written, to publish. Raises
        StaleEpoch, having written nothing, if a newer leader has taken over.
        """
        if not self._is_rewriting:
            try:
                return await self._commit(closed, epoch, self._insert_bars)
            except BulkWriteError as error:
                if not _is_duplicate(error):
                    raise
        return await self._commit(closed, epoch, self._rewrite_bars)

    async def _commit(self, closed: ClosedWindows, epoch: int, save: _SaveBars) -> StoredBars:
        gaps = [
            UpdateOne({"_id": gap["_id"]}, {"$setOnInsert": gap}, upsert=True)
            for gap in map(gap_document, closed.gaps)
        ]
        checkpoint = {"closed_until": to_datetime(closed.until_ms), "state": closed.checkpoint}

        async def write(session: AsyncClientSession) -> StoredBars:
            written = await save(closed, session)
            if gaps:
                await self._gaps.bulk_write(gaps, ordered=False, session=session)
            return await self._unpublished.note(written, session)

        stored = await self._guard.transact(epoch, {"$set": checkpoint}, write)
        _count_stored(stored.bars)
        return stored

    async def amend(
        self, bars: Sequence[Bar], epoch: int, doubted: Collection[BarPlace] = ()
    ) -> StoredBars:
        """Write bars that have changed since they were stored.

        `doubted`: those that were complete and are partial now. Returns the bars as written, to
        publish. Raises StaleEpoch as `commit`.
        """

        async def write(session: AsyncClientSession) -> StoredBars:
            written, _ = await self._write_bars(bars, doubted, session)
            return await self._unpublished.note(written, session)

        stored = await self._guard.transact(epoch, _AMENDMENT, write)
        _count_stored(stored.bars)
        return stored

    async def repair(self, bars: Sequence[Bar], epoch: int) -> StoredBars:
        """Write bars made of Upstox's candles, except where a bar is complete or repaired.

        A partial bar's fields that only quotes give are preserved. Returns the bars as written,
        to publish. Raises StaleEpoch as `commit`.
        """
        documents = {document["_id"]: document for document in map(bar_document, bars)}

        async def write(session: AsyncClientSession) -> StoredBars:
            merged = dict(documents)
            cursor = self._bars.find({"_id": {"$in": list(documents)}}, session=session)
            async for stored in cursor:
                if stored["state"] == BarState.PARTIAL.value:
                    preserved = {name: stored[name] for name in _QUOTE_FIELDS}
                    merged[stored["_id"]] = documents[stored["_id"]] | preserved
                else:
                    del merged[stored["_id"]]
            await self._replace(merged.values(), session)
            written = [bar_from_document(document) for document in merged.values()]
            return await self._unpublished.note(written, session)

        repaired = await self._guard.transact(epoch, _AMENDMENT, write)
        _count_stored(repaired.bars)
        return repaired

    async def transact(self, epoch: int, write: Callable[[AsyncClientSession], Awaitable[T]]) -> T:
        """Call `write` in a transaction of the leader. Raises StaleEpoch as `commit`."""
        return await self._guard.transact(epoch, _AMENDMENT, write)

    async def settle_gaps(
        self, gap_ids: Collection[str], key: str, outcome: GapState, epoch: int
    ) -> None:
        """Record that `key` is repaired or abandoned in these gaps, as `outcome` says.

        A gap in which the instrument has a partial bar is not repaired and stays open. A gap in
        which no instrument is open any more gets the state `outcome`. Raises StaleEpoch as
        `commit`.
        """
        if not gap_ids:
            return
        settled: Document = {"$pull": {"open_keys": key}}
        if outcome is GapState.ABANDONED:
            settled["$addToSet"] = {"abandoned_keys": key}

        async def write(session: AsyncClientSession) -> None:
            open_gaps = {"_id": {"$in": list(gap_ids)}, "open_keys": key}
            ids = [
                gap["_id"]
                async for gap in self._gaps.find(open_gaps, {"start": 1, "end": 1}, session=session)
                if outcome is GapState.ABANDONED or not await self._is_partial(key, gap, session)
            ]
            over = {"_id": {"$in": ids}, "open_keys": [], "state": GapState.OPEN.value}
            updates = [
                UpdateMany({"_id": {"$in": ids}}, settled),
                UpdateMany(over, {"$set": {"state": outcome.value}}),
            ]
            await self._gaps.bulk_write(updates, ordered=True, session=session)

        await self._guard.transact(epoch, _AMENDMENT, write)

    async def _is_partial(self, key: str, gap: Document, session: AsyncClientSession) -> bool:
        """Whether `key` has a partial bar in the gap."""
        span = bar_id_range(key, to_ms(gap["start"]), to_ms(gap["end"]))
        partial = {"_id": span, "state": BarState.PARTIAL.value}
        return await self._bars.find_one(partial, {"_id": 1}, session=session) is not None

    async def _insert_bars(
        self, closed: ClosedWindows, session: AsyncClientSession
    ) -> Sequence[Bar]:
        """Write bars that are all new. Raises BulkWriteError if one is stored already."""
        bars = closed.bars
        if bars:
            await self._bars.insert_many(map(bar_document, bars), ordered=False, session=session)
        return bars

    async def _rewrite_bars(
        self, closed: ClosedWindows, session: AsyncClientSession
    ) -> Sequence[Bar]:
        """Write bars of which some may be stored already."""
        written, replaced = await self._write_bars(closed.bars, closed.doubted, session)
        self._is_rewriting = replaced > 0
        return written

    async def _write_bars(
        self, bars: Sequence[Bar], doubted: Collection[BarPlace], session: AsyncClientSession
    ) -> tuple[Sequence[Bar], int]:
        """Write bars, but no partial bar over a better one that is not doubted.

        Returns the bars that were written, and how many of them replaced another.
        """
        by_id = {bar_id(bar.key, bar.start): bar for bar in bars}
        partial = [name for name, bar in by_id.items() if bar.state is BarState.PARTIAL]
        if partial:
            query = {"_id": {"$in": partial}, "state": {"$ne": BarState.PARTIAL.value}}
            async for document in self._bars.find(query, session=session):
                bar = by_id[document["_id"]]
                is_doubted = (bar.key, bar.start) in doubted
                if must_stay(bar_from_document(document), bar, is_doubted=is_doubted):
                    del by_id[document["_id"]]
        written = list(by_id.values())
        return written, await self._replace(map(bar_document, written), session)

    async def _replace(self, documents: Iterable[Document], session: AsyncClientSession) -> int:
        """Write documents. Returns how many replaced another."""
        writes = [ReplaceOne({"_id": doc["_id"]}, doc, upsert=True) for doc in documents]
        if not writes:
            return 0
        result = await self._bars.bulk_write(writes, ordered=False, session=session)
        return result.matched_count


def _is_duplicate(error: BulkWriteError) -> bool:
    """Whether documents with the same ids are the only fault."""
    return {fault["code"] for fault in error.details["writeErrors"]} == {_DUPLICATE_KEY}


def _count_stored(bars: Iterable[Bar]) -> None:
    for bar in bars:
        metrics.BARS.labels(bar.state.value).inc()
