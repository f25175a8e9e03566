"""Composition root of the trading service."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pymongo.errors import PyMongoError

from services.trading.bus.instruments import Instruments
from services.trading.partition_owner import OwnerReadiness, PartitionOwner, PartitionWork
from services.trading.settings import TradingSettings
from shared.bus.connection import Bus, connect_bus
from shared.bus.lease import Lease, Term
from shared.bus.resources import open_leases
from shared.errors import StaleEpoch, StreamUnavailable
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.mongo_clock import MongoClock
from shared.runtime.service import Component


@dataclass(frozen=True, slots=True)
class Process:
    """The objects that all partitions of a process share."""

    settings: TradingSettings
    bus: Bus
    mongo: Mongo
    clock: Clock
    instruments: Instruments
    holder: str
    """Unique to this process; with characters of a subject's token only."""


MakeWork = Callable[[Process, int, OwnerReadiness], PartitionWork]


def partition_work(
    process: Process,  # noqa: ARG001 - of the work that serves orders
    partition: int,  # noqa: ARG001
    readiness: OwnerReadiness,
) -> PartitionWork:
    """The work of a partition's owner. It is made once and runs in each term."""
    return _NoOrders(readiness)


@asynccontextmanager
async def build(
    settings: TradingSettings, readiness: Readiness, make_work: MakeWork = partition_work
) -> AsyncIterator[Sequence[Component]]:
    """Open the connections that trading needs; yields its components."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(
            connect_bus(
                settings.nats,
                user="trading",
                password=settings.nats_password.get_secret_value(),
                readiness=readiness,
            )
        )
        mongo = await stack.enter_async_context(connect_mongo(settings.mongo, readiness))
        instruments = Instruments(
            bus,
            clock,
            timeout_secs=settings.instruments_timeout_secs,
            max_cached=settings.instruments_cached,
        )
        process = Process(settings, bus, mongo, clock, instruments, uuid.uuid4().hex)
        yield (
            bus,
            mongo,
            MongoClock(mongo, clock, readiness, settings.runtime.max_clock_skew_secs),
            *(
                _owner(process, partition, readiness, make_work)
                for partition in range(settings.partitions)
            ),
        )


def _owner(
    process: Process, partition: int, readiness: Readiness, make_work: MakeWork
) -> PartitionOwner:
    owner_readiness = OwnerReadiness(readiness, partition)
    work = make_work(process, partition, owner_readiness)
    return PartitionOwner(_lease(process, partition), work, owner_readiness)


def _lease(process: Process, partition: int) -> Lease:
    return Lease(
        lambda: open_leases(process.bus),
        f"trading.{partition}",
        f"trading-{process.holder}",
        process.settings.nats.lease_ttl_secs,
        process.clock,
        retryable=(PyMongoError, StreamUnavailable, StaleEpoch),
    )


class _NoOrders:
    """Owns a partition without serving it: orders cannot be placed yet."""

    def __init__(self, readiness: OwnerReadiness) -> None:
        self._readiness = readiness

    async def run(self, term: Term) -> None:  # noqa: ARG002
        self._readiness.set_known(True)
        await asyncio.Event().wait()
