"""Composition root of the persister."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import aiohttp
from pymongo.errors import PyMongoError

from services.persister.bar_publisher import BarPublisher
from services.persister.calendar.calendar_follower import CalendarFollower
from services.persister.calendar.calendar_refresher import CalendarRefresher
from services.persister.calendar.calendar_source import CalendarSource
from services.persister.calendar.calendar_store import CalendarStore
from services.persister.candles.call_budget import CallBudget
from services.persister.candles.candle_source import CandleSource
from services.persister.candles.paced_calls import PacedCalls
from services.persister.history.candle_cache import CandleCache
from services.persister.history.candle_requests import CandleRequests
from services.persister.history.history_requests import HistoryRequests
from services.persister.history.page_fetcher import PageFetcher
from services.persister.history.page_store import PageStore, Priority
from services.persister.history.page_writer import PageWriter
from services.persister.instruments.detail_requests import DetailRequests
from services.persister.instruments.instrument_store import InstrumentStore
from services.persister.instruments.master_loader import MasterLoader
from services.persister.instruments.option_contracts import OptionContracts
from services.persister.instruments.reference_source import ReferenceSource
from services.persister.leader import Leader, TermWork
from services.persister.pipeline import Pipeline
from services.persister.repair.backlog import RepairBacklogReader
from services.persister.repair.repairer import Repairer
from services.persister.settings import PersisterSettings
from services.persister.storage.bar_store import BarStore
from services.persister.storage.history_reader import HistoryReader
from services.persister.storage.history_state import HistoryStateReader
from services.persister.storage.unpublished_bars import UnpublishedBars
from shared.bus.connection import Bus, connect_bus
from shared.bus.lease import Lease
from shared.bus.resources import open_leases
from shared.bus.responder import Handler, Responder
from shared.contracts.history import (
    HISTORY_BARS,
    HISTORY_CANDLES,
    HISTORY_GAPS,
    HISTORY_STATE,
    BarsRequest,
    CandlesRequest,
    GapsRequest,
    HistoryStateRequest,
)
from shared.contracts.instruments import (
    INSTRUMENTS_DETAIL,
    INSTRUMENTS_GET,
    INSTRUMENTS_SEARCH,
    DetailRequest,
    GetRequest,
    SearchRequest,
)
from shared.contracts.option_chains import INSTRUMENTS_OPTIONS, OptionsRequest
from shared.errors import StaleEpoch, StreamUnavailable
from shared.market.exchange_calendar import Calendar
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.disk import DiskWatch
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.mongo_clock import MongoClock
from shared.runtime.service import Component
from shared.runtime.upstox_tokens import TokenPicker, configured_sources

_MAX_WAIT_SECS: Final = 1.5
"""Time that a request for candles of one minute may wait for its turn to call Upstox."""


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
        pacers = _call_budget(settings).pacers()
        calls = PacedCalls(http, settings.upstox, tokens, pacers.repair, clock)
        candles = CandleSource(calls)
        pages = PageStore(mongo, clock)
        term_works: dict[str, TermWork] = {}
        if settings.repair:
            term_works["repairer"] = _repairer(
                mongo, candles, store, publisher, pipeline, calendar, settings
            )
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
        if settings.history:
            sources = {
                Priority.REQUEST: CandleSource(calls.with_pace(pacers.requests)),
                Priority.COMMAND: CandleSource(calls.with_pace(pacers.command)),
            }
            writer = PageWriter(mongo, store, pages)
            for priority, source in sources.items():
                term_works[f"history: {priority.name.lower()}"] = PageFetcher(
                    priority, pages, source, writer, clock, retention_days=settings.retention_days
                )
            at_once = calls.with_pace(pacers.requests, max_wait_secs=_MAX_WAIT_SECS)
            side_jobs["upstox requests"] = _leader_responder(
                bus, clock, at_once, instruments, settings
            )
        yield (
            bus,
            mongo,
            MongoClock(mongo, clock, readiness, settings.runtime.max_clock_skew_secs),
            Leader(lease, store, pipeline, term_works, side_jobs, readiness),
            CalendarFollower(calendar_store, calendar, clock),
            _responder(
                bus,
                clock,
                HistoryReader(mongo, calendar),
                HistoryStateReader(mongo),
                pages,
                instruments,
                OptionContracts(mongo, clock),
                settings,
            ),
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
) -> Repairer:
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


def _call_budget(settings: PersisterSettings) -> CallBudget:
    return CallBudget(
        settings.repair_calls_per_sec,
        settings.repair_calls_per_minute,
        settings.repair_calls_per_half_hour,
    )


def _leader_responder(
    bus: Bus,
    clock: Clock,
    calls: PacedCalls,
    instruments: InstrumentStore,
    settings: PersisterSettings,
) -> Responder:
    """Answers the requests for which Upstox is called: only the leader may."""
    cache = CandleCache(clock, max_bytes=settings.candle_cache_bytes)
    requests = CandleRequests(CandleSource(calls), instruments, cache, clock)
    details = DetailRequests(instruments, ReferenceSource(calls, clock), clock)
    return Responder(
        bus,
        clock,
        {
            HISTORY_CANDLES: Handler(CandlesRequest, requests.read),
            INSTRUMENTS_DETAIL: Handler(DetailRequest, details.read),
        },
        queue_group="persister",
        max_concurrent=settings.requests_at_once,
        max_queued=settings.requests_waiting,
    )


def _responder(
    bus: Bus,
    clock: Clock,
    reader: HistoryReader,
    state: HistoryStateReader,
    pages: PageStore,
    instruments: InstrumentStore,
    options: OptionContracts,
    settings: PersisterSettings,
) -> Responder:
    """Answers the requests that every persister answers."""
    history = HistoryRequests(
        reader,
        pages,
        instruments,
        clock,
        is_fetching=settings.history,
        # Others must be answered while some wait for Upstox.
        max_waiting=max(1, settings.requests_at_once // 2),
        retention_days=settings.retention_days,
    )
    return Responder(
        bus,
        clock,
        {
            HISTORY_BARS: Handler(BarsRequest, history.bars),
            HISTORY_GAPS: Handler(GapsRequest, history.gaps),
            HISTORY_STATE: Handler(HistoryStateRequest, state.read),
            INSTRUMENTS_SEARCH: Handler(SearchRequest, instruments.search),
            INSTRUMENTS_GET: Handler(GetRequest, instruments.get),
            INSTRUMENTS_OPTIONS: Handler(OptionsRequest, options.read),
        },
        queue_group="persister",
        max_concurrent=settings.requests_at_once,
        max_queued=settings.requests_waiting,
    )
