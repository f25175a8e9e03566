"""Composition root of the trading service."""

import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pymongo.errors import PyMongoError

from services.trading import metrics
from services.trading.bus.instruments import Instruments
from services.trading.bus.price_bands import PriceBands
from services.trading.links.feed_token import FeedToken
from services.trading.links.seal_keys import SealKeys
from services.trading.paper.always_open import AlwaysOpenCalendar
from services.trading.partition.partition import Partition
from services.trading.partition_owner import OwnerReadiness, PartitionOwner, PartitionWork
from services.trading.settings import TradingSettings
from services.trading.switches.switch_requests import SwitchRequests
from services.trading.switches.switch_store import SwitchStore
from services.trading.upstox.calls import OpenCalls
from services.trading.upstox.sdk import upstox_sdk
from shared.bus.calendar_listener import CalendarListener
from shared.bus.connection import Bus, connect_bus
from shared.bus.lease import Lease
from shared.bus.resources import open_leases
from shared.errors import StaleEpoch, StreamUnavailable, Unavailable
from shared.market.exchange_calendar import Calendar
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
    bands: PriceBands
    calendar: Calendar
    open_calls: OpenCalls
    holder: str
    """Unique to this process; with characters of a subject's token only."""


MakeWork = Callable[[Process, int, OwnerReadiness], PartitionWork]


def partition_work(process: Process, partition: int, readiness: OwnerReadiness) -> PartitionWork:
    """The work of a partition's owner. It is made once and runs in each term."""
    return Partition(
        partition,
        process.bus,
        process.mongo,
        process.instruments,
        process.bands,
        process.calendar,
        process.settings,
        process.clock,
        process.holder,
        process.open_calls,
        readiness.set_known,
        readiness.set_stalled,
    )


@asynccontextmanager
async def build(
    settings: TradingSettings, readiness: Readiness, make_work: MakeWork = partition_work
) -> AsyncIterator[Sequence[Component]]:
    """Open the connections that trading needs; yields its components.

    Raises ConfigError if the sealing keys cannot be used.
    """
    clock = SystemClock()
    keys = SealKeys(settings.keys_dir)
    if settings.keys_dir is not None:
        await keys.check()
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
        calendar = Calendar()
        listeners = [CalendarListener(bus, calendar, metrics.BAD_CALENDARS)]
        if settings.calendar == "always_open":
            calendar, listeners = AlwaysOpenCalendar(), []
        sdk = await stack.enter_async_context(upstox_sdk(settings))
        process = Process(
            settings, bus, mongo, clock, instruments, PriceBands(bus, clock), calendar, sdk.open,
            uuid.uuid4().hex,
        )  # fmt: skip
        yield (
            bus,
            mongo,
            MongoClock(mongo, clock, readiness, settings.runtime.max_clock_skew_secs),
            FeedToken(bus, mongo, keys, clock),
            SwitchRequests(SwitchStore(mongo), bus, clock),
            *listeners,
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
        retryable=(PyMongoError, StreamUnavailable, StaleEpoch, Unavailable),
    )
