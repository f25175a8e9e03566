"""Reads the journal: the accounts of a partition, stored commands, and a user's events."""

from collections.abc import AsyncIterator
from typing import Final

import msgspec
from bson.binary import Binary
from pymongo import ASCENDING

from services.trading.journal.record import DamagedRecord, Record
from services.trading.store.account_snapshots import SnapshotSet
from services.trading.store.documents import (
    JOURNAL,
    entry_id,
    record_from_document,
)
from services.trading.store.journal import Checkpoint, ReadEntry
from shared.contracts.trading import MAX_PARTITIONS
from shared.runtime.mongo import Document, Mongo

_BATCH: Final = 5_000


class JournalReader:
    """All methods raise PyMongoError while the database is unavailable."""

    def __init__(self, mongo: Mongo) -> None:
        self._journal = mongo.db.get_collection(JOURNAL)

    async def records(
        self, partition: int, partitions: int, *, after: int = 0
    ) -> AsyncIterator[Record | DamagedRecord]:
        """The records of a partition's users after a number, each user's in order."""
        slots = list(range(partition, MAX_PARTITIONS, partitions))
        wanted = {"slot": {"$in": slots}, "number": {"$gt": after}}
        cursor = self._journal.find(wanted, batch_size=_BATCH)
        async for document in cursor.sort([("slot", ASCENDING), ("number", ASCENDING)]):
            try:
                yield record_from_document(document)
            except msgspec.DecodeError as error:
                yield DamagedRecord(
                    number=document["number"], user_id=document["user"],
                    reason=f"entry {document['seq']}: {error}",
                )  # fmt: skip

    async def order_entries(self, user_id: str, order_id: str) -> list[bytes]:
        """The entries of one order as JSON, oldest first."""
        cursor = self._journal.find(
            {"_id": _ids_after(user_id, 0), "order": order_id}, {"entry": 1}
        )
        return [bytes(document["entry"]) async for document in cursor.sort("_id")]

    async def events(self, user_id: str, after: int, last: int, limit: int) -> list[bytes]:
        """The user's events after one sequence number, up to another, as JSON, oldest first."""
        ids = {"$gt": entry_id(user_id, after), "$lte": entry_id(user_id, last)}
        cursor = self._journal.find({"_id": ids}, {"event": 1})
        return [bytes(document["event"]) async for document in cursor.sort("_id").limit(limit)]


def checkpoint_of(document: Document) -> Checkpoint | None:
    """The checkpoint in a partition's document; None if it has none."""
    state = document.get("state")
    if not isinstance(state, bytes | Binary):
        return None
    return Checkpoint(document["number"], document["position"], document["stream"], bytes(state))


def snapshots_of(document: Document) -> SnapshotSet | None:
    """The set of accounts that a partition's document names; None without one."""
    if "snapshots_id" not in document:
        return None
    return SnapshotSet(
        document["snapshots_id"], document["snapshots_number"], document["snapshots_count"]
    )


def last_read_of(document: Document) -> ReadEntry | None:
    """The last entry of TICKS that the partition's owner had processed; None if it is not known."""
    if "read_position" not in document:
        return None
    return ReadEntry(document["read_position"], document["read_stored_ns"])


def _ids_after(user_id: str, seq: int) -> dict[str, str]:
    return {"$gt": entry_id(user_id, seq), "$lt": f"{user_id}|~"}
