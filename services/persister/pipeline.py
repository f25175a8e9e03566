"""The leader's reading: consume > aggregate > store, from where the last leader had come to."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError
from pymongo.errors import PyMongoError

from services.persister import metrics
from services.persister.aggregation.aggregator import Aggregator, Closed
from services.persister.aggregation.checkpoint import State, of_stream
from services.persister.consume import consume
from services.persister.settings import PersisterSettings
from services.persister.storage.bar_store import BarStore
from shared.bus.connection import Bus
from shared.bus.lease import Term
from shared.bus.stream_reader import Entry, TickReader, stream_created_at
from shared.contracts.messages import Bar, encode
from shared.contracts.subjects import bar_subject
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_MOST_ATTEMPTS: Final = 20
_AMEND_SECS: Final = 1.0
_TELL_EVERY: Final = 100_000
_STREAM_CAP_SECS: Final = 5.0


class Pipeline:
    """Reads the stream, and stores each window as it closes."""

    def __init__(
        self, bus: Bus, store: BarStore, settings: PersisterSettings, clock: Clock
    ) -> None:
        self._bus = bus
        self._store = store
        self._settings = settings
        self._clock = clock
        self.time_ms: int | None = None
        """Exchange time reached; None before the first entry."""

    async def run(self, term: Term, epoch: int, state: State) -> None:
        """Work for one term, reading on from `state`.

        Raises LeaseLost or StaleEpoch when another leads, StreamUnavailable or
        PyMongoError when what it needs stays away.
        """
        stream = await self._stream(term)
        if state.stream not in ("", stream):
            log.warning("the stream was made anew", lost_from=state.next_position)
        state = of_stream(state, stream)
        aggregator = Aggregator(
            state, grace_ms=self._settings.grace_ms, silent_after_ms=self._settings.silent_after_ms
        )
        start = max(1, state.next_position)
        async with TickReader(self._bus, start=start) as reader:
            replay = await reader.open()
            log.info("reading on", position=start, epoch=epoch, behind=replay)
            await self._read(reader, aggregator, replay, epoch, term)

    async def _stream(self, term: Term) -> str:
        """Which stream it is, once ingest has made one."""
        backoff = Backoff(cap_secs=_STREAM_CAP_SECS)
        while True:
            term.check()
            try:
                return await stream_created_at(self._bus)
            except NotFoundError:
                if not backoff.attempt:
                    log.info("waiting for the tick stream")
                await asyncio.sleep(backoff.next_secs())

    async def _read(
        self, reader: TickReader, aggregator: Aggregator, replay: int, epoch: int, term: Term
    ) -> None:
        read = late = stale = 0
        amend_at = self._clock.monotonic()
        while True:
            entries = await reader.batch()
            for entry in entries:
                consume(aggregator, entry)
                if (closed := aggregator.take()) is not None:
                    await self._commit(closed, epoch, term)
                    metrics.WINDOWS_OPEN.set(aggregator.open_windows)
            if self._clock.monotonic() >= amend_at:
                await self._amend(aggregator.take_amended(), epoch, term)
                amend_at = self._clock.monotonic() + _AMEND_SECS
            metrics.LATE_TRADES.inc(aggregator.late_trades - late)
            metrics.STALE_ENTRIES.inc(aggregator.stale_entries - stale)
            late, stale = aggregator.late_trades, aggregator.stale_entries
            self.time_ms = aggregator.time_ms
            if entries:
                self._tell(entries, reader.behind, replay - read)
                read += len(entries)

    def _tell(self, entries: list[Entry], behind: int, left: int) -> None:
        """Where we are; `left` entries were to be replayed before these."""
        metrics.ENTRIES.inc(len(entries))
        metrics.POSITION.set(entries[-1].position)
        metrics.LAG.set(behind)
        metrics.STREAM_TIME.set((self.time_ms or 0) / 1_000)
        after = max(0, left - len(entries))
        metrics.REPLAY.set(after)
        if left > 0 and (after == 0 or left // _TELL_EVERY != after // _TELL_EVERY):
            log.info("replaying" if after else "replayed", left=after)

    async def _commit(self, closed: Closed, epoch: int, term: Term) -> None:
        started = self._clock.monotonic()
        await self._insist(lambda: self._store.commit(closed, epoch), term)
        metrics.STORE_SECONDS.observe(self._clock.monotonic() - started)
        metrics.WINDOWS_CLOSED.inc()
        for missing in closed.missing:
            metrics.GAPS.labels(missing.reason.value).inc()
            log.warning(
                "trades may be missing", since=missing.start, until=missing.end,
                reason=missing.reason.value, instruments=len(missing.keys),
            )  # fmt: skip
        log.info("window stored", until=closed.until, bars=len(closed.bars))
        await announce(self._bus, closed.bars)

    async def _amend(self, bars: tuple[Bar, ...], epoch: int, term: Term) -> None:
        if not bars:
            return
        await self._insist(lambda: self._store.amend(bars, epoch), term)
        metrics.AMENDED.inc(len(bars))
        await announce(self._bus, bars)

    async def _insist(self, write: Callable[[], Awaitable[None]], term: Term) -> None:
        """Write however often it takes; reading waits meanwhile."""
        backoff = Backoff(cap_secs=5.0)
        while True:
            term.check()
            try:
                return await write()
            except PyMongoError as error:
                if backoff.attempt >= _MOST_ATTEMPTS:
                    raise
                log.warning("not stored yet", error=repr(error))
                await asyncio.sleep(backoff.next_secs())


async def announce(bus: Bus, bars: tuple[Bar, ...]) -> None:
    """Tell of bars that are stored; who misses the word finds them there."""
    for bar in bars:
        metrics.BARS.labels(bar.state.value).inc()
        if not bus.can_publish:
            return
        try:
            await bus.client.publish(bar_subject(bar.key), encode(bar))
        except (NatsError, OSError):
            return
