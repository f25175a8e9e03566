"""Stores the accounts of a partition from time to time, so that a takeover stays short."""

from typing import Final

from services.trading import metrics
from services.trading.partition.ledger import Ledger
from services.trading.store.account_snapshots import AccountSnapshots, SnapshotSet
from services.trading.store.journal import Journal
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_LOOK_SECS: Final = 1.0


class Snapshots:
    """The snapshots of one term: a new set after every `every_entries` entries of the journal."""

    def __init__(
        self,
        ledger: Ledger,
        journal: Journal,
        store: AccountSnapshots,
        clock: Clock,
        *,
        partition: int,
        every_entries: int,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._store = store
        self._clock = clock
        self._every_entries = every_entries
        self._tail = metrics.JOURNAL_TAIL.labels(partition)
        self._cleaned: SnapshotSet | None = None
        self._refused_at = 0
        """Number of the last record when the accounts could not be stored."""

    async def run(self) -> None:
        """Store until cancelled. Raises StaleEpoch or PyMongoError if that is not possible."""
        while True:
            stored = self._journal.stored_snapshots
            since = 0 if stored is None else stored.number
            self._tail.set(self._ledger.number - since)
            if stored is not None and stored is not self._cleaned:
                await self._journal.remove_other_snapshots(self._store, stored)
                self._cleaned = stored
            is_awaited = self._journal.snapshots is not stored
            newest = max(since, self._refused_at)
            if not is_awaited and self._ledger.number - newest >= self._every_entries:
                await self._take()
            await self._clock.sleep(_LOOK_SECS)

    async def _take(self) -> None:
        """Store all accounts; the next checkpoint of the broker names the set."""
        number = self._ledger.number
        if self._ledger.closed:
            # Without its entries before the set, a repaired account would begin anew.
            self._refuse(number, "the journal of an account is damaged")
            return
        try:
            count = await self._store.write(
                set_id := self._journal.snapshot_id(number), list(self._ledger.accounts())
            )
        except ValueError as error:
            self._refuse(number, str(error))
            return
        self._journal.snapshots = SnapshotSet(set_id, number, count)
        log.info("accounts stored", number=number, accounts=count)

    def _refuse(self, number: int, reason: str) -> None:
        self._refused_at = number
        log.warning("accounts are not stored: a takeover reads the whole journal", reason=reason)
