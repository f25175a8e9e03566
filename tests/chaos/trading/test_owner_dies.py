"""The owner of a partition is stopped, or NATS is killed: one process owns it afterwards."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from shared.runtime.settings import MongoSettings
from tests.support.buses import ingest_bus
from tests.support.patience import TAKEOVER_TTL_SECS
from tests.support.processes import ServiceProcess, service_process
from tests.support.servers import NatsServer
from tests.support.trading import owns_partition, trading_environment
from tests.support.waiting import eventually

TTL_SECS: Final = 2.0
TAKEOVER_SECS: Final = 3.0
"""How long a takeover may last after the lease of the dead owner has expired (docs/trading.md)."""


@asynccontextmanager
async def owner_and_standby(
    nats: NatsServer, mongo: MongoSettings, *, ttl_secs: float = TAKEOVER_TTL_SECS
) -> AsyncIterator[tuple[ServiceProcess, ServiceProcess]]:
    """Two trading processes; the first owns partition 0."""
    environment = trading_environment(nats, mongo, has_outages=True, lease_ttl_secs=ttl_secs)
    async with ingest_bus(nats), service_process("trading", environment) as owner:
        await eventually(lambda: owns_partition(owner), what="the first process owns it")
        async with service_process("trading", environment) as standby:
            assert await owns_partition(owner)
            assert not await owns_partition(standby)
            yield owner, standby


@pytest.mark.seconds
async def test_a_standby_owns_the_partition_within_the_ttl_and_three_seconds(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    async with owner_and_standby(nats, mongo_settings, ttl_secs=TTL_SECS) as (owner, standby):
        owner.kill()
        killed_at = time.monotonic()
        await eventually(lambda: owns_partition(standby), what="the standby takes over")
        # Typically the TTL and a few tenths of a second.
        assert time.monotonic() - killed_at < TTL_SECS + TAKEOVER_SECS


async def test_an_owner_that_was_stopped_for_longer_than_its_lease_stands_by(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    async with owner_and_standby(nats, mongo_settings) as (owner, standby):
        owner.send_signal(signal.SIGSTOP)
        await eventually(lambda: owns_partition(standby), what="the standby takes over")
        owner.send_signal(signal.SIGCONT)

        async def stands_by() -> bool:
            return not await owns_partition(owner) and await owner.is_ready()

        await eventually(stands_by, what="the stopped process stands by")
        assert await owns_partition(standby)


async def test_one_process_owns_the_partition_after_nats_was_killed(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    async with owner_and_standby(nats, mongo_settings) as processes:

        async def none_is_ready() -> bool:
            return not any([await each.is_ready() for each in processes])

        async def all_are_ready() -> bool:
            return all([await each.is_ready() for each in processes])

        nats.kill()
        await eventually(none_is_ready, what="no process is ready")
        await asyncio.to_thread(nats.start)
        await eventually(all_are_ready, what="all processes are ready")
        assert sum([await owns_partition(each) for each in processes]) == 1
