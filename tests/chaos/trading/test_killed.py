"""The trading service is killed, or its servers are, while a user sends commands.

Every command has an effect once, whatever is killed, and what the user was told is what is stored.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Final

import pytest

from shared.contracts.order_terms import OrderType
from shared.contracts.trading import CancelRequest, ModifyRequest, Operation, OrderRequest
from shared.contracts.trading_replies import OrderView
from shared.errors import OrderFinal, OrderRefused
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.settings import MongoSettings
from shared.runtime.tasks import stop
from tests.support import settings
from tests.support.processes import ServiceProcess, service_process
from tests.support.servers import MongoServer, NatsServer
from tests.support.trading import trading_environment
from tests.support.trading_chaos import NO_LIMITS, check_account, repeated
from tests.support.trading_client import (
    USER,
    TestMarket,
    TradingClient,
    market,
    order_request,
    trading_client,
)
from tests.support.waiting import eventually

TTL_SECS: Final = 1.0
WORKERS: Final = 3


@pytest.fixture
def own_settings(own_mongod: MongoServer) -> MongoSettings:
    return settings.mongo_settings(own_mongod.url, "trading_chaos", has_outages=True)


@pytest.fixture
async def own_mongo(own_settings: MongoSettings) -> AsyncIterator[Mongo]:
    async with connect_mongo(own_settings, Readiness("test")) as connected:
        yield connected


class Trader:
    """Places, modifies and cancels orders without pause; sends each command until it is answered."""

    def __init__(self, client: TradingClient) -> None:
        self.client = client
        self.placed: dict[str, str] = {}
        """Order id by command key."""
        self.answers = 0
        self._is_ending = False

    async def run(self) -> None:
        """Trade until `end` was called."""
        async with asyncio.TaskGroup() as group:
            for number in range(WORKERS):
                group.create_task(self._work(f"w{number}"))

    def end(self) -> None:
        """Finish the orders that were begun."""
        self._is_ending = True

    async def answered(self, more: int) -> None:
        """Wait for this number of further answers."""
        target = self.answers + more
        await eventually(lambda: self.answers >= target, what=f"{more} more answers")

    async def _work(self, name: str) -> None:
        number = 0
        while not self._is_ending:
            number += 1
            key = f"{name}-{number}"
            offset = Decimal(number % 7 - 3)
            request = order_request(
                key, order_type=OrderType.LIMIT, price=Decimal(1_400) + offset, quantity=3
            )
            order = await self._twice(Operation.PLACE, request)
            assert order is not None
            self.placed[key] = order.order_id
            change = ModifyRequest(
                user_id=USER, command_key=f"{key}-m", order_id=order.order_id, quantity=5
            )
            await self._twice(Operation.MODIFY, change)
            if number % 3:
                cancel = CancelRequest(
                    user_id=USER, command_key=f"{key}-c", order_id=order.order_id
                )
                await self._twice(Operation.CANCEL, cancel)

    async def _twice(
        self, operation: Operation, request: OrderRequest | ModifyRequest | CancelRequest
    ) -> OrderView | None:
        """The answer, also to a repetition; None if the order had ended before."""
        answers: list[OrderView | str] = []
        for _ in range(2):
            try:
                answers.append(await repeated(self.client, operation, request, OrderView))
            except (OrderFinal, OrderRefused) as refusal:
                answers.append(refusal.detail)
            self.answers += 1
        assert answers[0] == answers[1]
        return answers[0] if isinstance(answers[0], OrderView) else None


async def trade_through(
    faults: list[Callable[[], None]],
    trader: Trader,
    moved: TestMarket,
    mongo: Mongo,
    *,
    seed: int,
) -> None:
    """Trade while each fault happens at a random moment; check everything at the end."""
    chance = random.Random(seed)
    trading = asyncio.create_task(trader.run())
    try:
        for number, fault in enumerate(faults):
            await trader.answered(chance.randint(5, 40))
            price = 1_398.0 + 0.5 * (number % 8)
            await moved.quote(price, traded=chance.randint(0, 20))
            await trader.answered(chance.randint(0, 10))
            await asyncio.to_thread(fault)
        await trader.answered(10)
        await moved.quote(1_401.0, traded=5)
        await trader.answered(10)
        trader.end()
        await trading
    finally:
        await stop([trading])
    account = await check_account(mongo, trader.client)
    assert sorted(account.orders) == sorted(trader.placed.values())


def environment(nats: NatsServer, mongo: MongoSettings) -> dict[str, str]:
    return trading_environment(nats, mongo, has_outages=True, lease_ttl_secs=TTL_SECS) | NO_LIMITS


def restarted(process: ServiceProcess | NatsServer | MongoServer) -> Callable[[], None]:
    def restart() -> None:
        process.kill()
        process.start()

    return restart


async def test_each_command_has_one_effect_although_the_service_is_killed_again_and_again(
    nats: NatsServer, mongo_settings: MongoSettings, mongo: Mongo
) -> None:
    async with (
        market(nats) as moved,
        service_process("trading", environment(nats, mongo_settings)) as service,
        trading_client(nats) as client,
    ):
        trader = Trader(client)
        await trade_through([restarted(service)] * 3, trader, moved, mongo, seed=7)


async def test_each_command_has_one_effect_although_nats_and_mongod_are_killed(
    nats: NatsServer, own_mongod: MongoServer, own_settings: MongoSettings, own_mongo: Mongo
) -> None:
    async with (
        market(nats) as moved,
        service_process("trading", environment(nats, own_settings)),
        trading_client(nats) as client,
    ):
        trader = Trader(client)
        faults = [restarted(own_mongod), restarted(nats), restarted(own_mongod)]
        await trade_through(faults, trader, moved, own_mongo, seed=11)


async def test_a_command_that_is_sent_a_hundred_times_around_a_takeover_makes_one_order(
    nats: NatsServer, mongo_settings: MongoSettings, mongo: Mongo
) -> None:
    async with (
        market(nats),
        service_process("trading", environment(nats, mongo_settings)) as owner,
        trading_client(nats) as client,
        service_process("trading", environment(nats, mongo_settings)),
    ):
        request = order_request("a", order_type=OrderType.LIMIT, price=Decimal(1_390))

        async def place() -> OrderView:
            return await repeated(client, Operation.PLACE, request, OrderView)

        places = [asyncio.create_task(place()) for _ in range(100)]
        try:
            await client.flush()
            owner.kill()
            answers = await asyncio.gather(*places)
        finally:
            await stop(places)
        assert all(answer == answers[0] for answer in answers)
        account = await check_account(mongo, client)
        assert list(account.orders) == [answers[0].order_id]
