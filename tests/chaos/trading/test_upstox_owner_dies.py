"""The owner is killed or stopped while orders are on their way to Upstox: no order comes twice.

Upstox is the simulator in the test's own event loop; its ledger is the truth.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from services.trading.links.seal_keys import create_seal_key
from shared.contracts.order_terms import Account, OrderType
from shared.contracts.trading import (
    CancelRequest,
    ModifyRequest,
    Operation,
    OrderRequest,
    OrdersQuery,
)
from shared.contracts.trading_replies import Orders, OrderView
from shared.errors import OrderFinal, OrderRefused, TimedOut
from shared.runtime.clock import SystemClock
from shared.runtime.settings import MongoSettings
from shared.runtime.tasks import stop
from tests.support.message_proxies import mongo_proxy
from tests.support.patience import OUTAGE_SECS, TAKEOVER_TTL_SECS
from tests.support.processes import ServiceProcess, service_process
from tests.support.servers import MongoServer, NatsServer
from tests.support.trading import owns_partition, trading_environment
from tests.support.trading_chaos import NO_LIMITS
from tests.support.trading_chaos import repeated as repeated_for
from tests.support.trading_client import USER, TradingClient, market, trading_client
from tests.support.upstox_linking import APP, REDIRECT_URL
from tests.support.upstox_trading import (
    CANCEL,
    MODIFY,
    PLACE,
    Simulated,
    link_account,
    simulated,
    upstox_order,
)
from tests.support.waiting import eventually

LATE_SECS: Final = 4 * OUTAGE_SECS
HELD_SECS: Final = 30.0
repeated = partial(repeated_for, try_secs=5.0)
"""On a busy machine: an order that is stored after its deadline is refused for good."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A user with a linked account, and the processes that may own the partition."""

    client: TradingClient
    upstox: Simulated
    owner: ServiceProcess
    environment: dict[str, str]

    async def orders(self) -> list[OrderView]:
        """All orders at Upstox, as the user sees them."""
        query = OrdersQuery(user_id=USER, account=Account.UPSTOX)
        return (await repeated(self.client, Operation.ORDERS, query, Orders)).orders

    async def agrees(self) -> list[OrderView]:
        """The orders, once they are all known and equal to the ledger."""

        async def are_equal() -> bool:
            rows = {row["tag"]: row for row in await self.upstox.orders()}
            orders = await self.orders()
            return all(
                one.pending is None
                and one.order_id in rows
                and one.broker_order_id == rows[one.order_id]["order_id"]
                and one.filled_quantity == rows[one.order_id]["filled_quantity"]
                and (one.state == "cancelled") == (rows[one.order_id]["status"] == "cancelled")
                for one in orders
            ) and len(orders) == len(rows)

        await eventually(are_equal, what="the user's view equals Upstox's ledger")
        return await self.orders()

    async def reaches_upstox(self, path: str) -> None:
        """Wait until the armed fault holds a request."""

        async def is_taken() -> bool:
            return not [one for one in await self.upstox.get("faults") if one["path"] == path]

        await eventually(is_taken, what=f"a request to {path} is held")


@pytest.fixture
async def stack(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path
) -> AsyncIterator[Stack]:
    async with open_stack(nats, mongo_settings, tmp_path) as opened:
        yield opened


@asynccontextmanager
async def open_stack(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path, *, mongo_port: int = 0
) -> AsyncIterator[Stack]:
    """A stack whose owner reaches mongod at this port, if one is given."""
    keys_dir = tmp_path / "keys"
    await asyncio.to_thread(create_seal_key, keys_dir, SystemClock())
    async with AsyncExitStack() as opened:
        upstox = await opened.enter_async_context(simulated())
        await opened.enter_async_context(market(nats))
        environment = {
            **trading_environment(nats, mongo_settings, lease_ttl_secs=TAKEOVER_TTL_SECS),
            **NO_LIMITS,
            "TRADEDAD_UPSTOX_API_URL": upstox.url,
            "TRADEDAD_UPSTOX_TIMEOUT_SECS": "3",
            "TRADEDAD_TRADING_KEYS_DIR": str(keys_dir),
            "TRADEDAD_TRADING_UPSTOX_CLIENT_ID": APP["client_id"],
            "TRADEDAD_TRADING_UPSTOX_CLIENT_SECRET": APP["client_secret"],
            "TRADEDAD_TRADING_UPSTOX_REDIRECT_URL": REDIRECT_URL,
            "TRADEDAD_TRADING_LIVE_ORDERS": "true",
            "TRADEDAD_TRADING_CALENDAR": "always_open",
        }
        if mongo_port:
            url = f"mongodb://127.0.0.1:{mongo_port}/?directConnection=true"
            environment["TRADEDAD_MONGO_URL"] = url
        owner = await opened.enter_async_context(service_process("trading", environment))
        client = await opened.enter_async_context(trading_client(nats))
        await link_account(client)
        yield Stack(client, upstox, owner, environment)


@asynccontextmanager
async def standby(stack: Stack) -> AsyncIterator[ServiceProcess]:
    async with service_process("trading", stack.environment) as process:
        yield process


def limit(key: str) -> OrderRequest:
    return upstox_order(key, order_type=OrderType.LIMIT, price=Decimal("1350.00"))


