"""Leads while holding the lease: keeps the one connection to the feed up, with all it needs."""

import asyncio
from dataclasses import dataclass
from typing import Final

from services.ingest import metrics
from services.ingest.bus.batch_client import BatchClient
from services.ingest.bus.coverage_publisher import CoveragePublisher
from services.ingest.bus.quote_publisher import QuotePublisher
from services.ingest.bus.status_publisher import DEPENDENCY, StatusPublisher
from services.ingest.demand.interest import Interest
from services.ingest.demand.limits import LIMITS
from services.ingest.feed.source import FeedConnection, FeedSilent, FeedSource, TokenReplaced
from services.ingest.feed.tokens import Tokens
from services.ingest.leadership.connection_monitor import ConnectionMonitor
from services.ingest.leadership.pipeline import Pipeline
from services.ingest.leadership.subscriber import Subscriber
from services.ingest.leadership.term_context import TermContext
from services.ingest.market.market_hours import MarketHours
from services.ingest.market.watchdog import Watchdog
from services.ingest.normalise.normaliser import Normaliser
from services.ingest.settings import IngestSettings
from shared.bus.connection import Bus
from shared.bus.lease import Lease, Term
from shared.bus.resources import ensure_ticks_stream
from shared.contracts.messages import FeedState
from shared.errors import FeedError, FeedUnauthorised
from shared.market.exchange_calendar import Calendar
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.health import Readiness
from shared.runtime.tasks import run_together

_NOT_YET: Final = "no feed yet, and none else is known to lead"
_NO_TOKEN: Final = "there is no access token, or Upstox refused it"


@dataclass(frozen=True, slots=True)
class Leader:
    """A component: seeks the lease and, while holding it, follows the feed."""

    settings: IngestSettings
    lease: Lease
    bus: Bus
    client: BatchClient
    feed: FeedSource
    tokens: Tokens
    interest: Interest
    news: asyncio.Event
    """Set when `interest` has changed."""
    readiness: Readiness
    clock: Clock

    def __post_init__(self) -> None:
        self._hear(other_leads=False)

    async def run(self) -> None:
        metrics.SUBSCRIPTION_LIMIT.set(LIMITS[self.settings.plan].full_alone)
        await self.lease.lead(self._work, on_other_leader=self._hear)

    def _hear(self, other_leads: bool) -> None:
        if other_leads:
            self.readiness.up(DEPENDENCY)  # a standby needs no feed to be ready
        else:
            self.readiness.down(DEPENDENCY, _NOT_YET)

    async def _work(self, term: Term) -> None:
        settings = self.settings
        await ensure_ticks_stream(
            self.bus, max_age_secs=settings.ticks_max_age_secs, max_bytes=settings.ticks_max_bytes
        )
        context = self._open_context(term)
        try:
            await run_together(
                {
                    "feed": self._follow_feed(context),
                    "clock": context.publisher.run_clock(settings.clock_every_secs),
                    "status": context.status.run(),
                    "coverage": context.coverage.run(),
                }
            )
        finally:
            self._hear(other_leads=False)

    def _open_context(self, term: Term) -> TermContext:
        publisher = QuotePublisher(
            self.bus, self.client, term, clock_every_quotes=self.settings.clock_every_quotes
        )
        return TermContext(
            Normaliser(term.epoch),
            publisher,
            StatusPublisher(self.bus, term, publisher, self.readiness, self.clock),
            CoveragePublisher(self.bus, term, self.interest),
            MarketHours(Calendar()),
            Watchdog(self.settings.silent_after_secs),
        )

    async def _follow_feed(self, context: TermContext) -> None:
        """Connect, and connect again whenever the feed ends. Raises LeaseLost."""
        pipeline = Pipeline(
            context, self.interest, self.clock, max_ahead_secs=self.settings.max_ahead_secs
        )
        backoff = Backoff(base_secs=0.5, cap_secs=30.0)
        while True:
            token = await self.tokens.pick()
            if token is None:
                context.status.set(FeedState.UNAUTHORISED, _NO_TOKEN)
                await asyncio.sleep(self.settings.token_poll_secs)
                continue
            started = self.clock.monotonic()
            pause = await self._follow_once(context, pipeline, token)
            # Only a connection that lasted earns a quick retry: one that is accepted and
            # dropped at once must not be tried a thousand times a second.
            if self.clock.monotonic() - started > self.settings.settle_secs:
                backoff.reset()
            if pause:
                await asyncio.sleep(backoff.next_secs())

    async def _follow_once(self, context: TermContext, pipeline: Pipeline, token: str) -> bool:
        """Follow one connection to its end, and tell why; True to pause before the next."""
        pause = True
        try:
            async with self.feed.connect(token) as connection:
                await self._use(connection, context, pipeline, token)
        except* FeedUnauthorised as refused:
            self.tokens.refuse(token)
            self._ended(context, refused, FeedState.UNAUTHORISED, _NO_TOKEN)
            pause = False
        except* TokenReplaced as replaced:
            self._ended(context, replaced, FeedState.CONNECTING, "taking up a new token")
            pause = False
        except* FeedSilent as silent:
            self._ended(context, silent, FeedState.STALE)
        except* FeedError as ended:
            self._ended(context, ended, FeedState.CONNECTING)
        finally:
            context.coverage.nothing_live()
        return pause

    async def _use(
        self, connection: FeedConnection, context: TermContext, pipeline: Pipeline, token: str
    ) -> None:
        context.hours.told.clear()
        subscriber = Subscriber(
            context,
            self.interest,
            self.news,
            LIMITS[self.settings.plan],
            self.clock,
            unknown_after_secs=self.settings.unknown_after_secs,
        )
        watch = ConnectionMonitor(
            context, subscriber, self.feed, self.tokens, token, self.settings, self.clock
        )
        await run_together(
            {
                "frames": pipeline.run(connection, subscriber),
                "subscriber": subscriber.run(connection),
                "silence": watch.watch_silence(),
                "token": watch.watch_token(),
            }
        )

    @staticmethod
    def _ended(
        context: TermContext,
        errors: BaseExceptionGroup[FeedError],
        state: FeedState,
        detail: str = "",
    ) -> None:
        error = errors.exceptions[0]
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        metrics.FEED_DROPS.labels(error.cause).inc()
        context.status.set(state, detail or str(error))
