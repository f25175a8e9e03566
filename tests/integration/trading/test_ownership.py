"""Each partition has one owner at a time. Real nats-server, mongod and processes."""

import asyncio
from collections import defaultdict
from contextlib import AsyncExitStack
from typing import Final

import pytest
from pymongo.errors import PyMongoError

from services.trading.app import Process, build
from services.trading.partition_owner import OwnerReadiness, PartitionOwner, PartitionWork
from shared.bus.lease import Term
from shared.runtime.health import Readiness
from shared.runtime.settings import MongoSettings
from tests.support.buses import ingest_bus
from tests.support.patience import PATIENCE_SECS, TAKEOVER_TTL_SECS
from tests.support.processes import service_process
from tests.support.servers import NatsServer
from tests.support.trading import (
    owns_partition,
    trading,
    trading_environment,
    trading_settings,
)
from tests.support.waiting import eventually

PARTITIONS: Final = 3


class Ownership:
    """Makes works that record who owns which partition."""

    def __init__(self) -> None:
        self.owners: defaultdict[int, list[str]] = defaultdict(list)
        """By partition, the holders now."""
        self.terms: defaultdict[int, list[int]] = defaultdict(list)
        """By partition, the epochs of all terms."""
        self.most = 0
        """The greatest number of owners that a partition had at a time."""
        self.failures: list[Exception] = []
        """Each ends one term."""

    def make(self, process: Process, partition: int, readiness: OwnerReadiness) -> PartitionWork:
        return _Recorded(self, process.holder, partition, readiness)


class _Recorded:
    def __init__(
        self, ownership: Ownership, holder: str, partition: int, readiness: OwnerReadiness
    ) -> None:
        self._ownership = ownership
        self._holder = holder
        self._partition = partition
        self._readiness = readiness

    async def run(self, term: Term) -> None:
        owners = self._ownership.owners[self._partition]
        self._ownership.terms[self._partition].append(term.epoch)
        owners.append(self._holder)
        self._ownership.most = max(self._ownership.most, len(owners))
        try:
            if self._ownership.failures:
                raise self._ownership.failures.pop()
            self._readiness.set_known(True)
            await asyncio.Event().wait()
        finally:
            owners.remove(self._holder)

    async def left(self) -> None:
        """Nothing is refused."""


async def test_each_partition_has_one_owner_and_gets_another_when_its_process_ends(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    ownership = Ownership()

    def all_owned() -> bool:
        return all(len(ownership.owners[number]) == 1 for number in range(PARTITIONS))

    async with AsyncExitStack() as first, AsyncExitStack() as second:
        started = [
            await stack.enter_async_context(
                trading(nats, mongo_settings, make_work=ownership.make, partitions=PARTITIONS)
            )
            for stack in (first, second)
        ]
        await eventually(all_owned, what="every partition has an owner")
        for readiness in started:
            await eventually(readiness.is_ready, what="owner and standby are ready")
        await first.aclose()
        await eventually(all_owned, what="the other process owns every partition")
        await eventually(started[1].is_ready, what="the new owner is ready")
        holders = {ownership.owners[number][0] for number in range(PARTITIONS)}
        assert len(holders) == 1
        for number in range(PARTITIONS):
            epochs = ownership.terms[number]
            assert epochs == sorted(set(epochs)), "an epoch returned"
    assert ownership.most == 1


async def test_an_owner_whose_database_fails_releases_its_partition_and_seeks_it_again(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    ownership = Ownership()
    ownership.failures = [PyMongoError("no primary")]
    async with trading(nats, mongo_settings, make_work=ownership.make) as readiness:
        await eventually(readiness.is_ready, what="it owns the partition again")
        first, second = ownership.terms[0]
        assert first < second


async def test_an_unexpected_failure_of_the_work_ends_the_service(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    ownership = Ownership()
    ownership.failures = [ValueError("a bug")]
    settings = trading_settings(nats, mongo_settings)
    async with build(settings, Readiness("trading"), ownership.make) as components:
        (owner,) = [each for each in components if isinstance(each, PartitionOwner)]
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.timeout(PATIENCE_SECS):
                await owner.run()
    assert caught.group_contains(ValueError, match="a bug")


async def test_a_standby_takes_over_from_a_killed_process(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    environment = trading_environment(nats, mongo_settings, lease_ttl_secs=TAKEOVER_TTL_SECS)
    async with ingest_bus(nats), service_process("trading", environment) as owner:
        await eventually(lambda: owns_partition(owner), what="the first process owns the partition")
        async with service_process("trading", environment) as standby:
            assert not await owns_partition(standby)
            assert await standby.is_ready()
            owner.kill()
            await eventually(lambda: owns_partition(standby), what="the standby takes over")
            await standby.wait_ready()


async def test_a_process_stops_in_order_and_releases_its_lease(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    environment = trading_environment(nats, mongo_settings)
    async with ingest_bus(nats), service_process("trading", environment) as owner:
        await eventually(lambda: owns_partition(owner), what="it owns the partition")
        await asyncio.to_thread(owner.stop)
        assert owner.wait_exit() == 0
    async with trading(nats, mongo_settings) as readiness:
        await eventually(readiness.is_ready, what="the next owner is ready")
