"""Reads TICKS and lets the paper broker fill orders; stores its state now and then."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import Final

from services.trading import metrics
from services.trading.journal.record import Record
from services.trading.partition.ledger import Ledger
from services.trading.partition.loss_locks import LossLocks
from services.trading.partition.paper_results import order_changes
from services.trading.store.journal import Checkpoint, Journal, ReadEntry
from shared.bus.lease import Term
from shared.bus.stream_reader import Entry
from shared.bus.tick_reader import TickReader
from shared.contracts.subjects import CLOCK
from shared.market.exchange_calendar import Calendar
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_CHECKPOINT_SECS: Final = 5.0
_MAX_STATE_BYTES: Final = 15 << 20
"""A document of MongoDB has at most 16 MiB."""

Replayed = tuple[int, Callable[[], None]]
"""A command that is applied again: the position after which it was accepted, and its effect."""


class Market:
    """Drives the ledger by the entries of TICKS, for one term.

    `commands` are those that were accepted after the state of the broker was stored, in order.
    `calendar` may get other data at any time; the broker takes them over between two entries.
    `day_ends` ends trading days, before anything of a new day is recorded.
    `due` carries out what the time of the market causes else, once the broker is current.
    With `is_new`, no such state is stored; then it is stored first. Otherwise a takeover within
    the first seconds would lose what open orders have met.
    """

    def __init__(
        self,
        ledger: Ledger,
        journal: Journal,
        term: Term,
        clock: Clock,
        calendar: Calendar,
        *,
        stream: str,
        last_position: int,
        commands: Iterable[Replayed],
        day_ends: Callable[[], list[Record]],
        due: Callable[[], list[Record]],
        is_new: bool,
    ) -> None:
        self._ledger = ledger
        self._journal = journal
        self._term = term
        self._clock = clock
        self._calendar = calendar
        self._stream = stream
        self._last_position = last_position
        self._commands = deque(commands)
        self._day_ends = day_ends
        self._due = due
        self._loss_locks = LossLocks(ledger)
        self._skipped: Counter[tuple[str, str]] = Counter()
        """Entries that were reported as skipped, by kind and reason."""
        self._is_new = is_new
        self.is_current = asyncio.Event()
        """Set once everything that TICKS held at the start has been processed."""

    async def run(self, reader: TickReader) -> None:
        """Process entries until cancelled. Raises LeaseLost, and what the reader raises.

        Raises RuntimeError if records were made and not appended to the journal.
        """
        if self._is_new:
            await self._store()
        stored_at = self._clock.monotonic()
        stored: tuple[int, int] | None = None
        self._check_current(has_all=False)
        while True:
            entries = await reader.batch()
            self._term.check()
            self._check_journal()
            if self._takes_calendar():
                await self._store()
            for entry in entries:
                if not self._journal.has_room:
                    await self._journal.settle()
                self._process(entry)
            self._report_skipped()
            self._check_current(has_all=not entries)
            now = self._clock.monotonic()
            reached = self._ledger.number, self._ledger.position
            if now - stored_at >= _CHECKPOINT_SECS and reached != stored:
                await self._store()
                stored_at, stored = now, reached

    def _process(self, entry: Entry) -> None:
        ledger = self._ledger
        while self._commands and self._commands[0][0] < entry.position:
            self._commands.popleft()[1]()
        results = ledger.broker.on_entry(entry.position, entry.subject, entry.data)
        ledger.position = entry.position
        self._journal.last_read = ReadEntry(entry.position, entry.stored_ns)
        is_clock = entry.subject == CLOCK
        # Up to the loaded position, the accounts are further than the market.
        is_new = is_clock and entry.position > ledger.loaded_position
        records = self._day_ends() if is_new else []
        for result in results:
            if result.user_id in ledger.closed:
                continue
            order = ledger.account(result.user_id).orders.get(result.result.order_id)
            if order is None:
                continue  # of an earlier day
            changes = order_changes(order, result.result, ledger.broker.time_ms)
            records += [ledger.record(result.user_id, body) for body in changes]
            metrics.PAPER_RESULTS.labels(type(result.result).__name__).inc(len(changes))
        if is_clock:
            if self.is_current.is_set():
                records += self._due()
            records += self._loss_locks.due()
        if records:  # together: the end of a session ends more orders than the journal lets wait
            self._journal.append(records)

    def _takes_calendar(self) -> bool:
        """Take over other data of the calendar; whether there were any.

        The state must be stored before the next entry is processed. Otherwise a takeover would
        process the same entries by another calendar, with other results.
        """
        data, broker = self._calendar.data, self._ledger.broker
        if not self.is_current.is_set() or data is broker.calendar:
            return False
        broker.use_calendar(data)
        return True

    def _report_skipped(self) -> None:
        broker = self._ledger.broker
        for reason, counts in (("undecodable", broker.undecodable), ("outdated", broker.outdated)):
            for kind, count in counts.items():
                reported = self._skipped[kind, reason]
                if count == reported:
                    continue
                # A former leader of ingest leaves outdated ones.
                if not reported and reason == "undecodable":
                    log.warning("entries of the tick stream skipped", kind=kind)
                metrics.SKIPPED_ENTRIES.labels(kind, reason).inc(count - reported)
                self._skipped[kind, reason] = count

    def _check_current(self, *, has_all: bool) -> None:
        """`has_all`: TICKS holds no further entry. Its last ones may have expired meanwhile."""
        is_reached = has_all or self._ledger.position >= self._last_position
        if self.is_current.is_set() or not is_reached:
            return
        while self._commands:
            self._commands.popleft()[1]()
        if records := self._day_ends():
            self._journal.append(records)
        self.is_current.set()
        log.info("paper broker is current", position=self._ledger.position)

    def _check_journal(self) -> None:
        """Raises RuntimeError if a command has failed after it had changed something.

        The term then begins again from the journal.
        """
        if self._journal.number != self._ledger.number:
            raise RuntimeError("the accounts in memory are not those of the journal")

    async def _store(self) -> None:
        """Store the state of the broker, once all records that it includes are stored."""
        self._check_journal()
        ledger = self._ledger
        state = ledger.broker.state()
        checkpoint = Checkpoint(
            ledger.number, ledger.position, self._stream, state, self._journal.snapshots
        )
        metrics.CHECKPOINT_BYTES.set(len(state))
        if len(state) > _MAX_STATE_BYTES:
            log.error("state of the paper broker is too large to be stored", size_bytes=len(state))
            return  # a takeover then replays more, from the last one that was stored
        await self._journal.settle()
        await self._journal.checkpoint(checkpoint)
