"""A program trades a paper account with the real trading service behind a real gateway."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.python_client import python_client
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.trading import trading
from tests.support.trading_client import TestMarket, market, trading_client
from tradedad_client import (
    Account,
    AccountEvent,
    AccountEvents,
    Client,
    EventKind,
    NewOrder,
    OrderFinal,
    OrderRefused,
    OrderState,
    OrderType,
    Product,
    RequestTiming,
    Side,
)

PATIENT = RequestTiming(attempt_secs=PATIENCE_SECS, total_secs=PATIENCE_SECS)


@asynccontextmanager
async def trader(
    nats: NatsServer, mongo: MongoSettings
) -> AsyncIterator[tuple[Client, TestMarket]]:
    """A client of a gateway and a trading service that serves, and the market."""
    async with (
        market(nats) as moved,
        trading(nats, mongo, paper_latency_ms=0),
        trading_client(nats),  # waits until the partition is served
        running_gateway(nats) as gateway,
        python_client(gateway, request_timing=PATIENT) as client,
    ):
        yield client, moved


def order(**fields: object) -> NewOrder:
    """A market order for ten shares, intraday, unless the fields say otherwise."""
    defaults: dict[str, object] = {
        "account": Account.PAPER, "key": KEY, "side": Side.BUY, "product": Product.INTRADAY,
        "quantity": 10, "order_type": OrderType.MARKET,
    }  # fmt: skip
    return NewOrder(**(defaults | fields))  # type: ignore[arg-type]


async def until_filled(events: AccountEvents) -> list[AccountEvent]:
    """The next events, up to the one that fills an order."""
    received = []
    async with asyncio.timeout(PATIENCE_SECS):
        async for event in events:
            received.append(event)
            if event.order is not None and event.order.state == OrderState.FILLED:
                break
    return received


async def test_an_order_is_placed_once_and_its_fills_are_followed(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    async with trader(nats, mongo_settings) as (client, moved):
        events = client.trading.follow(after=0)
        placed = await client.trading.place(order(), command_key="c-1")
        assert await client.trading.place(order(), command_key="c-1") == placed
        await moved.quote(1_400.0, asks=[(1_400.05, 6), (1_400.10, 100)])
        received = await until_filled(events)
        assert [event.seq for event in received] == [1, 2, 3, 4]
        fills = [event.trade for event in received if event.kind == EventKind.FILL]
        assert [(fill.quantity, fill.price) for fill in fills if fill] == [
            (6, Decimal("1400.05")), (4, Decimal("1400.10")),
        ]  # fmt: skip
        positions = await client.trading.positions(Account.PAPER)
        assert positions.positions[0].buy_value == Decimal("14000.70")
        funds = await client.trading.funds(Account.PAPER)
        assert funds.charges == positions.charges
        assert funds.charges
        assert len(await client.trading.trades(Account.PAPER)) == 2
        (only,) = await client.trading.orders(Account.PAPER)
        assert only.order_id == placed.order_id


async def test_an_order_is_modified_cancelled_and_then_final(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    async with trader(nats, mongo_settings) as (client, _):
        limit = order(order_type=OrderType.LIMIT, price=Decimal("1390.00"))
        placed = await client.trading.place(limit)
        changed = await client.trading.modify(placed.order_id, price=Decimal("1391.00"))
        assert changed.price == Decimal("1391.00")
        cancelled = await client.trading.cancel(placed.order_id)
        assert cancelled.state == OrderState.CANCELLED
        with pytest.raises(OrderFinal):
            await client.trading.cancel(placed.order_id)
        detail = await client.trading.order(placed.order_id)
        assert detail.order == cancelled
        page = await client.trading.events()
        assert page.events[-1].seq == page.last_seq


async def test_a_refusal_names_the_rule_that_a_preview_names(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    async with trader(nats, mongo_settings) as (client, _):
        off_tick = order(order_type=OrderType.LIMIT, price=Decimal("1390.01"))
        preview = await client.trading.preview(off_tick)
        failed = [rule.rule for rule in preview.rules if not rule.passed]
        with pytest.raises(OrderRefused) as refused:
            await client.trading.place(off_tick)
        assert refused.value.rule == failed[0] == "price"
        assert await client.trading.set_kill_switch(True)
        with pytest.raises(OrderRefused) as refused:
            await client.trading.place(order())
        assert refused.value.rule == "kill_switch"
        assert (await client.trading.limits(Account.PAPER)).kill_switch
