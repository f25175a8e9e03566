"""Stores the accounts of a partition, so that a new owner reads only the entries after them.

A set of snapshots counts once the partition's document names it. The name is stored together with a
checkpoint of the paper broker that is newer than each snapshot of the set.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec
from bson.binary import Binary
from pymongo.asynchronous.client_session import AsyncClientSession

from services.trading.portfolio.account import PaperAccount
from services.trading.store.documents import SNAPSHOTS
from shared.runtime.epoch_guard import EpochGuard
from shared.runtime.mongo import Document, Mongo

_MAX_REMOVED: Final = 500
_MAX_BATCH_BYTES: Final = 4 << 20
_MAX_SNAPSHOT_BYTES: Final = 15 << 20
"""A document of MongoDB has at most 16 MiB."""


@dataclass(frozen=True, slots=True)
class SnapshotSet:
    """All entries with a number up to `number` are part of the snapshots of this set."""

    id: str
    number: int
    count: int
    """Of accounts."""


class AccountSnapshots:
    """The snapshots of one partition. All methods raise PyMongoError without the database."""

    def __init__(self, mongo: Mongo, partition: str) -> None:
        self._snapshots = mongo.db.get_collection(SNAPSHOTS)
        self._partition = partition

    async def write(self, set_id: str, accounts: Iterable[PaperAccount]) -> int:
        """Store the accounts that have entries, each as it is when its turn comes.

        Returns their number. Raises ValueError for an account that is too large.
        """
        count = batch_bytes = 0
        batch: list[Document] = []
        for account in accounts:
            if not account.seq:
                continue
            state = account.state()
            if len(state) > _MAX_SNAPSHOT_BYTES:
                await self._snapshots.delete_many(self._of(set_id))
                raise ValueError(f"the account of {account.user_id} has {len(state)} bytes")
            count += 1
            batch_bytes += len(state)
            batch.append(self._document(set_id, account, state))
            if batch_bytes >= _MAX_BATCH_BYTES:
                await self._snapshots.insert_many(batch, ordered=False)
                batch, batch_bytes = [], 0
        if batch:
            await self._snapshots.insert_many(batch, ordered=False)
        return count

    async def read(self, stored: SnapshotSet) -> list[PaperAccount]:
        """The accounts of a set. Raises ValueError if one is missing or cannot be used."""
        found = self._snapshots.find(self._of(stored.id), {"state": 1})
        try:
            accounts = [
                PaperAccount.from_state(bytes(document["state"])) async for document in found
            ]
        except msgspec.DecodeError as error:
            raise ValueError(f"a snapshot cannot be used: {error}") from error
        if len(accounts) != stored.count:
            raise ValueError(f"{len(accounts)} of {stored.count} snapshots are stored")
        return accounts

    async def remove_others(self, set_id: str, guard: EpochGuard, epoch: int) -> None:
        """Remove all other sets. Raises StaleEpoch if another owner has taken over.

        In small transactions: changes of the journal wait for each.
        """
        others = {"partition": self._partition, "set": {"$ne": set_id}}
        while True:
            found = self._snapshots.find(others, {"_id": 1}, limit=_MAX_REMOVED)
            ids = [document["_id"] async for document in found]
            if not ids:
                return

            async def remove(session: AsyncClientSession, ids: list[str] = ids) -> None:
                await self._snapshots.delete_many({"_id": {"$in": ids}}, session=session)

            await guard.transact(epoch, {"$inc": {"commits": 1}}, remove)

    def _of(self, set_id: str) -> Document:
        return {"partition": self._partition, "set": set_id}

    def _document(self, set_id: str, account: PaperAccount, state: bytes) -> Document:
        return self._of(set_id) | {
            "_id": f"{self._partition}|{set_id}|{account.user_id}",
            "user": account.user_id,
            "seq": account.seq,
            "state": Binary(state),
        }
