"""Each fault of Upstox that users have reported: what the user is told, and what the ledger has."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.trading.live import unlisted_orders
from shared.contracts.order_terms import Account, Product
from shared.contracts.trading import (
    AccountQuery,
    CancelRequest,
    ExitRequest,
    ModifyRequest,
    Operation,
    OrdersQuery,
)
from shared.contracts.trading_replies import Limits, Orders, OrdersReply, OrderView
from shared.contracts.upstox_links import HintKind, LinkHint, LinkHintReply, LinkOperation
from shared.errors import BrokerRefused
from shared.market.exchange_time import DAY_MS
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY
from tests.support.servers import NatsServer
from tests.support.trading_client import USER
from tests.support.upstox_trading import (
    CANCEL,
    MODIFY,
    PLACE,
    LinkedClient,
    linked_client,
    resting,
)
from tests.support.waiting import eventually

LOW: dict[str, Any] = resting("1350.00")


@pytest.fixture
async def linked(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path
) -> AsyncIterator[LinkedClient]:
    async with linked_client(nats, mongo_settings, tmp_path / "keys") as made:
        yield made


async def cancel(linked: LinkedClient, order_id: str, command_key: str) -> OrderView:
    request = CancelRequest(user_id=USER, command_key=command_key, order_id=order_id)
    return await linked.client.call(Operation.CANCEL, request, OrderView)


async def modify(linked: LinkedClient, order_id: str, command_key: str, price: str) -> OrderView:
    request = ModifyRequest(
        user_id=USER, command_key=command_key, order_id=order_id, price=Decimal(price)
    )
    return await linked.client.call(Operation.MODIFY, request, OrderView)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "lost"},
        {"kind": "late", "delay_secs": 20},
        {"kind": "cut"},
        {"kind": "not_json"},
        {"kind": "error", "status": 500, "is_executed": True},
        {"kind": "error", "status": 503, "is_executed": True},
        {"kind": "html", "status": 200, "is_executed": True},
        {"kind": "html", "status": 403, "is_executed": True},
    ],
    ids=str,
)
async def test_an_order_that_exists_although_its_answer_was_lost_is_found(
    linked: LinkedClient, fault: dict[str, Any]
) -> None:
    await linked.upstox.arm(**fault, path=PLACE)
    order = await linked.place("a", **LOW)
    assert order.state in ("unknown", "open")
    order = await linked.reaches(order.order_id, "open")
    (row,) = await linked.upstox.orders()
    assert (row["tag"], row["order_id"]) == (order.order_id, order.broker_order_id)


@pytest.mark.parametrize(
    "fault",
    [{"kind": "reset"}, {"kind": "error", "status": 500}, {"kind": "html", "status": 403}],
    ids=str,
)
async def test_an_order_that_does_not_exist_is_not_declared_dead_without_proof(
    linked: LinkedClient, fault: dict[str, Any]
) -> None:
    await linked.upstox.arm(**fault, path=PLACE)
    order = await linked.place("a", **LOW)
    assert order.state == "unknown"
    other = await linked.place("b", **LOW)
    assert (await linked.order(order.order_id)).state == "unknown"
    assert [row["tag"] for row in await linked.upstox.orders()] == [other.order_id]


async def test_an_order_that_upstox_does_not_list_expires_once_its_day_is_over(
    linked: LinkedClient,
) -> None:
    await linked.upstox.arm("reset", PLACE)
    order = await linked.place("a", **LOW)
    assert order.state == "unknown"
    elsewhere = {
        "user_id": "SIM001", "instrument_token": KEY, "quantity": 10, "product": "I", "price": 1350,
        "order_type": "LIMIT", "validity": "DAY", "transaction_type": "BUY", "trigger_price": 0,
        "disclosed_quantity": 0, "is_amo": False, "slice": False, "market_protection": -1,
    }  # fmt: skip
    await linked.upstox.post("orders", elsewhere)
    linked.market.now_ms += DAY_MS
    await linked.market.tick()
    order = await linked.reaches(order.order_id, "expired")
    assert order.code == "outcome_unknown"
    query = OrdersQuery(user_id=USER, account=Account.UPSTOX, open_only=True)
    (other,) = (await linked.client.call(Operation.ORDERS, query, Orders)).orders
    assert (other.external, other.state) == (True, "open")


async def test_an_order_expires_a_day_later_if_the_order_book_cannot_be_read(
    linked: LinkedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unlisted_orders, "WAIT_SECS", 1.0)
    await linked.upstox.arm("error", "/v2/order", status=500, times=None)
    await linked.upstox.arm("reset", PLACE)
    order = await linked.place("a", **LOW)
    assert order.state == "unknown"
    linked.market.now_ms += 2 * DAY_MS
    await linked.market.tick()
    assert (await linked.reaches(order.order_id, "expired")).code == "outcome_unknown"


@pytest.mark.parametrize(
    ("status", "error_code"),
    [
        (400, "UDAPI1052"),
        (401, "UDAPI100050"),
        (403, "UDAPI1154"),
        (423, "UDAPI100074"),
        (429, "UDAPI10005"),
    ],
)
async def test_a_readable_refusal_rejects_the_order_and_says_upstoxs_words(
    linked: LinkedClient, status: int, error_code: str
) -> None:
    await linked.upstox.arm(
        "error", PLACE, status=status, error_code=error_code, message="words of Upstox"
    )
    with pytest.raises(BrokerRefused) as refusal:
        await linked.place("a", **LOW)
    assert refusal.value.members == {
        "broker_code": error_code, "broker_detail": "words of Upstox",
    }  # fmt: skip
    (order,) = await linked.orders()
    assert (order.state, order.code) == ("rejected", error_code)
    assert await linked.upstox.orders() == []


async def test_an_order_that_upstox_lists_late_is_found(linked: LinkedClient) -> None:
    await linked.upstox.arm("order_hidden", delay_secs=4)
    await linked.upstox.arm("lost", PLACE)
    order = await linked.place("a", **LOW)
    await linked.reaches(order.order_id, "open")
    assert len(await linked.upstox.orders()) == 1


async def test_a_fill_counts_once_its_trade_is_listed(linked: LinkedClient) -> None:
    await linked.upstox.arm("trades_hidden", delay_secs=3)
    order = await linked.place("a")
    order = await linked.reaches(order.order_id, "filled")
    fills = await linked.upstox.get("fills")
    assert sum(one["quantity"] for one in fills) == order.filled_quantity == 10


async def test_an_order_that_is_called_complete_too_early_is_not_filled(
    linked: LinkedClient,
) -> None:
    await linked.upstox.arm("early_complete", delay_secs=3)
    order = await linked.place("a", **LOW)

    async def is_told() -> bool:
        return (await linked.order(order.order_id)).event_count > order.event_count

    assert order.state == "open"
    await eventually(is_told, what="news of the order")
    assert (await linked.order(order.order_id)).filled_quantity == 0
    (row,) = await linked.upstox.orders()
    fill = {"quantity": 10, "price": 1350}

    async def is_at_exchange() -> bool:
        (found,) = await linked.upstox.orders()
        return found["exchange_order_id"] is not None

    await eventually(is_at_exchange, what="the order is at the exchange")
    await linked.upstox.post(f"orders/{row['order_id']}/fills", fill)
    order = await linked.reaches(order.order_id, "filled")
    assert order.average_price == Decimal(1350)


async def test_a_rejection_after_acceptance_is_told_with_its_words(linked: LinkedClient) -> None:
    await linked.upstox.arm("late_rejection", delay_secs=1, message="not enough funds")
    order = await linked.place("a", **LOW)
    assert order.state == "open"
    order = await linked.reaches(order.order_id, "rejected")
    assert order.detail is not None
    assert "not enough funds" in order.detail


async def test_a_cancellation_that_comes_too_late_leaves_the_fill(linked: LinkedClient) -> None:
    order = await linked.place("a", **LOW)
    await linked.upstox.arm("late_cancel", delay_secs=1)
    await cancel(linked, order.order_id, "b")
    order = await linked.reaches(order.order_id, "filled")
    assert order.filled_quantity == 10


async def test_a_lost_cancellation_and_then_a_fill_leave_the_fill(linked: LinkedClient) -> None:
    order = await linked.place("a", **LOW)
    await linked.upstox.arm("reset", CANCEL)
    answer = await cancel(linked, order.order_id, "b")
    assert answer.pending == "cancel"
    await linked.upstox.post(f"orders/{order.broker_order_id}/fills", {"quantity": 10})
    order = await linked.reaches(order.order_id, "filled")
    assert order.filled_quantity == 10


async def test_a_modification_that_upstox_refuses_leaves_the_order_as_it_is(
    linked: LinkedClient,
) -> None:
    order = await linked.place("a", **LOW)
    await linked.upstox.arm("error", MODIFY, status=400, error_code="UDAPI100041", message="no")
    await linked.upstox.arm("error", MODIFY, status=400, error_code="UDAPI1008", message="no")
    for key in ("b", "c"):
        with pytest.raises(Exception, match="no"):
            await modify(linked, order.order_id, key, "1351.00")
    order = await linked.order(order.order_id)
    assert (order.state, order.price, order.pending) == ("open", Decimal("1350.00"), None)
    order = await modify(linked, order.order_id, "d", "1352.00")
    assert order.price == Decimal("1352.00")


async def test_two_orders_with_one_tag_stop_the_user(linked: LinkedClient) -> None:
    await linked.upstox.arm("doubled", PLACE)
    await linked.place("a", **LOW)
    query = AccountQuery(user_id=USER, account=Account.UPSTOX)

    async def is_stopped() -> bool:
        return bool((await linked.client.call(Operation.LIMITS, query, Limits)).switches)

    await eventually(is_stopped, what="new orders of the user are stopped")
    orders = await linked.orders()
    assert sorted(order.external for order in orders) == [False, True]
    assert len(await linked.upstox.orders()) == 2


async def test_a_silent_stream_hides_no_fill(linked: LinkedClient) -> None:
    order = await linked.place("a", **LOW)
    await linked.upstox.arm("stall", stream="portfolio", times=None)
    await linked.upstox.post(f"orders/{order.broker_order_id}/fills", {"quantity": 4})
    order = await linked.reaches(order.order_id, "partly_filled")
    assert order.filled_quantity == 4


@pytest.mark.parametrize("kind", ["duplicate", "reorder", "delay", "garbage", "truncate", "abort"])
async def test_bad_messages_of_the_stream_tell_nothing_wrong(
    linked: LinkedClient, kind: str
) -> None:
    await linked.upstox.arm(kind, stream="portfolio", times=3, delay_secs=1)
    order = await linked.place("a", **LOW)
    for quantity in (1, 2, 3):
        fill = {"quantity": quantity}
        await linked.upstox.post(f"orders/{order.broker_order_id}/fills", fill)
    await cancel(linked, order.order_id, "b")
    order = await linked.reaches(order.order_id, "cancelled")
    assert order.filled_quantity == 6


async def test_a_hint_is_confirmed_by_asking(linked: LinkedClient) -> None:
    order = await linked.place("a", **LOW)
    await linked.upstox.arm("drop", stream="portfolio", times=None)
    await linked.upstox.post(f"orders/{order.broker_order_id}/fills", {"quantity": 2})
    hint = LinkHint(user_id=USER, kind=HintKind.ORDER, order_id="250000000000000")
    reply = await linked.client.call(LinkOperation.LINK_HINT, hint, LinkHintReply)
    assert reply.taken
    order = await linked.reaches(order.order_id, "partly_filled")
    assert order.filled_quantity == 2


async def test_an_exit_closes_a_position_with_its_own_product(linked: LinkedClient) -> None:
    bought = await linked.place("a", product=Product.DELIVERY)
    await linked.reaches(bought.order_id, "filled")
    request = ExitRequest(
        user_id=USER, command_key="b", account=Account.UPSTOX, key=KEY, product=Product.DELIVERY
    )
    reply = await linked.client.call(Operation.EXIT, request, OrdersReply)
    (closing,) = reply.orders
    assert (closing.product, closing.side, closing.quantity) == ("D", "SELL", 10)
    await linked.reaches(closing.order_id, "filled")
