"""Appends to the journal in groups: what waits is stored in one transaction.

A transaction takes some milliseconds whatever its size, so all that arrives during one is
written by the next. The order of `append` calls is the order in the journal.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bson.binary import Binary
from pymongo import ASCENDING, IndexModel, ReplaceOne
from pymongo.asynchronous.client_session import AsyncClientSession

from services.trading import metrics
from services.trading.journal.record import CommandRecord, Record
from services.trading.store.account_snapshots import AccountSnapshots, SnapshotSet
from services.trading.store.documents import (
    COMMAND_SCHEMA,
    COMMANDS,
    JOURNAL,
    JOURNAL_SCHEMA,
    PARTITION_SCHEMA,
    PARTITIONS,
    SNAPSHOT_SCHEMA,
    SNAPSHOTS,
    command_document,
    journal_document,
    utc_now,
)
from shared.errors import Overloaded, Unavailable
from shared.runtime.epoch_guard import EpochGuard
from shared.runtime.mongo import Document, Mongo, ensure_collection

NOT_KNOWN: Final = (
    "whether this was stored is not known; repeat the command with the same Idempotency-Key"
)
_MAX_WAITING: Final = 10_000
_MAX_GROUP: Final = 1_000
_DAY_SECS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of the paper broker after `number` entries and the entry of TICKS at `position`."""

    number: int
    position: int
    stream: str
    """Identity of TICKS."""
    state: bytes
    snapshots: SnapshotSet | None = None
    """The newest set of accounts, none of which is newer than this state."""


@dataclass(frozen=True, slots=True)
class ReadEntry:
    """An entry of TICKS that was processed; by both fields it is told from any other."""

    position: int
    stored_ns: int
    """When the server stored it, epoch ns."""


@dataclass(frozen=True, slots=True)
class _Unit:
    records: Sequence[Record]
    command: CommandRecord | None
    stored: "asyncio.Future[None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


async def prepare_collections(mongo: Mongo, *, audit_days: int) -> None:
    """Create the collections with validators and indexes. Raises PyMongoError."""
    by_number = IndexModel([("slot", ASCENDING), ("number", ASCENDING)])
    await ensure_collection(mongo.db, JOURNAL, JOURNAL_SCHEMA, [by_number])
    by_set = IndexModel([("partition", ASCENDING), ("set", ASCENDING)])
    await ensure_collection(mongo.db, SNAPSHOTS, SNAPSHOT_SCHEMA, [by_set])
    expiry = IndexModel("stored_at", expireAfterSeconds=audit_days * _DAY_SECS)
    await ensure_collection(mongo.db, COMMANDS, COMMAND_SCHEMA, [expiry])
    await ensure_collection(mongo.db, PARTITIONS, PARTITION_SCHEMA, [])


async def forget_other_numbers(mongo: Mongo, partitions: int) -> None:
    """Remove the checkpoints that were stored with another number of partitions.

    Entries are numbered by partition, so their numbers mean nothing now, nor later, should that
    number be used again. Raises PyMongoError.
    """
    others = {"_id": {"$not": {"$regex": f"/{partitions}$"}}}
    names = ("state", "snapshots_id", "snapshots_number", "snapshots_count")
    await mongo.db.get_collection(PARTITIONS).update_many(
        others, {"$unset": dict.fromkeys(names, "")}
    )


