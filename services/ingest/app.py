"""Composition root of the ingest service.

Objects have one of three lifetimes: the process (`build`), a term of leadership
(`_Composition.term_tasks`) or a connection to the feed (`_Composition.connection_tasks`).
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from services.ingest import metrics
from services.ingest.bus.batch_client import BatchClient
from services.ingest.bus.bus_token import BusToken
from services.ingest.bus.coverage_publisher import CoveragePublisher
from services.ingest.bus.demand_listener import DemandListener
from services.ingest.bus.option_contracts import OptionContracts
from services.ingest.bus.quote_publisher import QuotePublisher
from services.ingest.bus.status_publisher import StatusPublisher
from services.ingest.bus.ticks_storage import TicksStorage
from services.ingest.chains.chain_windows import ChainWindows
from services.ingest.demand.connection_subscriptions import ConnectionSubscriptions
from services.ingest.demand.instrument_demand import InstrumentDemand
from services.ingest.demand.limits import LIMITS
from services.ingest.feed.authorize import FeedAuthorizer
from services.ingest.feed.source import FeedConnection, FeedSource
from services.ingest.feed.upstream import UpstoxFeed, feed_session
from services.ingest.leadership.chain_follower import ChainFollower
from services.ingest.leadership.connection_monitor import ConnectionMonitor
from services.ingest.leadership.feed_follower import FeedFollower
from services.ingest.leadership.flow_monitor import FlowMonitor
from services.ingest.leadership.leader import Leader
from services.ingest.leadership.pipeline import Pipeline
from services.ingest.leadership.state_reporter import StateReporter
from services.ingest.leadership.subscribed_market import SubscribedMarket
from services.ingest.leadership.subscriber import Subscriber
from services.ingest.leadership.term_context import TermContext
from services.ingest.leadership.token_monitor import TokenMonitor
from services.ingest.market.exchange_clock import ExchangeClock
from services.ingest.market.feed_flow import FeedFlow
from services.ingest.market.market_hours import MarketHours
from services.ingest.market.watchdog import Watchdog
from services.ingest.normalise.normaliser import Normaliser
from services.ingest.settings import IngestSettings
from services.ingest.watchlist import read_watchlist
from shared.bus.calendar_listener import CalendarListener
from shared.bus.connection import Bus, connect_bus
from shared.bus.lease import Lease, Term
from shared.bus.nats_clock import NatsClock
from shared.bus.resources import open_leases
from shared.market.exchange_calendar import Calendar
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.disk import DiskWatch
from shared.runtime.health import Readiness
from shared.runtime.service import Component
from shared.runtime.upstox_tokens import TokenPicker, configured_sources

Tasks = Mapping[str, Coroutine[Any, Any, None]]


@asynccontextmanager
async def build(
    settings: IngestSettings, readiness: Readiness
) -> AsyncIterator[Sequence[Component]]:
    """Open the connections that ingest needs; yields its components."""
    watchlist = await asyncio.to_thread(read_watchlist, settings.watchlist_file)
    clock = SystemClock()
    client = BatchClient()
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(
            connect_bus(
                settings.nats,
                user="ingest",
                password=settings.nats_password.get_secret_value(),
                readiness=readiness,
                own_client=client,
            )
        )
        session = await stack.enter_async_context(feed_session(settings.upstox.proxy))
        authorizer = await asyncio.to_thread(FeedAuthorizer, settings.upstox)
        feed = UpstoxFeed(session, authorizer, clock, ping_secs=settings.feed_ping_secs)
        sources = [*configured_sources(settings.upstox), BusToken(bus)]
        tokens = TokenPicker(sources, clock, retry_refused_secs=settings.token_retry_secs)
        demand = InstrumentDemand(watchlist, linger_secs=settings.linger_secs)
        demand_listener = DemandListener(bus, demand, clock)
        watch = _disk_watch(settings)
        calendar = Calendar()
        storage = TicksStorage(
            bus,
            watch,
            readiness,
            max_age_secs=settings.ticks_max_age_secs,
            max_bytes=settings.ticks_max_bytes,
        )
        composition = _Composition(
            settings,
            bus,
            client,
            feed,
            tokens,
            demand,
            demand_listener.changed,
            storage,
            calendar,
            readiness,
            clock,
        )
        leader = Leader(
            _lease(settings, bus, clock), storage.ensure, composition.term_tasks, readiness
        )
        metrics.MAX_INSTRUMENTS.set(LIMITS[settings.plan].full_alone)
        nats_clock = NatsClock(
            bus, "ingest", clock, readiness, settings.runtime.max_clock_skew_secs
        )
        yield (
            bus,
            demand_listener,
            CalendarListener(bus, calendar, metrics.BAD_CALENDARS),
            leader,
            nats_clock,
            *([] if watch is None else [watch]),
        )


def _disk_watch(settings: IngestSettings) -> DiskWatch | None:
    """None if NATS' data is not on this machine."""
    folder = settings.nats.store_dir
    return None if folder is None else DiskWatch("nats", folder, settings.runtime)


