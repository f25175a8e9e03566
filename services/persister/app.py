"""Composition root of the persister."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp
from pymongo.errors import PyMongoError

from services.persister.bar_publisher import BarPublisher
from services.persister.calendar.calendar_follower import CalendarFollower
from services.persister.calendar.calendar_refresher import CalendarRefresher
from services.persister.calendar.calendar_source import CalendarSource
from services.persister.calendar.calendar_store import CalendarStore
from services.persister.instruments.instrument_store import InstrumentStore
from services.persister.instruments.master_loader import MasterLoader
from services.persister.leader import Leader
from services.persister.pipeline import Pipeline
from services.persister.repair.backlog import RepairBacklogReader
from services.persister.repair.call_pacer import CallLimit, CallPacer
from services.persister.repair.candle_source import CandleSource
from services.persister.repair.repairer import Repairer
from services.persister.settings import PersisterSettings
from services.persister.storage.bar_store import BarStore
from services.persister.storage.history_reader import HistoryReader
from services.persister.storage.unpublished_bars import UnpublishedBars
from shared.bus.connection import Bus, connect_bus
from shared.bus.lease import Lease
from shared.bus.requests import Handler, Responder
from shared.bus.resources import open_leases
from shared.contracts.history import HISTORY_BARS, HISTORY_GAPS, BarsRequest, GapsRequest
from shared.contracts.instruments import (
    INSTRUMENTS_GET,
    INSTRUMENTS_SEARCH,
    GetRequest,
    SearchRequest,
)
from shared.errors import StaleEpoch, StreamUnavailable
from shared.market.exchange_calendar import Calendar
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.disk import DiskWatch
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.mongo_clock import MongoClock
from shared.runtime.service import Component
from shared.runtime.upstox_tokens import TokenPicker, configured_sources


@asynccontextmanager
async def build(
    settings: PersisterSettings, readiness: Readiness
) -> AsyncIterator[Sequence[Component]]:
    """Open what the persister needs; yields its components."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(
            connect_bus(
                settings.nats,
                user="persister",
                password=settings.nats_password.get_secret_value(),
                readiness=readiness,
            )
        )
        mongo = await stack.enter_async_context(connect_mongo(settings.mongo, readiness))
        # Used for Upstox only: candles, the instruments master and the calendar.
        http = await stack.enter_async_context(aiohttp.ClientSession(proxy=settings.upstox.proxy))
        calendar = Calendar()
        instruments = InstrumentStore(mongo)
        store = BarStore(mongo, retention_days=settings.retention_days)
        stack.push_async_callback(store.close)
        publisher = BarPublisher(bus, UnpublishedBars(mongo))
        pipeline = Pipeline(bus, store, publisher, settings, clock, readiness)
        # By Upstox's documentation and SDK, candles need no token. So the persister has no
        # permission to request the feed's token from the trading service.
        tokens = TokenPicker(configured_sources(settings.upstox), clock)
        candles = CandleSource(http, settings.upstox, tokens, _call_pacer(settings), clock)
        repairer = _repairer(mongo, candles, store, publisher, pipeline, calendar, settings)
        lease = Lease(
            lambda: open_leases(bus),
            "persister",
            f"persister-{uuid.uuid4().hex}",
            settings.nats.lease_ttl_secs,
            clock,
            retryable=(PyMongoError, StreamUnavailable, StaleEpoch),
        )
        calendar_store = CalendarStore(mongo)
        side_jobs: dict[str, Component] = {
            "master loader": MasterLoader(http, instruments, settings, clock)
        }
        if settings.calendar_refresh:
            side_jobs["calendar"] = CalendarRefresher(
                CalendarSource(http, settings.upstox),
                calendar_store,
                bus,
                clock,
                check_secs=settings.calendar_check_secs,
            )
        yield (
            bus,
            mongo,
            MongoClock(mongo, clock, readiness, settings.runtime.max_clock_skew_secs),
            Leader(lease, store, pipeline, repairer, side_jobs, readiness),
            CalendarFollower(calendar_store, calendar, clock),
            _responder(bus, clock, HistoryReader(mongo), instruments, settings),
            *_disk_watches(settings),
        )


def _disk_watches(settings: PersisterSettings) -> list[DiskWatch]:
    """None if MongoDB's data is not on this machine."""
    folder = settings.mongo.store_dir
    return [] if folder is None else [DiskWatch("mongodb", folder, settings.runtime)]


def _repairer(
    mongo: Mongo,
    candles: CandleSource,
    store: BarStore,
    publisher: BarPublisher,
    pipeline: Pipeline,
    calendar: Calendar,
    settings: PersisterSettings,
) -> Repairer | None:
    """None if repair is switched off."""
    if not settings.repair:
        return None
    backlog = RepairBacklogReader(
        mongo,
        calendar,
        max_age_days=settings.repair_days,
        delay_secs=settings.repair_after_secs,
    )
    return Repairer(
        backlog,
        candles,
        store,
        publisher,
        lambda: pipeline.time_ms,
        every_secs=settings.repair_every_secs,
    )


def _call_pacer(settings: PersisterSettings) -> CallPacer:
    return CallPacer(
        [
            CallLimit(settings.repair_calls_per_sec, 1.0),
            CallLimit(settings.repair_calls_per_minute, 60.0),
            CallLimit(settings.repair_calls_per_half_hour, 1_800.0),
        ]
    )


def _responder(
    bus: Bus,
    clock: Clock,
    history: HistoryReader,
    instruments: InstrumentStore,
    settings: PersisterSettings,
) -> Responder:
    return Responder(
        bus,
        clock,
        {
            HISTORY_BARS: Handler(BarsRequest, history.bars),
            HISTORY_GAPS: Handler(GapsRequest, history.gaps),
            INSTRUMENTS_SEARCH: Handler(SearchRequest, instruments.search),
            INSTRUMENTS_GET: Handler(GetRequest, instruments.get),
        },
        queue_group="persister",
        max_concurrent=settings.requests_at_once,
        max_queued=settings.requests_waiting,
    )