@pytest.mark.parametrize("fault", ["late", "lost"])
async def test_an_owner_that_is_killed_while_it_sends_an_order_places_it_once(
    stack: Stack, fault: str
) -> None:
    await stack.upstox.arm(fault, PLACE, delay_secs=HELD_SECS if fault != "lost" else 0)
    request = limit("a")
    place = asyncio.create_task(
        stack.client.call(Operation.PLACE, request, OrderView, timeout_secs=LATE_SECS)
    )
    try:
        await stack.reaches_upstox(PLACE)
        stack.owner.kill()
        stack.owner.start()
        order = await repeated(stack.client, Operation.PLACE, request, OrderView)
    finally:
        await stop([place])
    (known,) = await stack.agrees()
    assert known.order_id == order.order_id
    await repeated(stack.client, Operation.PLACE, request, OrderView)
    assert len(await stack.upstox.orders()) == 1


async def test_an_order_that_did_not_reach_upstox_before_the_owner_died_stays_unknown(
    stack: Stack,
) -> None:
    await stack.upstox.arm("slow", PLACE, delay_secs=HELD_SECS)
    request = limit("a")
    place = asyncio.create_task(
        stack.client.call(Operation.PLACE, request, OrderView, timeout_secs=LATE_SECS)
    )
    try:
        await stack.reaches_upstox(PLACE)
        stack.owner.kill()
        stack.owner.start()
        order = await repeated(stack.client, Operation.PLACE, request, OrderView)
    finally:
        await stop([place])
    assert order.state == "unknown"
    other = await repeated(stack.client, Operation.PLACE, limit("b"), OrderView)
    states = {one.order_id: one.state for one in await stack.orders()}
    assert states == {order.order_id: "unknown", other.order_id: "open"}
    assert [row["tag"] for row in await stack.upstox.orders()] == [other.order_id]


@pytest.mark.parametrize("path", [MODIFY, CANCEL])
async def test_an_owner_that_is_killed_while_it_sends_a_command_leaves_it_known_in_the_end(
    stack: Stack, path: str
) -> None:
    order = await repeated(stack.client, Operation.PLACE, limit("a"), OrderView)
    await stack.upstox.arm("late", path, delay_secs=HELD_SECS)
    request: ModifyRequest | CancelRequest
    if path == MODIFY:
        operation = Operation.MODIFY
        request = ModifyRequest(
            user_id=USER, command_key="b", order_id=order.order_id, price=Decimal("1351.00")
        )
    else:
        operation = Operation.CANCEL
        request = CancelRequest(user_id=USER, command_key="b", order_id=order.order_id)
    sending = asyncio.create_task(
        stack.client.call(operation, request, OrderView, timeout_secs=LATE_SECS)
    )
    try:
        await stack.reaches_upstox(path)
        stack.owner.kill()
        stack.owner.start()
        await repeated(stack.client, operation, request, OrderView)
    finally:
        await stop([sending])
    (known,) = await stack.agrees()
    if path == MODIFY:
        assert (known.state, known.price) == ("open", Decimal("1351.00"))
    else:
        assert known.state == "cancelled"


async def test_an_owner_that_is_stopped_past_its_lease_sends_nothing_when_it_goes_on(
    stack: Stack,
) -> None:
    await repeated(stack.client, Operation.PLACE, limit("a"), OrderView)
    async with standby(stack) as successor:
        stack.owner.pause()

        async def place(request: OrderRequest) -> OrderView:
            return await stack.client.call(
                Operation.PLACE, request, OrderView, timeout_secs=LATE_SECS
            )

        late = limit("late")
        lates = [asyncio.create_task(place(late)) for _ in range(8)]
        try:
            await stack.client.flush()
            await eventually(lambda: owns_partition(successor), what="the standby takes over")
            await repeated(stack.client, Operation.PLACE, late, OrderView)
            stack.owner.resume()
            await asyncio.gather(*lates, return_exceptions=True)
        finally:
            await stop(lates)
        await stack.agrees()
        assert len(await stack.upstox.orders()) == 2


async def test_orders_survive_an_owner_that_is_killed_again_and_again(stack: Stack) -> None:
    for number in range(4):
        await stack.upstox.arm("late" if number % 2 else "lost", PLACE, delay_secs=HELD_SECS)
        request = limit(f"order-{number}")
        place = asyncio.create_task(
            stack.client.call(Operation.PLACE, request, OrderView, timeout_secs=LATE_SECS)
        )
        try:
            await stack.reaches_upstox(PLACE)
            stack.owner.kill()
            stack.owner.start()
            order = await repeated(stack.client, Operation.PLACE, request, OrderView)
        finally:
            await stop([place])
        assert order.state != "rejected"
    orders = await stack.agrees()
    assert len(orders) == 4
    for order in orders:
        request_cancel = CancelRequest(
            user_id=USER, command_key=f"c-{order.order_id}", order_id=order.order_id
        )
        try:
            await repeated(stack.client, Operation.CANCEL, request_cancel, OrderView)
        except OrderFinal:
            continue
    orders = await stack.agrees()
    assert {order.state for order in orders} == {"cancelled"}


async def test_an_order_whose_deadline_passes_while_it_is_stored_is_not_sent(
    nats: NatsServer, mongo_server: MongoServer, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    async with (
        mongo_proxy(mongo_server.port) as proxy,
        open_stack(nats, mongo_settings, tmp_path, mongo_port=proxy.port) as stack,
    ):
        await repeated(stack.client, Operation.PLACE, limit("before"), OrderView)
        held = proxy.hold("commitTransaction")
        late = limit("late")
        with pytest.raises(TimedOut):
            await stack.client.call(Operation.PLACE, late, OrderView, timeout_secs=OUTAGE_SECS)
        held.release()
        with pytest.raises(OrderRefused) as refusal:
            await repeated(stack.client, Operation.PLACE, late, OrderView)
        assert refusal.value.members["rule"] == "deadline_passed"
        assert sorted(order.state for order in await stack.orders()) == ["open", "rejected"]
        assert len(await stack.upstox.orders()) == 1
