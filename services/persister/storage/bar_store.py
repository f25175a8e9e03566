"""Bars, gaps and the replay position in MongoDB, written together or not at all.

Every write is guarded by an epoch that counts in the database: all of them touch the
checkpoint of the newest leader, so an older one's are refused, and no two interleave.

A leader that dies between two writes leaves a transaction behind, which keeps all others
from the checkpoint for as long as the server lets it live: a minute. So a process makes all
its transactions in one session, of which the server knows only one at a time, and notes it
in the checkpoint, where its successor finds it and has it ended.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeVar

import msgspec
from pymongo import ASCENDING, IndexModel, ReplaceOne, ReturnDocument, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import BulkWriteError, OperationFailure

from services.persister.aggregation.aggregator import Closed
from services.persister.aggregation.checkpoint import State, decode_state
from services.persister.storage.documents import (
    BAR_SCHEMA,
    CHECKPOINT_SCHEMA,
    GAP_SCHEMA,
    bar_document,
    bar_of,
    gap_document,
)
from shared.contracts.messages import Bar, BarState
from shared.errors import StaleEpoch
from shared.market.exchange_time import to_datetime
from shared.runtime.logs import get_logger
from shared.runtime.mongo import Document, Mongo, ensure_collection

log = get_logger(__name__)

BARS: Final = "bars_5m"
CHECKPOINTS: Final = "checkpoints"
GAPS: Final = "gaps"
_ID: Final = "bars_5m"
_RETENTION: Final = "retention"
_NO_SUCH_INDEX: Final = 27
_DUPLICATE: Final = 11_000
_DAY_SECS: Final = 86_400

T = TypeVar("T")
Save = Callable[[Sequence[Bar], AsyncClientSession], Awaitable[None]]


def _is_duplicate(error: BulkWriteError) -> bool:
    """Whether there is a document of that `_id`, and no other fault."""
    codes = {one["code"] for one in error.details["writeErrors"]}
    return codes == {_DUPLICATE}


class BarStore:
    """All methods raise pymongo.errors.PyMongoError while the database is away."""

    def __init__(self, mongo: Mongo, *, retention_days: int = 0) -> None:
        self._client = mongo.client
        self._db = mongo.db
        self._bars = mongo.db.get_collection(BARS)
        self._checkpoints = mongo.db.get_collection(CHECKPOINTS)
        self._gaps = mongo.db.get_collection(GAPS)
        self._retention_days = retention_days
        self._session = mongo.client.start_session()
        self._writing = asyncio.Lock()
        # Bars of a window are new, unless it is read again: to insert them takes a fraction of
        # the time that it takes to replace what may be there.
        self._repeating = False

    async def close(self) -> None:
        """No more writes."""
        await self._session.end_session()

    async def prepare(self) -> None:
        """Create the collections with their validator and indexes, or bring them up to date."""
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
        # Windows are written one after the other, and read by instrument: a month of one must
        # not lie in as many places as it has bars.
        await ensure_collection(self._db, BARS, BAR_SCHEMA, bar_indexes, by_id=True)
        await ensure_collection(self._db, GAPS, GAP_SCHEMA, gap_indexes)
        await ensure_collection(self._db, CHECKPOINTS, CHECKPOINT_SCHEMA, [])
        await self._set_retention()

    async def _set_retention(self) -> None:
        """The server deletes bars, and gaps, that are older than the setting allows."""
        secs = self._retention_days * _DAY_SECS
        for collection in (self._bars, self._gaps):
            try:
                indexes = await collection.index_information()
                kept = indexes.get(_RETENTION, {}).get("expireAfterSeconds")
                if kept is not None and kept != secs:
                    await collection.drop_index(_RETENTION)
            except OperationFailure as error:
                if error.code != _NO_SUCH_INDEX:  # another persister was quicker
                    raise
            if secs:
                await collection.create_index("start", name=_RETENTION, expireAfterSeconds=secs)

    async def take_over(self) -> tuple[int, State]:
        """Shut out every older leader: our epoch, and what the last one knew.

        The epoch counts here and not in the lease's bucket, which could be lost.
        """
        before = await self._checkpoints.find_one({"_id": _ID}, {"session": 1})
        if before is not None and "session" in before:
            try:
                await self._client.admin.command("killSessions", [{"id": before["session"]}])
            except OperationFailure as error:  # some hosted databases do not have the command
                log.warning("the last leader's session cannot be ended", error=str(error))
        session = self._session.session_id["id"]
        document: Document = await self._checkpoints.find_one_and_update(  # type: ignore[assignment]
            {"_id": _ID},
            {"$inc": {"epoch": 1}, "$set": {"session": session}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        epoch: int = document["epoch"]
        if "state" not in document:
            return epoch, State()
        try:
            return epoch, decode_state(document["state"])
        except msgspec.DecodeError as error:
            log.warning("checkpoint of another release; reading all again", error=str(error))
            return epoch, State()

    async def commit(self, closed: Closed, epoch: int) -> None:
        """Write bars of windows that are over, their gaps and the checkpoint in one transaction.

        Writing the same again changes nothing. Raises StaleEpoch, having written nothing, if
        a newer leader has taken over.
        """
        if not self._repeating:
            try:
                await self._commit(closed, epoch, self._insert)
            except BulkWriteError as error:
                if not _is_duplicate(error):
                    raise
            else:
                return
        await self._commit(closed, epoch, self._write_again)

    async def _commit(self, closed: Closed, epoch: int, save: Save) -> None:
        gaps = [
            UpdateOne({"_id": gap["_id"]}, {"$setOnInsert": gap}, upsert=True)
            for gap in map(gap_document, closed.missing)
        ]
        change = {
            "$set": {"closed_until": to_datetime(closed.until), "state": closed.checkpoint},
        }

        async def write(session: AsyncClientSession) -> None:
            await self._guard(epoch, change, session)
            await save(closed.bars, session)
            if gaps:
                await self._gaps.bulk_write(gaps, ordered=False, session=session)

        await self._transact(write)

    async def amend(self, bars: Sequence[Bar], epoch: int) -> None:
        """Write bars again that have changed. Raises StaleEpoch as `commit` does."""

        async def write(session: AsyncClientSession) -> None:
            await self._guard(epoch, {"$inc": {"amendments": 1}}, session)
            await self._write_bars(bars, session)

        await self._transact(write)

    async def repair(self, bars: Sequence[Bar], epoch: int) -> list[Bar]:
        """Write bars made of Upstox's candles, except where there is a complete one.

        What quotes alone tell is kept of a partial one. Returns what was written; raises
        StaleEpoch as `commit` does.
        """
        documents = {document["_id"]: document for document in map(bar_document, bars)}

        async def write(session: AsyncClientSession) -> list[Bar]:
            await self._guard(epoch, {"$inc": {"amendments": 1}}, session)
            merged = dict(documents)
            found = self._bars.find({"_id": {"$in": list(documents)}}, session=session)
            async for stored in found:
                if stored["state"] == BarState.PARTIAL.value:
                    kept = ("ltq", "ltt", "atp", "ticks", "silent_ms", "epoch")
                    merged[stored["_id"]] |= {name: stored[name] for name in kept}
                else:
                    del merged[stored["_id"]]
            await self._replace(merged.values(), session)
            return [bar_of(document) for document in merged.values()]

        return await self._transact(write)

    async def _transact(self, write: Callable[[AsyncClientSession], Awaitable[T]]) -> T:
        async with self._writing:
            return await self._session.with_transaction(write)

    async def _insert(self, bars: Sequence[Bar], session: AsyncClientSession) -> None:
        """Write bars that are new. Raises BulkWriteError if one is not."""
        if bars:
            await self._bars.insert_many(map(bar_document, bars), ordered=False, session=session)

    async def _write_again(self, bars: Sequence[Bar], session: AsyncClientSession) -> None:
        """Write bars of which some may be there already."""
        self._repeating = await self._write_bars(bars, session) > 0

    async def _write_bars(self, bars: Sequence[Bar], session: AsyncClientSession) -> int:
        """Write `bars`; one that is partial leaves a repaired one as it is. Returns how many
        of those written were there before.
        """
        documents = {document["_id"]: document for document in map(bar_document, bars)}
        partial = [i for i, doc in documents.items() if doc["state"] == BarState.PARTIAL.value]
        if partial:
            query = {"_id": {"$in": partial}, "state": BarState.REPAIRED.value}
            async for repaired in self._bars.find(query, {"_id": 1}, session=session):
                del documents[repaired["_id"]]
        return await self._replace(documents.values(), session)

    async def _replace(self, documents: Iterable[Document], session: AsyncClientSession) -> int:
        """How many of them were there before."""
        writes = [ReplaceOne({"_id": doc["_id"]}, doc, upsert=True) for doc in documents]
        if writes:
            done = await self._bars.bulk_write(writes, ordered=False, session=session)
            return done.matched_count
        return 0

    async def _guard(self, epoch: int, change: Document, session: AsyncClientSession) -> None:
        """Let nobody else write until this is done. Raises StaleEpoch."""
        moved = await self._checkpoints.update_one(
            {"_id": _ID, "epoch": epoch}, change, session=session
        )
        if not moved.matched_count:
            document = await self._checkpoints.find_one({"_id": _ID}, session=session)
            raise StaleEpoch(epoch, document["epoch"] if document else 0)
