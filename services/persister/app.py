"""Puts the persister together."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import aiohttp
from pymongo.errors import PyMongoError

from services.persister.candle_source import CandleSource
from services.persister.history import History
from services.persister.instruments import Instruments
from services.persister.master import Master
from services.persister.pace import Limit, Pace
from services.persister.pipeline import Pipeline
from services.persister.repair import Repairer
from services.persister.settings import PersisterSettings
from services.persister.store import BarStore
from shared.bus import Bus, connect_bus, open_leases
from shared.clock import Clock, SystemClock
from shared.errors import StaleEpoch, StreamUnavailable
from shared.health import Readiness
from shared.history import HISTORY_BARS, HISTORY_GAPS, BarsRequest, GapsRequest
from shared.instruments import INSTRUMENTS_GET, INSTRUMENTS_SEARCH, GetRequest, SearchRequest
from shared.lease import Lease, Term
from shared.mongo import connect_mongo
from shared.requests import Answer, Responder
from shared.runtime import Part
from shared.tasks import run_together

DEPENDENCY: Final = "leader"
"""What `Readiness` calls it: a persister, this one or another, that holds the lease."""


class Leader:
    """Seeks the lease; while holding it reads the stream, repairs, and loads the master."""

    def __init__(
        self, lease: Lease, store: BarStore, pipeline: Pipeline, repairer: Repairer | None,
        master: Master, readiness: Readiness,
    ) -> None:  # fmt: skip
        self._lease = lease
        self._store = store
        self._pipeline = pipeline
        self._repairer = repairer
        self._master = master
        self._readiness = readiness
        self._tell(leader_known=False)

    async def run(self) -> None:
        await self._lease.lead(self._work, on_other=self._tell)

    def _tell(self, leader_known: bool) -> None:
        if leader_known:
            self._readiness.up(DEPENDENCY)
        else:
            self._readiness.down(DEPENDENCY, "none is known")

    async def _work(self, term: Term) -> None:
        # In this order: a transaction left behind would keep `prepare` waiting, too.
        epoch, state = await self._store.take_over()
        await self._store.prepare()
        works = {
            "pipeline": self._pipeline.run(term, epoch, state),
            "master": self._master.run(),
        }
        if self._repairer is not None:
            works["repair"] = self._repairer.run(term, epoch)
        self._tell(leader_known=True)
        try:
            await run_together(works)
        finally:
            self._tell(leader_known=False)


@asynccontextmanager
async def build(settings: PersisterSettings, readiness: Readiness) -> AsyncIterator[Sequence[Part]]:
    """Open what the persister needs; yields its parts."""
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
        http = await stack.enter_async_context(aiohttp.ClientSession())
        instruments = Instruments(mongo)
        store = BarStore(mongo, retention_days=settings.retention_days)
        stack.push_async_callback(store.close)
        pipeline = Pipeline(bus, store, settings, clock)
        repairer = None
        if settings.repair:
            source = CandleSource(http, settings.upstox, _pace(settings), clock)
            repairer = Repairer(bus, mongo, store, source, settings, lambda: pipeline.time_ms)
        lease = Lease(
            lambda: open_leases(bus),
            "persister",
            f"persister-{uuid.uuid4().hex}",
            settings.nats.lease_ttl_secs,
            clock,
            passing=(PyMongoError, StreamUnavailable, StaleEpoch),
        )
        master = Master(http, instruments, settings, clock)
        yield (
            bus,
            mongo,
            Leader(lease, store, pipeline, repairer, master, readiness),
            _responder(bus, clock, History(mongo), instruments, settings),
        )


def _pace(settings: PersisterSettings) -> Pace:
    return Pace(
        [
            Limit(settings.repair_calls_per_sec, 1.0),
            Limit(settings.repair_calls_per_minute, 60.0),
            Limit(settings.repair_calls_per_half_hour, 1_800.0),
        ]
    )


def _responder(
    bus: Bus, clock: Clock, history: History, instruments: Instruments, settings: PersisterSettings
) -> Responder:
    return Responder(
        bus,
        clock,
        {
            HISTORY_BARS: Answer(BarsRequest, history.bars),
            HISTORY_GAPS: Answer(GapsRequest, history.gaps),
            INSTRUMENTS_SEARCH: Answer(SearchRequest, instruments.search),
            INSTRUMENTS_GET: Answer(GetRequest, instruments.get),
        },
        group="persister",
        at_once=settings.requests_at_once,
        waiting=settings.requests_waiting,
    )