def _lease(settings: IngestSettings, bus: Bus, clock: Clock) -> Lease:
    return Lease(
        lambda: open_leases(bus, reads_ticks=True),
        "ingest",
        f"ingest-{uuid.uuid4().hex}",
        settings.nats.lease_ttl_secs,
        clock,
    )


@dataclass(frozen=True, slots=True)
class _Composition:
    """The objects of the process, from which those of a term and a connection are built."""

    settings: IngestSettings
    bus: Bus
    client: BatchClient
    feed: FeedSource
    tokens: TokenPicker
    demand: InstrumentDemand
    demand_changed: asyncio.Event
    storage: TicksStorage
    calendar: Calendar
    readiness: Readiness
    clock: Clock

    def term_tasks(self, term: Term) -> Tasks:
        """Build the objects of a term; its tasks, by name."""
        settings = self.settings
        exchange_clock = ExchangeClock()
        publisher = QuotePublisher(
            self.bus,
            self.client,
            term,
            exchange_clock,
            clock_every_quotes=settings.clock_every_quotes,
        )
        status = StatusPublisher(
            self.bus,
            term,
            exchange_clock,
            self.readiness,
            self.clock,
            simulated=settings.upstox.is_simulated,
        )
        coverage = CoveragePublisher(self.bus, term, self.demand)
        context = TermContext(
            normaliser=Normaliser(term.epoch),
            exchange_clock=exchange_clock,
            publisher=publisher,
            status=status,
            coverage=coverage,
            watchdog=Watchdog(settings.silent_after_secs),
            flow=FeedFlow(self.calendar, self.clock.monotonic()),
            chains=ChainWindows(),
        )
        follower = FeedFollower(
            self.feed,
            self.tokens,
            partial(self.connection_tasks, context),
            status,
            coverage,
            self.clock,
            token_poll_secs=settings.token_poll_secs,
            settle_secs=settings.settle_secs,
        )
        chains = ChainFollower(
            self.bus,
            self.client,
            term,
            context.normaliser,
            context.chains,
            self.demand,
            self.demand_changed,
            OptionContracts(self.bus, self.clock),
        )
        return {
            "chains": chains.run(),
            "chain contracts": chains.run_lookups(),
            "feed": follower.run(),
            "clock": publisher.run(settings.clock_every_secs),
            "status": status.run(),
            "coverage": coverage.run(),
            "storage": self.storage.run(),
            "flow": FlowMonitor(context, self.demand, self.clock).run(),
        }

    def connection_tasks(
        self, context: TermContext, connection: FeedConnection, token: str
    ) -> Tasks:
        """Build the objects of a connection that was opened with `token`; its tasks, by name."""
        settings = self.settings
        subscriptions = ConnectionSubscriptions()
        hours = MarketHours(self.calendar)
        market = SubscribedMarket(subscriptions, hours, context.exchange_clock, self.clock)
        subscriber = Subscriber(
            context,
            self.demand,
            self.demand_changed,
            subscriptions,
            LIMITS[settings.plan],
            self.clock,
            unknown_after_secs=settings.unknown_after_secs,
        )
        pipeline = Pipeline(
            context,
            hours,
            subscriber,
            self.demand,
            self.clock,
            max_ahead_secs=settings.max_ahead_secs,
        )
        return {
            "frames": pipeline.run(connection),
            "packing": pipeline.run_packing(),
            "subscriber": subscriber.run(connection),
            **self._monitor_tasks(context, market, token),
        }

    def _monitor_tasks(self, context: TermContext, market: SubscribedMarket, token: str) -> Tasks:
        settings = self.settings
        connection_monitor = ConnectionMonitor(context.watchdog, market, self.clock)
        token_monitor = TokenMonitor(
            self.feed,
            self.tokens,
            token,
            market,
            context.status,
            self.clock,
            poll_secs=settings.token_poll_secs,
            check_secs=settings.token_check_secs,
        )
        state_reporter = StateReporter(
            context.normaliser,
            market,
            context.status,
            self.clock,
            stale_after_secs=settings.stale_after_secs,
        )
        return {
            "silence": connection_monitor.run(),
            "token": token_monitor.run(),
            "state": state_reporter.run(),
        }
