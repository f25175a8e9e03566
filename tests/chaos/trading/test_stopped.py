"""An owner that is stopped for longer than its lease, or for longer than a command may take."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Final

from shared.contracts.order_terms import Account, OrderType
from shared.contracts.trading import AccountQuery, Operation, OrderRequest
from shared.contracts.trading_replies import Funds, OrderView
from shared.errors import CommandInFlight, TimedOut, Unavailable
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from shared.runtime.tasks import stop
from tests.support.message_proxies import mongo_proxy
from tests.support.patience import LEASE_TTL_SECS, OUTAGE_SECS, TAKEOVER_TTL_SECS
from tests.support.processes import ServiceProcess, service_process
from tests.support.servers import MongoServer, NatsServer
from tests.support.trading import owns_partition, trading_environment
from tests.support.trading_chaos import NO_LIMITS, TRY_SECS, check_account, repeated
from tests.support.trading_client import (
    USER,
    TradingClient,
    market,
    order_request,
    trading_client,
)
from tests.support.waiting import eventually

LATE_SECS: Final = 4 * OUTAGE_SECS
"""The deadline of requests that a stopped owner receives; a takeover takes less."""


def limit_order(key: str) -> OrderRequest:
    return order_request(key, order_type=OrderType.LIMIT, price=Decimal(1_390))


@asynccontextmanager
async def served(
    nats: NatsServer, mongo: MongoSettings, *, mongo_port: int = 0, ttl_secs: float = LEASE_TTL_SECS
) -> AsyncIterator[tuple[ServiceProcess, TradingClient]]:
    """An owner with a client; it reaches mongod at this port, if one is given."""
    environment = trading_environment(nats, mongo, lease_ttl_secs=ttl_secs) | NO_LIMITS
    if mongo_port:
        url = f"mongodb://127.0.0.1:{mongo_port}/?directConnection=true"
        environment["TRADEDAD_MONGO_URL"] = url
    async with (
        market(nats),
        service_process("trading", environment) as owner,
        trading_client(nats) as client,
    ):
        yield owner, client


@asynccontextmanager
async def standby(nats: NatsServer, mongo: MongoSettings) -> AsyncIterator[ServiceProcess]:
    environment = trading_environment(nats, mongo, lease_ttl_secs=TAKEOVER_TTL_SECS) | NO_LIMITS
    async with service_process("trading", environment) as process:
        yield process


async def test_an_owner_that_was_stopped_answers_nothing_that_is_out_of_date(
    nats: NatsServer, mongo_settings: MongoSettings, mongo: Mongo
) -> None:
    async with (
        served(nats, mongo_settings, ttl_secs=TAKEOVER_TTL_SECS) as (owner, client),
        standby(nats, mongo_settings) as successor,
    ):
        await repeated(client, Operation.PLACE, limit_order("a"), OrderView)
        owner.pause()
        query = AccountQuery(user_id=USER, account=Account.PAPER)

        async def read() -> Funds:
            return await client.call(Operation.FUNDS, query, Funds, timeout_secs=LATE_SECS)

        async def place(request: OrderRequest) -> OrderView:
            return await client.call(Operation.PLACE, request, OrderView, timeout_secs=LATE_SECS)

        # The stopped process is the only one that is subscribed: it gets these when it goes on.
        reads = [asyncio.create_task(read()) for _ in range(8)]
        late = limit_order("late")
        lates = [asyncio.create_task(place(late)) for _ in range(8)]
        try:
            await client.flush()
            await eventually(lambda: owns_partition(successor), what="the standby takes over")
            order = await repeated(client, Operation.PLACE, late, OrderView)
            funds = await repeated(client, Operation.FUNDS, query, Funds)
            assert funds.order_margin
            owner.resume()
            for found in await asyncio.gather(*reads, return_exceptions=True):
                assert isinstance(found, Unavailable) or found == funds
            for answer in await asyncio.gather(*lates, return_exceptions=True):
                assert isinstance(answer, Unavailable | CommandInFlight) or answer == order
        finally:
            await stop([*reads, *lates])
        account = await check_account(mongo, client)
        assert len(account.orders) == 2


async def test_a_write_that_a_stopped_owner_has_begun_is_not_stored(
    nats: NatsServer, mongo_server: MongoServer, mongo_settings: MongoSettings, mongo: Mongo
) -> None:
    async with (
        mongo_proxy(mongo_server.port) as proxy,
        served(
            nats, mongo_settings, mongo_port=proxy.port, ttl_secs=TAKEOVER_TTL_SECS
        ) as (owner, client),
        standby(nats, mongo_settings) as successor,
    ):  # fmt: skip
        held = proxy.hold("commitTransaction")
        begun = limit_order("begun")
        place = asyncio.create_task(
            client.call(Operation.PLACE, begun, OrderView, timeout_secs=LATE_SECS)
        )
        try:
            await held.arrived()
            owner.pause()
            await eventually(lambda: owns_partition(successor), what="the standby takes over")
            order = await repeated(client, Operation.PLACE, begun, OrderView)
            held.release()
            owner.resume()
            (answer,) = await asyncio.gather(place, return_exceptions=True)
            assert isinstance(answer, Unavailable) or answer == order
        finally:
            await stop([place])

        async def stands_by() -> bool:
            return not await owns_partition(owner) and await owner.is_ready()

        await eventually(stands_by, what="the stopped process stands by")
        account = await check_account(mongo, client)
        assert list(account.orders) == [order.order_id]


async def test_a_command_that_arrives_after_its_deadline_is_not_carried_out(
    nats: NatsServer, mongo_settings: MongoSettings, mongo: Mongo
) -> None:
    async with served(nats, mongo_settings) as (owner, client):
        owner.pause()
        for number in range(3):
            try:
                await client.call(
                    Operation.PLACE, limit_order(f"late-{number}"), OrderView,
                    timeout_secs=TRY_SECS,
                )  # fmt: skip
            except TimedOut:
                continue
            raise AssertionError("a stopped process has answered")
        owner.resume()
        order = await repeated(client, Operation.PLACE, limit_order("in-time"), OrderView)
        account = await check_account(mongo, client)
        assert list(account.orders) == [order.order_id]


async def test_a_command_whose_deadline_passes_before_it_has_changed_anything_is_not_carried_out(
    nats: NatsServer, mongo_server: MongoServer, mongo_settings: MongoSettings, mongo: Mongo
) -> None:
    async with (
        mongo_proxy(mongo_server.port) as proxy,
        served(nats, mongo_settings, mongo_port=proxy.port) as (_, client),
    ):
        held = proxy.hold("find trading_commands")
        try:
            await client.call(
                Operation.PLACE, limit_order("late"), OrderView, timeout_secs=TRY_SECS
            )
        except TimedOut:
            held.release()
        else:
            raise AssertionError("it was answered without a look at the stored commands")
        order = await repeated(client, Operation.PLACE, limit_order("in-time"), OrderView)
        account = await check_account(mongo, client)
        assert list(account.orders) == [order.order_id]
