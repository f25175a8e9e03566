"""The leader's work: consume > aggregate > store, from where the last leader had come to."""

import asyncio
from typing import Final

from nats.errors import Error as NatsError
from pymongo.errors import PyMongoError

from services.persister import metrics
from services.persister.aggregate import Aggregator, ClosedWindow
from services.persister.consume import consume
from services.persister.settings import PersisterSettings
from services.persister.store import BarStore
from shared.backoff import Backoff
from shared.bus import Bus
from shared.clock import Clock
from shared.lease import Term
from shared.logs import get_logger
from shared.messages import encode
from shared.stream import TickReader, stream_identity
from shared.subjects import bar_subject

log = get_logger(__name__)

_MOST_ATTEMPTS: Final = 20


class Pipeline:
    """Reads the stream, and stores each window as it closes."""

    def __init__(
        self, bus: Bus, store: BarStore, settings: PersisterSettings, clock: Clock
    ) -> None:
        self._bus = bus
        self._store = store
        self._settings = settings
        self._clock = clock

    async def run(self, term: Term) -> None:
        """Work for one term.

        Raises LeaseLost or StaleEpoch when another leads, StreamUnavailable or
        PyMongoError when what it needs stays away.
        """
        await self._store.prepare()
        epoch, checkpoint = await self._store.take_over()
        stream = await stream_identity(self._bus)
        if checkpoint.stream not in ("", stream):
            log.warning("the stream was made anew", lost_from=checkpoint.position)
        checkpoint = checkpoint.of_stream(stream)
        log.info("reading on", position=checkpoint.position, epoch=epoch)
        aggregator = Aggregator(
            checkpoint,
            grace_ms=self._settings.grace_ms,
            silent_after_ms=self._settings.silent_after_ms,
        )
        late = stale = 0
        async with TickReader(self._bus, start=checkpoint.position) as reader:
            while True:
                entries = await reader.batch()
                for entry in entries:
                    for window in consume(aggregator, entry):
                        await self._commit(window, epoch, term)
                metrics.LATE_TRADES.inc(aggregator.late_trades - late)
                metrics.STALE_ENTRIES.inc(aggregator.stale_entries - stale)
                late, stale = aggregator.late_trades, aggregator.stale_entries
                if entries:
                    metrics.POSITION.set(entries[-1].position)
                    metrics.STREAM_TIME.set((aggregator.time_ms or 0) / 1_000)

    async def _commit(self, window: ClosedWindow, epoch: int, term: Term) -> None:
        """Store a window however often it takes; reading waits meanwhile."""
        started = self._clock.monotonic()
        backoff = Backoff(cap_secs=5.0)
        while True:
            term.check()
            try:
                await self._store.commit(window, epoch)
                break
            except PyMongoError as error:
                if backoff.attempt >= _MOST_ATTEMPTS:
                    raise
                log.warning("window not stored yet", start=window.start, error=repr(error))
                await asyncio.sleep(backoff.next_secs())
        metrics.STORE_SECONDS.observe(self._clock.monotonic() - started)
        log.info("window stored", start=window.start, bars=len(window.bars))
        await self._announce(window)

    async def _announce(self, window: ClosedWindow) -> None:
        for bar in window.bars:
            metrics.BARS.labels(bar.state.value).inc()
            if not self._bus.can_publish:
                return  # the bar is stored; who missed the word finds it there
            try:
                await self._bus.client.publish(bar_subject(bar.key), encode(bar))
            except (NatsError, OSError):
                return
