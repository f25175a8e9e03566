"""Every owner of a partition sees kill switches, and fails closed. Real nats-server and mongod."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

import pytest

from services.trading.app import MakeWork, Process, partition_work
from services.trading.partition_owner import OwnerReadiness, PartitionWork
from services.trading.switches.switch_store import SwitchStore
from shared.bus.lease import Term
from shared.bus.requests import send_request
from shared.contracts.trading import Operation, partition_of, trading_subject
from shared.contracts.trading_admin import Switch
from shared.contracts.trading_replies import Preview, SwitchScope
from shared.errors import Unavailable
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.buses import bus_of
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import MongoServer, NatsServer
from tests.support.settings import mongo_settings as settings_of
from tests.support.trading import trading
from tests.support.trading_client import CLOCK_OF_TESTS, TestMarket, order_request, trading_client
from tests.support.trading_switches import ROOT, Administrator, is_accepted, is_refused, rule_of
from tests.support.waiting import eventually


class _NotMine:
    """The work of a partition that another process must own."""

    async def run(self, term: Term) -> None:
        raise Unavailable("another process must own this partition")

    async def left(self) -> None:
        """Nothing was served."""


def only(number: int) -> MakeWork:
    """A process that keeps one partition only."""

    def make(process: Process, partition: int, readiness: OwnerReadiness) -> PartitionWork:
        return partition_work(process, partition, readiness) if partition == number else _NotMine()

    return make


USERS: Final = tuple(
    next(f"user-{n}" for n in range(100) if partition_of(f"user-{n}", 2) == partition)
    for partition in range(2)
)


class OwnedClient:
    """Previews orders of a user of one partition of two."""

    def __init__(self, nats: NatsServer, partition: int) -> None:
        self._nats = nats
        self._partition = partition

    async def scope(self, timeout_secs: float = PATIENCE_SECS) -> str | None:
        """The scope of the switch that stops an order; `off` without one."""
        async with bus_of(self._nats, "gateway") as bus:
            request = order_request("preview", user_id=USERS[self._partition])
            subject = trading_subject(self._partition, Operation.PREVIEW)
            preview = await send_request(
                bus, CLOCK_OF_TESTS, subject, request, Preview, timeout_secs=timeout_secs
            )
        return next(each.value for each in preview.rules if each.rule == "kill_switch")

    async def is_served(self) -> bool:
        try:
            return await self.scope(timeout_secs=1.0) == "off"
        except Unavailable:
            return False


@asynccontextmanager
async def two_owners(
    nats: NatsServer, mongo_settings: MongoSettings
) -> AsyncIterator[list[OwnedClient]]:
    """Two services with a partition each."""
    async with AsyncExitStack() as stack:
        for number in range(2):
            await stack.enter_async_context(
                trading(nats, mongo_settings, make_work=only(number), partitions=2)
            )
        clients = [OwnedClient(nats, number) for number in range(2)]
        for client in clients:
            await eventually(client.is_served, what="the partition is served")
        yield clients


@pytest.mark.usefixtures("moved")
async def test_all_owners_see_a_switch_and_that_it_is_lifted(
    nats: NatsServer, mongo_settings: MongoSettings, admin: Administrator
) -> None:
    async with two_owners(nats, mongo_settings) as clients:
        for is_on, scope in ((True, "global"), (False, "off")):
            await admin.set(is_on=is_on)
            for client in clients:
                await eventually(partial(has_scope, client, scope), what=scope)


async def has_scope(client: OwnedClient, scope: str) -> bool:
    return await client.scope() == scope


@pytest.mark.usefixtures("moved")
async def test_owners_that_are_told_nothing_see_a_switch_in_the_database(
    nats: NatsServer, mongo_settings: MongoSettings, mongo: Mongo
) -> None:
    async with two_owners(nats, mongo_settings) as clients:
        switch = Switch(scope=SwitchScope.GLOBAL, is_on=True, by=ROOT, reason="by hand", at=1)
        await SwitchStore(mongo).set(switch)
        for client in clients:
            await eventually(partial(has_scope, client, "global"), what="seen")


@pytest.mark.seconds
@pytest.mark.usefixtures("moved")
async def test_two_owners_see_a_switch_within_two_seconds(
    nats: NatsServer, mongo_settings: MongoSettings, admin: Administrator
) -> None:
    async with two_owners(nats, mongo_settings) as clients:
        await admin.set(is_on=True)
        started_at = CLOCK_OF_TESTS.monotonic()
        for client in clients:
            await eventually(partial(has_scope, client, "global"), what="seen")
        assert CLOCK_OF_TESTS.monotonic() - started_at < 2.0


async def test_while_the_database_is_away_new_orders_are_refused_after_five_seconds(
    nats: NatsServer, own_mongod: MongoServer, moved: TestMarket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.trading.risk.switch_board.MAX_AGE_SECS", 5.0)
    monkeypatch.setattr("services.trading.switches.switch_reader._TIMEOUT_SECS", 2.0)
    # A checkpoint that cannot be stored would end the term.
    monkeypatch.setattr("services.trading.partition.market._CHECKPOINT_SECS", float("inf"))
    own_settings = settings_of(own_mongod.url, "switches", has_outages=True)
    async with trading(nats, own_settings, paper_latency_ms=0), trading_client(nats) as client:
        assert await is_accepted(client)
        own_mongod.kill()
        assert await is_accepted(client), "the last read is recent"
        await eventually(lambda: is_refused(client, "unknown"), what="refused")
        _, _, detail = await rule_of(client)
        assert "could not be read for 5 s" in detail
        await asyncio.to_thread(own_mongod.start)
        await eventually(lambda: is_accepted(client), what="accepted again")
