"""Puts the persister together."""

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from pymongo.errors import PyMongoError

from services.persister.pipeline import Pipeline
from services.persister.settings import PersisterSettings
from services.persister.store import BarStore
from shared.bus import connect_bus, open_leases
from shared.clock import SystemClock
from shared.errors import StaleEpoch, StreamUnavailable
from shared.health import Readiness
from shared.lease import Lease
from shared.mongo import connect_mongo
from shared.runtime import Part


class Leader:
    """Seeks the lease and, while holding it, runs the pipeline."""

    def __init__(self, lease: Lease, pipeline: Pipeline) -> None:
        self._lease = lease
        self._pipeline = pipeline

    async def run(self) -> None:
        await self._lease.lead(self._pipeline.run)


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
        lease = Lease(
            lambda: open_leases(bus),
            "persister",
            f"persister-{uuid.uuid4().hex}",
            settings.nats.lease_ttl_secs,
            clock,
            passing=(PyMongoError, StreamUnavailable, StaleEpoch),
        )
        pipeline = Pipeline(bus, BarStore(mongo), settings, clock)
        yield bus, mongo, Leader(lease, pipeline)
