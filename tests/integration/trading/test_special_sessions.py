"""Trading follows the calendar that the persister publishes. Real nats-server and mongod."""

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal

import msgspec
import pytest

from services.trading.store.documents import PARTITIONS
from shared.contracts.calendar import CALENDAR_DAYS, encode_calendar
from shared.contracts.order_terms import OrderType
from shared.contracts.trading import Operation
from shared.contracts.trading_replies import OrderView
from shared.errors import OrderRefused
from shared.market.calendar_data import CalendarData
from shared.market.exchange_time import DAY_MS
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.buses import bus_of, flushed
from tests.support.servers import NatsServer
from tests.support.trading import trading
from tests.support.trading_client import (
    TestMarket,
    TradingClient,
    market,
    order_request,
    trading_client,
)
from tests.support.waiting import eventually

SATURDAY = date(2026, 11, 28)
OPEN = CalendarData(timings={SATURDAY: {"NSE": (9 * 60 + 15, 15 * 60 + 30)}})


@pytest.fixture
async def saturday(nats: NatsServer) -> AsyncIterator[TestMarket]:
    async with market(nats) as made:
        await made.quote(1_400.0, after_ms=5 * DAY_MS)
        yield made


async def place(client: TradingClient, key: str) -> OrderView:
    request = order_request(key, order_type=OrderType.LIMIT, price=Decimal("1405.00"))
    return await client.call(Operation.PLACE, request, OrderView)


async def publish(nats: NatsServer, data: bytes) -> None:
    async with bus_of(nats, "persister") as bus:
        await bus.client.publish(CALENDAR_DAYS, data)
        await flushed(bus.client)


async def is_filled(client: TradingClient, order: OrderView | None) -> None:
    assert order is not None
    await eventually(
        lambda: any(
            event.trade is not None and event.trade.order_id == order.order_id
            for event in client.events
        ),
        what="the order is filled",
    )


async def test_orders_are_taken_and_filled_in_a_special_session_also_by_the_next_owner(
    nats: NatsServer, mongo_settings: MongoSettings, saturday: TestMarket, mongo: Mongo
) -> None:
    attempts = 0

    async with (
        trading(nats, mongo_settings, paper_latency_ms=0),
        trading_client(nats) as client,
    ):
        await client.receive()
        with pytest.raises(OrderRefused, match="NSE_EQ"):
            await place(client, "closed")
        await publish(nats, b"not a calendar")

        async def is_open() -> OrderView | None:
            nonlocal attempts
            attempts += 1
            await publish(nats, encode_calendar(OPEN, from_day=SATURDAY))
            try:
                return await place(client, f"open-{attempts}")
            except OrderRefused:
                return None

        order = await eventually(is_open, what="the session is open")
        await saturday.quote(1_400.0)
        await is_filled(client, order)
    async with (
        trading(nats, mongo_settings, paper_latency_ms=0),
        trading_client(nats) as client,
    ):
        await client.receive()
        order = await place(client, "next-owner")
        await saturday.quote(1_400.0)
        await is_filled(client, order)
    stored = mongo.db[PARTITIONS]
    document = await stored.find_one({})
    assert document is not None
    state = msgspec.msgpack.decode(document["state"]) | {"version": 0}
    await stored.update_one({}, {"$set": {"state": msgspec.msgpack.encode(state)}})
    async with (
        trading(nats, mongo_settings, paper_latency_ms=0),
        trading_client(nats) as client,
    ):
        await client.receive()
        order = await place(client, "owner-without-a-usable-state")
        await saturday.quote(1_400.0)
        await is_filled(client, order)
