"""Paper orders over the bus: placed once, filled from the market, and told to their user."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from services.trading import metrics
from shared.contracts.instruments import Reference
from shared.contracts.messages import encode
from shared.contracts.order_terms import Account, OrderType, Product
from shared.contracts.subjects import quote_subject
from shared.contracts.trading import (
    AccountQuery,
    CancelRequest,
    EventsQuery,
    ExitRequest,
    ModifyRequest,
    Operation,
    OrderQuery,
    OrdersQuery,
    PreviewChangesRequest,
)
from shared.contracts.trading_replies import (
    EventKind,
    Events,
    Funds,
    OrderDetail,
    Orders,
    OrdersReply,
    OrderView,
    Positions,
    Preview,
)
from shared.errors import (
    CommandInFlight,
    IdempotencyKeyReused,
    NotFound,
    OrderFinal,
    OrderRefused,
)
from shared.market.exchange_time import DAY_MS, MINUTE_MS
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY, quote
from tests.support.servers import NatsServer
from tests.support.trading import trading
from tests.support.trading_client import (
    NIFTY_FUTURE,
    USER,
    TestMarket,
    TradingClient,
    order_request,
    trading_client,
)
from tests.support.waiting import eventually


@pytest.fixture
async def client(
    nats: NatsServer, mongo_settings: MongoSettings, moved: TestMarket
) -> AsyncIterator[TradingClient]:
    async with trading(nats, mongo_settings, paper_latency_ms=0), trading_client(nats) as client:
        yield client


async def order_of(client: TradingClient, order_id: str) -> OrderView:
    query = OrderQuery(user_id=client.user_id, order_id=order_id)
    return (await client.call(Operation.ORDER, query, OrderDetail)).order


async def filled(client: TradingClient, order_id: str, quantity: int) -> OrderView:
    async def is_filled() -> bool:
        return (await order_of(client, order_id)).filled_quantity >= quantity

    await eventually(is_filled, what=f"{quantity} are filled")
    return await order_of(client, order_id)


async def test_a_market_order_is_filled_by_the_next_quote(
    client: TradingClient, moved: TestMarket
) -> None:
    order = await client.call(Operation.PLACE, order_request("a"), OrderView)
    assert (order.state, order.filled_quantity) == ("open", 0)
    await moved.quote(1_400.0, asks=[(1_400.05, 6), (1_400.10, 100)])
    order = await filled(client, order.order_id, 10)
    assert order.state == "filled"
    assert order.average_price == (6 * Decimal("1400.05") + 4 * Decimal("1400.10")) / 10
    await client.has_events(4)
    assert [event.seq for event in client.events] == [1, 2, 3, 4]
    kinds = [event.kind for event in client.events]
    assert kinds == [EventKind.ORDER, EventKind.ORDER, EventKind.FILL, EventKind.FILL]
    query = AccountQuery(user_id=USER, account=Account.PAPER)
    positions = await client.call(Operation.POSITIONS, query, Positions)
    (position,) = positions.positions
    assert (position.quantity, position.buy_value) == (10, Decimal("14000.70"))
    funds = await client.call(Operation.FUNDS, query, Funds)
    assert funds.charges == positions.charges
    assert funds.charges
    assert funds.order_margin == 0


async def test_a_resting_order_is_modified_and_cancelled(client: TradingClient) -> None:
    limit = order_request("a", order_type=OrderType.LIMIT, price=Decimal("1390.00"))
    order = await client.call(Operation.PLACE, limit, OrderView)
    change = ModifyRequest(
        user_id=USER, command_key="b", order_id=order.order_id, price=Decimal("1391.00")
    )
    order = await client.call(Operation.MODIFY, change, OrderView)
    assert (order.state, order.price) == ("open", Decimal("1391.00"))
    cancel = CancelRequest(user_id=USER, command_key="c", order_id=order.order_id)
    order = await client.call(Operation.CANCEL, cancel, OrderView)
    assert order.state == "cancelled"
    again = CancelRequest(user_id=USER, command_key="d", order_id=order.order_id)
    with pytest.raises(OrderFinal):
        await client.call(Operation.CANCEL, again, OrderView)


async def test_a_command_that_is_sent_a_hundred_times_makes_one_order(
    client: TradingClient,
) -> None:
    request = order_request("a")

    async def place() -> str | None:
        try:
            return (await client.call(Operation.PLACE, request, OrderView)).order_id
        except CommandInFlight:
            return None

    ids = set(await asyncio.gather(*[place() for _ in range(60)])) - {None}
    ids |= set(await asyncio.gather(*[place() for _ in range(40)])) - {None}
    assert len(ids) == 1
    query = OrdersQuery(user_id=USER, account=Account.PAPER)
    assert len((await client.call(Operation.ORDERS, query, Orders)).orders) == 1


async def test_a_key_that_is_used_for_another_command_is_refused(client: TradingClient) -> None:
    await client.call(Operation.PLACE, order_request("a"), OrderView)
    with pytest.raises(IdempotencyKeyReused):
        await client.call(Operation.PLACE, order_request("a", quantity=11), OrderView)


async def test_a_refusal_names_rule_limit_and_value_and_is_repeated(
    client: TradingClient,
) -> None:
    request = order_request("a", order_type=OrderType.LIMIT, price=Decimal("1390.01"))
    details = []
    for _ in range(2):
        with pytest.raises(OrderRefused) as refusal:
            await client.call(Operation.PLACE, request, OrderView)
        details.append((refusal.value.detail, dict(refusal.value.members)))
    assert details[0] == details[1]
    assert set(details[0][1]) == {"rule", "limit", "value"}


async def test_a_price_outside_the_circuit_limits_is_refused_also_in_a_change(
    client: TradingClient, moved: TestMarket
) -> None:
    moved.reference = Reference(taken_at=1, lower_circuit=1_260.0, upper_circuit=1_540.0)
    limit = {"order_type": OrderType.LIMIT, "price": Decimal("1540.10")}
    with pytest.raises(OrderRefused, match="above the upper circuit limit 1540") as caught:
        await client.call(Operation.PLACE, order_request("c-1", **limit), OrderView)
    assert caught.value.members["rule"] == "band"
    limit["price"] = Decimal("1260.00")
    order = await client.call(Operation.PLACE, order_request("c-2", **limit), OrderView)
    change = ModifyRequest(
        user_id=USER, command_key="c-3", order_id=order.order_id, price=Decimal("1259.90")
    )
    with pytest.raises(OrderRefused, match="below the lower circuit limit 1260"):
        await client.call(Operation.MODIFY, change, OrderView)


async def test_a_preview_changes_nothing(client: TradingClient) -> None:
    preview = await client.call(Operation.PREVIEW, order_request("a"), Preview)
    assert preview.passed
    assert preview.charges is not None
    assert preview.margin is not None
    query = OrdersQuery(user_id=USER, account=Account.PAPER)
    assert (await client.call(Operation.ORDERS, query, Orders)).orders == []
    assert client.events == []


async def test_a_preview_of_changes_counts_the_margin_of_the_order_once(
    client: TradingClient, nats: NatsServer
) -> None:
    limit = order_request("a", order_type=OrderType.LIMIT, price=Decimal("1390.00"))
    order = await client.call(Operation.PLACE, limit, OrderView)
    of_account = AccountQuery(user_id=USER, account=Account.PAPER)
    funds = await client.call(Operation.FUNDS, of_account, Funds)
    changes = PreviewChangesRequest(user_id=USER, order_id=order.order_id, quantity=20)
    preview = await client.call(Operation.PREVIEW_CHANGES, changes, Preview)
    assert preview.passed
    assert preview.value == 20 * Decimal("1390.00")
    assert preview.available == (funds.available or 0) + (funds.order_margin or 0)
    off_tick = PreviewChangesRequest(
        user_id=USER, order_id=order.order_id, price=Decimal("1390.01")
    )
    refused = await client.call(Operation.PREVIEW_CHANGES, off_tick, Preview)
    assert [rule.rule for rule in refused.rules if not rule.passed] == ["price"]
    assert await order_of(client, order.order_id) == order
    async with trading_client(nats, "user-2") as other:
        foreign = PreviewChangesRequest(user_id="user-2", order_id=order.order_id, quantity=20)
        with pytest.raises(NotFound):
            await other.call(Operation.PREVIEW_CHANGES, foreign, Preview)
    cancel = CancelRequest(user_id=USER, command_key="c", order_id=order.order_id)
    await client.call(Operation.CANCEL, cancel, OrderView)
    with pytest.raises(OrderFinal):
        await client.call(Operation.PREVIEW_CHANGES, changes, Preview)


async def test_no_user_reads_or_cancels_the_order_of_another(
    client: TradingClient, nats: NatsServer
) -> None:
    limit = order_request("a", order_type=OrderType.LIMIT, price=Decimal("1390.00"))
    order = await client.call(Operation.PLACE, limit, OrderView)
    async with trading_client(nats, "user-2") as other:
        with pytest.raises(NotFound):
            await order_of(other, order.order_id)
        cancel = CancelRequest(user_id="user-2", command_key="a", order_id=order.order_id)
        with pytest.raises(NotFound):
            await other.call(Operation.CANCEL, cancel, OrderView)
        assert other.events == []
    assert (await order_of(client, order.order_id)).state == "open"


async def test_a_changed_order_reserves_the_margin_of_what_is_left_of_it(
    client: TradingClient, moved: TestMarket
) -> None:
    limit = {"order_type": OrderType.LIMIT, "product": Product.DELIVERY}
    request = order_request("a", quantity=10, price=Decimal("1400.05"), **limit)
    order = await client.call(Operation.PLACE, request, OrderView)
    await moved.quote(1_400.0, asks=[(1_400.05, 9)])
    await filled(client, order.order_id, 9)
    await moved.quote(1_400.0, asks=[(1_410.0, 9)])
    change = ModifyRequest(
        user_id=USER, command_key="b", order_id=order.order_id, price=Decimal(1_390)
    )
    await client.call(Operation.MODIFY, change, OrderView)
    query = AccountQuery(user_id=USER, account=Account.PAPER)
    reserved = (await client.call(Operation.FUNDS, query, Funds)).order_margin
    assert reserved is not None
    assert 1_390 <= reserved < 1_450


async def test_an_order_of_the_square_off_cannot_be_changed(
    client: TradingClient, moved: TestMarket
) -> None:
    order = await client.call(Operation.PLACE, order_request("a"), OrderView)
    await moved.quote(1_400.0)
    await filled(client, order.order_id, 10)
    moved.now_ms += 5 * 3_600_000 + 13 * MINUTE_MS  # 15:13
    await moved.tick()
    query = OrdersQuery(user_id=USER, account=Account.PAPER)

    async def closing() -> list[OrderView]:
        orders = (await client.call(Operation.ORDERS, query, Orders)).orders
        return [one for one in orders if one.order_id != order.order_id]

    async def is_squared_off() -> bool:
        return bool(await closing())

    await eventually(is_squared_off, what="the position is squared off")
    (one,) = await closing()
    change = ModifyRequest(
        user_id=USER, command_key="b", order_id=one.order_id, order_type=OrderType.LIMIT,
        price=Decimal(1_500),
    )  # fmt: skip
    with pytest.raises(OrderRefused) as refused:
        await client.call(Operation.MODIFY, change, OrderView)
    assert refused.value.members["rule"] == "product"


async def test_a_position_is_closed_by_an_exit(client: TradingClient, moved: TestMarket) -> None:
    order = await client.call(Operation.PLACE, order_request("a"), OrderView)
    await moved.quote(1_400.0)
    await filled(client, order.order_id, 10)
    exit_one = ExitRequest(
        user_id=USER, command_key="b", account=Account.PAPER, key=order.key,
        product=Product.INTRADAY,
    )  # fmt: skip
    reply = await client.call(Operation.EXIT, exit_one, OrdersReply)
    await moved.quote(1_410.0)
    await filled(client, reply.orders[0].order_id, 10)
    query = AccountQuery(user_id=USER, account=Account.PAPER)
    (position,) = (await client.call(Operation.POSITIONS, query, Positions)).positions
    assert position.quantity == 0
    assert position.realised == 10 * (Decimal("1409.95") - Decimal("1400.05"))


async def test_an_exit_of_all_passes_over_expired_contracts_and_closes_the_others(
    client: TradingClient, moved: TestMarket
) -> None:
    key = NIFTY_FUTURE.key

    async def quote_future() -> None:
        at_ms = moved.now_ms
        message = quote(
            key=key, seq=1, ts=at_ms, ltt=at_ms, ltp=24_800.0, ltq=65, volume=65, bid=24_799.9,
            bid_qty=650, ask=24_800.0, ask_qty=650,
        )  # fmt: skip
        await moved.send(quote_subject(key), encode(message))
        await moved.tick()

    await quote_future()
    future = order_request(
        "a", key=key, product=Product.DELIVERY, quantity=65, order_type=OrderType.LIMIT,
        price=Decimal("24800.0"),
    )  # fmt: skip
    order = await client.call(Operation.PLACE, future, OrderView)
    moved.now_ms += 1_000
    await quote_future()
    await filled(client, order.order_id, 65)
    # Wednesday, after a holiday: the closing price of the expiry day is not known, and awaited.
    await moved.quote(1_400.0, after_ms=2 * DAY_MS - 40 * MINUTE_MS)
    share = await client.call(Operation.PLACE, order_request("b"), OrderView)
    await moved.quote(1_400.0)
    await filled(client, share.order_id, 10)
    exit_all = ExitRequest(user_id=USER, command_key="c", account=Account.PAPER)
    reply = await client.call(Operation.EXIT, exit_all, OrdersReply)
    assert [order.key for order in reply.orders] == [KEY]
    query = AccountQuery(user_id=USER, account=Account.PAPER)
    positions = (await client.call(Operation.POSITIONS, query, Positions)).positions
    assert {position.key for position in positions if position.quantity} == {key, KEY}


async def test_events_can_be_read_again(client: TradingClient, moved: TestMarket) -> None:
    order = await client.call(Operation.PLACE, order_request("a"), OrderView)
    await moved.quote(1_400.0)
    await filled(client, order.order_id, 10)
    await client.has_events(3)
    query = EventsQuery(user_id=USER, after=1)
    events = await client.call(Operation.EVENTS, query, Events)
    assert events.events == client.events[1:]
    assert events.last_seq == client.events[-1].seq


async def test_an_entry_that_cannot_be_used_is_counted_and_fills_go_on(
    client: TradingClient, moved: TestMarket
) -> None:
    skipped = metrics.SKIPPED_ENTRIES.labels("quote", "undecodable")._value
    before = skipped.get()
    await moved.send(quote_subject(KEY), b'{"key": 1}')
    order = await client.call(Operation.PLACE, order_request("a"), OrderView)
    await moved.quote(1_400.0)
    await filled(client, order.order_id, 10)
    assert skipped.get() == before + 1
