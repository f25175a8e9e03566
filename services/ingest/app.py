"""Puts ingest together."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from services.ingest.feed.authorize import FeedAuthorizer
from services.ingest.feed.source import FeedSource
from services.ingest.feed.upstream import UpstoxFeed, feed_session
from services.ingest.pipeline import Pipeline
from services.ingest.publish import Publisher
from services.ingest.settings import IngestSettings
from services.ingest.status import DEPENDENCY, StatusBoard
from services.ingest.watchlist import read_watchlist
from shared.bus import Bus, connect_bus, ensure_ticks_stream, open_leases
from shared.clock import Clock, SystemClock
from shared.health import Readiness
from shared.lease import Lease, Term
from shared.runtime import Part
from shared.tasks import run_together


class Leader:
    """Seeks the lease and, while holding it, runs the pipeline."""

    def __init__(
        self,
        settings: IngestSettings,
        bus: Bus,
        feed: FeedSource,
        readiness: Readiness,
        clock: Clock,
        keys: Sequence[str],
    ) -> None:
        self._settings = settings
        self._bus = bus
        self._feed = feed
        self._readiness = readiness
        self._clock = clock
        self._keys = keys
        self._lease = Lease(
            lambda: open_leases(bus),
            "ingest",
            f"ingest-{uuid.uuid4().hex}",
            settings.nats.lease_ttl_secs,
            clock,
        )

    async def run(self) -> None:
        await self._lease.lead(self._work)

    async def _work(self, term: Term) -> None:
        settings = self._settings
        await ensure_ticks_stream(
            self._bus,
            max_age_secs=settings.ticks_max_age_secs,
            max_bytes=settings.ticks_max_bytes,
        )
        publisher = Publisher(self._bus, term, clock_every_quotes=settings.clock_every_quotes)
        status = StatusBoard(self._bus, term, publisher, self._readiness, self._clock)
        pipeline = Pipeline(
            self._feed,
            publisher,
            status,
            self._clock,
            keys=self._keys,
            settle_secs=settings.settle_secs,
            max_ahead_secs=settings.max_ahead_secs,
        )
        try:
            await run_together(
                {
                    "pipeline": pipeline.run(),
                    "clock": publisher.run_clock(settings.clock_every_secs),
                    "status": status.run(),
                }
            )
        finally:
            self._readiness.up(DEPENDENCY)  # a standby needs no feed to be ready


@asynccontextmanager
async def build(settings: IngestSettings, readiness: Readiness) -> AsyncIterator[Sequence[Part]]:
    """Open what ingest needs; yields its parts."""
    keys = await asyncio.to_thread(read_watchlist, settings.watchlist_file)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(
            connect_bus(
                settings.nats,
                user="ingest",
                password=settings.nats_password.get_secret_value(),
                readiness=readiness,
            )
        )
        session = await stack.enter_async_context(feed_session())
        feed = UpstoxFeed(
            session,
            await asyncio.to_thread(FeedAuthorizer, settings.upstox),
            clock,
            ping_secs=settings.feed_ping_secs,
        )
        yield bus, Leader(settings, bus, feed, readiness, clock, keys)
