"""Reads the tick stream, aggregates it to bars and stores each window as it closes."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final, Protocol

from nats.js.errors import NotFoundError
from pymongo.errors import PyMongoError

from services.persister import metrics
from services.persister.aggregation.aggregator import Aggregator
from services.persister.aggregation.checkpoint import AggregatorState, resume_on_stream
from services.persister.aggregation.closed_windows import BarPlace, ClosedWindows
from services.persister.aggregation.progress import ProgressMonitor
from services.persister.entry_decoder import apply_entry
from services.persister.settings import PersisterSettings
from services.persister.stored_bars import StoredBars
from shared.bus.connection import Bus
from shared.bus.lease import Term
from shared.bus.stream_reader import Entry
from shared.bus.tick_reader import TickReader, holds_tick, ticks_identity
from shared.contracts.messages import Bar
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger

log = get_logger(__name__)

DEPENDENCY: Final = "tick stream"
"""Name in `Readiness`: down while this leader refuses all entries."""
_MAX_WRITE_RETRIES: Final = 20
_MAX_PAUSE_SECS: Final = 5.0
_AMEND_EVERY_SECS: Final = 1.0
_LOG_EVERY_ENTRIES: Final = 100_000


class WindowStore(Protocol):
    """Stores bars. Both methods raise PyMongoError, and StaleEpoch if another persister leads."""

    async def commit(self, closed: ClosedWindows, epoch: int) -> StoredBars:
        """Store closed windows and the checkpoint, all or nothing. Returns the bars to publish."""
        ...

    async def amend(
        self, bars: Sequence[Bar], epoch: int, doubted: Collection[BarPlace]
    ) -> StoredBars:
        """Store bars that have changed; `doubted` were complete. Returns the bars to publish."""
        ...


class Publisher(Protocol):
    """Publishes stored bars."""

    async def publish(self, stored: StoredBars) -> None:
        """Never raises; bars that cannot be published now are published later."""
        ...


class TermPublisher(Publisher, Protocol):
    """Publishes also what could not be published when it was stored. No method raises."""

    def begin_term(self) -> None:
        """Note that an earlier leader may have left bars unpublished."""
        ...

    async def catch_up(self) -> None:
        """Publish the stored bars that have not been published, if there are any."""
        ...


class Pipeline:
    """Runs for one term of leadership at a time."""

    def __init__(
        self,
        bus: Bus,
        store: WindowStore,
        publisher: TermPublisher,
        settings: PersisterSettings,
        clock: Clock,
        readiness: Readiness,
    ) -> None:
        self._bus = bus
        self._store = store
        self._publisher = publisher
        self._settings = settings
        self._clock = clock
        self._readiness = readiness
        self._is_stalled = False
        self.time_ms: int | None = None
        """Exchange time reached; None before the first entry."""

    async def run(self, term: Term, epoch: int, state: AggregatorState) -> None:
        """Read the stream from `state` on, until cancelled.

        Raises LeaseLost or StaleEpoch if another persister leads, StreamUnavailable or
        PyMongoError if NATS or MongoDB stays unavailable.
        """
        self._publisher.begin_term()
        await self._publisher.catch_up()
        stream_id, last_position = await self._stream(term)
        before = state.next_position
        holds_last = await holds_tick(
            self._bus, before - 1, state.stored_ns, last_position=last_position
        )
        state = resume_on_stream(state, stream_id, last_position, holds_last=holds_last)
        if state.next_position < before:
            log.warning(
                "tick stream was replaced or put back, reading it from its beginning",
                lost_from=before, ends_at=last_position,
            )  # fmt: skip
        aggregator = Aggregator(
            state, grace_ms=self._settings.grace_ms, silent_after_ms=self._settings.silent_after_ms
        )
        start = max(1, state.next_position)
        async with TickReader(self._bus, start=start, stored_ns=state.stored_ns) as reader:
            backlog = await reader.open()
            log.info("reading the tick stream", position=start, epoch=epoch, backlog=backlog)
            try:
                await self._read(reader, aggregator, backlog, epoch, term)
            finally:
                self._report_stall("")  # another leader may be able to go on

    async def _stream(self, term: Term) -> tuple[str, int]:
        """Identity and last position of the tick stream. Waits until ingest has created it."""
        backoff = Backoff(cap_secs=_MAX_PAUSE_SECS)
        while True:
            term.check()
            try:
                return await ticks_identity(self._bus)
            except NotFoundError:
                if not backoff.attempt:
                    log.info("waiting for the tick stream")
                await asyncio.sleep(backoff.next_secs())

    async def _read(
        self, reader: TickReader, aggregator: Aggregator, backlog: int, epoch: int, term: Term
    ) -> None:
        counts = _RefusalCounts(aggregator)
        progress = ProgressMonitor(aggregator, self._clock.monotonic())
        amend_at = self._clock.monotonic()
        while True:
            entries = await reader.batch()
            for entry in entries:
                apply_entry(aggregator, entry)
                if (closed := aggregator.take_closed()) is not None:
                    await self._commit(closed, epoch, term)
                    metrics.OPEN_WINDOWS.set(aggregator.open_window_count)
                    metrics.CHECKPOINT_INSTRUMENTS.set(aggregator.instrument_count)
                    metrics.CHECKPOINT_BYTES.set(len(closed.checkpoint))
            if self._clock.monotonic() >= amend_at:
                await self._amend(aggregator, epoch, term)
                await self._publisher.catch_up()
                amend_at = self._clock.monotonic() + _AMEND_EVERY_SECS
            counts.report()
            self._report_stall(progress.check(self._clock.monotonic()))
            self.time_ms = aggregator.time_ms
            if entries:
                self._report_progress(entries, reader.behind, backlog)
                backlog = max(0, backlog - len(entries))

    def _report_stall(self, reason: str) -> None:
        """Make the persister unready while it refuses all entries."""
        metrics.STALLED.set(bool(reason))
        if not reason:
            self._readiness.up(DEPENDENCY)
        elif not self._is_stalled:
            log.error("no entry of the tick stream can be used", reason=reason)
        if reason:
            self._readiness.down(DEPENDENCY, reason)
        self._is_stalled = bool(reason)

    def _report_progress(self, entries: list[Entry], behind: int, backlog: int) -> None:
        """Set metrics, and log the replay of the `backlog` that these entries are the first of."""
        metrics.ENTRIES.inc(len(entries))
        metrics.STREAM_POSITION.set(entries[-1].position)
        metrics.LAG.set(behind)
        metrics.STREAM_TIMESTAMP.set((self.time_ms or 0) / 1_000)
        remaining = max(0, backlog - len(entries))
        metrics.REPLAY.set(remaining)
        if not backlog:
            return
        if not remaining:
            log.info("backlog replayed")
        elif backlog // _LOG_EVERY_ENTRIES != remaining // _LOG_EVERY_ENTRIES:
            log.info("replaying the backlog", remaining=remaining)

    async def _commit(self, closed: ClosedWindows, epoch: int, term: Term) -> None:
        started = self._clock.monotonic()
        stored = await self._retry(lambda: self._store.commit(closed, epoch), term)
        metrics.COMMIT_SECONDS.observe(self._clock.monotonic() - started)
        metrics.CLOSED_WINDOWS.inc()
        for gap in closed.gaps:
            metrics.GAPS.labels(gap.reason.value).inc()
            log.warning(
                "trades may be missing", start_ms=gap.start_ms, end_ms=gap.end_ms,
                reason=gap.reason.value, instruments=len(gap.keys),
            )  # fmt: skip
        log.info("window stored", until_ms=closed.until_ms, bars=len(closed.bars))
        await self._publisher.publish(stored)

    async def _amend(self, aggregator: Aggregator, epoch: int, term: Term) -> None:
        bars, doubted = aggregator.take_amended()
        if not bars:
            return
        stored = await self._retry(lambda: self._store.amend(bars, epoch, doubted), term)
        metrics.AMENDED_BARS.inc(len(stored.bars))
        await self._publisher.publish(stored)

    async def _retry(self, write: Callable[[], Awaitable[StoredBars]], term: Term) -> StoredBars:
        """Call `write` until it succeeds. Raises PyMongoError if the last retry fails."""
        backoff = Backoff(cap_secs=_MAX_PAUSE_SECS)
        while True:
            term.check()
            try:
                return await write()
            except PyMongoError as error:
                if backoff.attempt >= _MAX_WRITE_RETRIES:
                    raise
                log.warning("storing failed, trying again", error=repr(error))
                await asyncio.sleep(backoff.next_secs())


class _RefusalCounts:
    """Adds what an aggregator has refused since the last report to the metrics."""

    def __init__(self, aggregator: Aggregator) -> None:
        self._aggregator = aggregator
        self._late = self._early = self._stale = self._contradictions = self._evicted = 0
        self._lost = 0

    def report(self) -> None:
        late, early = self._aggregator.late_trades, self._aggregator.early_trades
        stale = self._aggregator.stale_entries
        metrics.REFUSED_TRADES.labels("late").inc(late - self._late)
        metrics.REFUSED_TRADES.labels("early").inc(early - self._early)
        contradictions = self._aggregator.contradictions
        metrics.STALE_ENTRIES.inc(stale - self._stale)
        metrics.CONTRADICTIONS.inc(contradictions - self._contradictions)
        self._contradictions = contradictions
        self._report_lost_quotes()
        self._report_evictions()
        self._late, self._early, self._stale = late, early, stale

    def _report_lost_quotes(self) -> None:
        lost = self._aggregator.lost_quotes
        if lost > self._lost:
            log.warning("the stream has lost quotes", quotes=lost - self._lost)
            metrics.LOST_QUOTES.inc(lost - self._lost)
        self._lost = lost

    def _report_evictions(self) -> None:
        evicted = self._aggregator.evicted_instruments
        if evicted > self._evicted:
            log.warning(
                "too many instruments, dropped the most silent ones from the checkpoint",
                dropped=evicted - self._evicted, kept=self._aggregator.instrument_count,
            )  # fmt: skip
            metrics.EVICTED_INSTRUMENTS.inc(evicted - self._evicted)
        self._evicted = evicted