class Journal:
    """The journal of one term; `run` stores what `append` was given.

    `number` is that of the last stored record, `snapshots` the set of accounts that counts.
    """

    def __init__(
        self,
        mongo: Mongo,
        guard: EpochGuard,
        epoch: int,
        publish: Callable[[Sequence[Record]], Awaitable[None]],
        *,
        number: int,
        snapshots: SnapshotSet | None = None,
    ) -> None:
        self._journal = mongo.db.get_collection(JOURNAL)
        self._commands = mongo.db.get_collection(COMMANDS)
        self._guard = guard
        self._epoch = epoch
        self._publish = publish
        self.number = number
        """Of the last record that was appended."""
        self.last_read: ReadEntry | None = None
        """The last entry of TICKS that was processed; stored with each change."""
        self.snapshots = snapshots
        """The newest set of accounts; it counts from the next checkpoint on."""
        self.stored_snapshots = snapshots
        """The set that counts."""
        self._waiting: asyncio.Queue[_Unit] = asyncio.Queue(_MAX_WAITING)
        self._last: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Store until cancelled. Raises StaleEpoch or PyMongoError if that is not possible.

        Then every `append` that waits fails with Unavailable: whether it was stored is not known.
        """
        units: list[_Unit] = []
        try:
            while True:
                units = [await self._waiting.get()]
                while len(units) < _MAX_GROUP and not self._waiting.empty():
                    units.append(self._waiting.get_nowait())
                await self._store(units)
                for unit in units:
                    unit.stored.set_result(None)
                await self._publish([record for unit in units for record in unit.records])
                units = []
        finally:
            while not self._waiting.empty():
                units.append(self._waiting.get_nowait())
            for unit in units:
                _fail(unit.stored)

    def append(
        self, records: Sequence[Record], command: CommandRecord | None = None
    ) -> "asyncio.Future[None]":
        """Queue records and the command that caused them, to be stored together.

        The result is done once they are stored; its exception is Unavailable if that is not
        known. Raises Overloaded if too many wait; nothing is queued then. Raises RuntimeError if
        records were left out: the journal would have a gap.
        """
        if records and records[0].number != self.number + 1:
            raise RuntimeError(f"record {records[0].number} does not follow {self.number}")
        unit = _Unit(records, command)
        try:
            self._waiting.put_nowait(unit)
        except asyncio.QueueFull:
            raise Overloaded("too many changes wait to be stored; try again") from None
        self._last = unit.stored
        self.number += len(records)
        return unit.stored

    @property
    def has_room(self) -> bool:
        """Whether `append` would not raise."""
        return self.has_room_for(1)

    def has_room_for(self, units: int) -> bool:
        """Whether this number of calls of `append` would not raise."""
        return self._waiting.qsize() + units <= _MAX_WAITING

    async def settle(self) -> None:
        """Wait until everything that was appended before is stored. Raises Unavailable."""
        if self._last is not None:
            await asyncio.shield(self._last)

    async def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Store the state of the paper broker. All records up to its number must be stored."""
        change: Document = {
            "$set": {
                "number": checkpoint.number,
                "position": checkpoint.position,
                "stream": checkpoint.stream,
                "state": Binary(checkpoint.state),
            }
            | _snapshot_fields(checkpoint.snapshots)
            | self._read_fields()
        }

        async def write(_: AsyncClientSession) -> None:
            return None

        await self._guard.transact(self._epoch, change, write)
        self.stored_snapshots = checkpoint.snapshots

    def snapshot_id(self, number: int) -> str:
        """The id of a new set of accounts: no other owner gives the same."""
        return f"{self._epoch}-{number}"

    async def remove_other_snapshots(self, store: AccountSnapshots, kept: SnapshotSet) -> None:
        """Remove all stored sets of accounts but `kept`. Raises StaleEpoch and PyMongoError."""
        await store.remove_others(kept.id, self._guard, self._epoch)

    def _commit(self) -> Document:
        change: Document = {"$inc": {"commits": 1}}
        return change | {"$set": fields} if (fields := self._read_fields()) else change

    def _read_fields(self) -> Document:
        read = self.last_read
        if read is None:
            return {}
        return {"read_position": read.position, "read_stored_ns": read.stored_ns}

    async def _store(self, units: Sequence[_Unit]) -> None:
        now = utc_now()
        entries = [journal_document(record, now) for unit in units for record in unit.records]
        commands = [u.command for u in units if u.command is not None]
        new = [command_document(one, now) for one in commands if not one.replaces]
        answered = [command_document(one, now) for one in commands if one.replaces]

        async def write(session: AsyncClientSession) -> None:
            if entries:
                await self._journal.insert_many(entries, ordered=True, session=session)
            if new:
                await self._commands.insert_many(new, ordered=True, session=session)
            if answered:
                await self._commands.bulk_write(
                    [ReplaceOne({"_id": one["_id"]}, one) for one in answered], session=session
                )

        with metrics.COMMIT_SECONDS.time():
            await self._guard.transact(self._epoch, self._commit(), write)
        metrics.JOURNAL_ENTRIES.inc(len(entries))


def _snapshot_fields(stored: SnapshotSet | None) -> Document:
    if stored is None:
        return {}
    return {
        "snapshots_id": stored.id,
        "snapshots_number": stored.number,
        "snapshots_count": stored.count,
    }


def _fail(stored: "asyncio.Future[None]") -> None:
    if not stored.done():
        stored.set_exception(Unavailable(NOT_KNOWN))
        stored.exception()  # nobody may wait for it
