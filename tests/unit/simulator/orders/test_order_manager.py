"""An order goes the way Upstox's orders go, and fills at no price it did not allow."""

from dataclasses import replace

import pytest

from services.simulator.orders.order import OrderRequest, OrderType, Product, Side, Validity
from services.simulator.orders.order_manager import Change
from services.simulator.orders.refused import OrderRefused
from shared.market.exchange_time import DAY_MS
from tests.support.builders import MONDAY_10_00
from tests.support.order_managers import USER, OrderManagerHarness

HOUR_MS = 3_600_000
BEFORE_OPEN = MONDAY_10_00 - HOUR_MS - 15 * 60_000  # 08:45
ACCEPTED = ["put order req received", "validation pending", "open pending"]


def changed(**what: object) -> Change:
    def change(request: OrderRequest) -> OrderRequest:
        return replace(request, **what)  # type: ignore[arg-type]

    return change


def test_limit_order_rests_until_the_market_trades_at_its_price(stage: OrderManagerHarness) -> None:
    order = stage.place(quantity=3)
    assert stage.statuses(order) == [*ACCEPTED, "open"]
    stage.trade(10_000)
    assert stage.now(order).pending_quantity == 3
    stage.trade(9_990)
    assert stage.statuses(order) == [*ACCEPTED, "open", "complete"]
    assert [(fill.price_paise, fill.quantity) for fill in stage.fills] == [(9_990, 3)]


def test_order_is_filled_no_further_than_the_trade_goes(stage: OrderManagerHarness) -> None:
    order = stage.place(quantity=50)
    stage.trade(9_990, quantity=20)
    now = stage.now(order)
    assert (now.status, now.filled_quantity, now.pending_quantity) == ("open", 20, 30)


def test_two_orders_share_one_trade_and_the_better_price_goes_first(
    stage: OrderManagerHarness,
) -> None:
    early = stage.place(quantity=10, price=9_985)
    better = stage.place(quantity=10, price=9_990)
    stage.trade(9_980, quantity=15)
    assert stage.now(better).filled_quantity == 10
    assert stage.now(early).filled_quantity == 5


def test_marketable_limit_takes_the_depth_as_far_as_its_price(stage: OrderManagerHarness) -> None:
    order = stage.place(quantity=100, price=10_005)
    assert [(fill.price_paise, fill.quantity) for fill in stage.fills] == [
        (10_000, 10),
        (10_005, 10),
    ]
    assert (order.status, order.pending_quantity) == ("open", 80)


def test_the_same_depth_is_not_taken_twice(stage: OrderManagerHarness) -> None:
    stage.place(quantity=10, price=10_000)
    second = stage.place(quantity=10, price=10_000)
    assert second.filled_quantity == 0
    stage.quiet()
    assert stage.now(second).status == "complete"


def test_market_order_walks_the_depth(stage: OrderManagerHarness) -> None:
    order = stage.place(Side.SELL, quantity=25, kind=OrderType.MARKET)
    assert order.status == "complete"
    assert [(fill.price_paise, fill.quantity) for fill in stage.fills] == [
        (9_995, 10),
        (9_990, 10),
        (9_985, 5),
    ]


def test_market_protection_keeps_a_market_order_near(stage: OrderManagerHarness) -> None:
    order = stage.place(quantity=100, kind=OrderType.MARKET, protection_percent=0.1)
    assert max(fill.price_paise for fill in stage.fills) == 10_010
    assert (order.status, order.filled_quantity) == ("open", 30)


def test_ioc_takes_what_there_is_and_drops_the_rest(stage: OrderManagerHarness) -> None:
    order = stage.place(quantity=15, price=10_000, validity=Validity.IOC)
    assert stage.statuses(order)[-2:] == ["cancel pending", "cancelled"]
    assert (order.filled_quantity, order.cancelled_quantity, order.pending_quantity) == (10, 5, 0)


@pytest.mark.parametrize("kind", [OrderType.SL, OrderType.SL_M])
def test_stop_loss_sleeps_until_its_trigger_trades(
    stage: OrderManagerHarness, kind: OrderType
) -> None:
    order = stage.place(Side.SELL, 5, kind, 9_900, trigger_paise=9_950)
    assert stage.statuses(order) == [*ACCEPTED, "trigger pending"]
    stage.trade(9_955)
    assert stage.now(order).status == "trigger pending"
    stage.trade(9_950)
    assert stage.statuses(order)[-2:] == ["open", "complete"]
    assert stage.fills[0].price_paise >= 9_900


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ({"price": 9_991}, "tick size"),
        ({"quantity": 1_001}, "freeze quantity"),
        ({"price": 7_995}, "circuit"),
        ({"price": 12_005}, "circuit"),
        ({"kind": OrderType.SL_M, "trigger_paise": 9_900}, "must be above the last price"),
        ({"kind": OrderType.SL, "price": 10_000, "trigger_paise": 10_100}, "its trigger price"),
        ({"quantity": 1_000, "price": 10_000, "product": Product.D}, "Insufficient funds"),
        ({"side": Side.SELL, "product": Product.D, "quantity": 51}, "not enough holdings"),
    ],
)
def test_order_against_the_rules_is_rejected_with_the_reason(
    what: dict[str, object], why: str
) -> None:
    stage = OrderManagerHarness(opening_rupees=90_000)
    order = stage.place(**what)  # type: ignore[arg-type]
    assert stage.statuses(order) == [*ACCEPTED[:2], "rejected"]
    assert why in order.message
    assert order.pending_quantity == 0


def test_quantity_must_be_whole_lots() -> None:
    order = OrderManagerHarness(lot_size=75).place(quantity=100)
    assert "lot size 75" in order.message


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ({"quantity": 0}, "UDAPI1052"),
        ({"tag": "x" * 41}, "UDAPI1119"),
        ({"price": 0}, "UDAPI100036"),
        ({"kind": OrderType.SL_M}, "UDAPI100036"),
        ({"protection_percent": 26.0}, "UDAPI100036"),
    ],
)
def test_senseless_order_is_refused_and_makes_none(
    stage: OrderManagerHarness, what: dict[str, object], code: str
) -> None:
    with pytest.raises(OrderRefused) as refused:
        stage.place(**what)  # type: ignore[arg-type]
    assert refused.value.code == code
    assert stage.told == []


def test_modified_order_keeps_its_fills_and_finds_its_new_price(stage: OrderManagerHarness) -> None:
    order = stage.place(quantity=30)
    stage.trade(9_990, quantity=5)
    stage.order_manager.modify(
        USER, order.order_id, changed(price_paise=10_000, quantity=12), stage.now_ms
    )
    assert stage.statuses(order)[-5:] == [
        "modify validation pending",
        "modify pending",
        "modified",
        "open",
        "complete",
    ]
    assert stage.now(order).filled_quantity == 12


def test_modification_against_the_rules_leaves_the_order_as_it_was(
    stage: OrderManagerHarness,
) -> None:
    order = stage.place(quantity=30)
    stage.order_manager.modify(USER, order.order_id, changed(price_paise=9_991), stage.now_ms)
    assert stage.statuses(order)[-2:] == ["not modified", "open"]
    assert stage.now(order).request.price_paise == 9_990


def test_cancelled_order_is_cancelled_once(stage: OrderManagerHarness) -> None:
    order = stage.place()
    stage.order_manager.cancel(USER, order.order_id, stage.now_ms)
    assert stage.statuses(order)[-2:] == ["cancel pending", "cancelled"]
    with pytest.raises(OrderRefused) as again:
        stage.order_manager.cancel(USER, order.order_id, stage.now_ms)
    assert again.value.code == "UDAPI100040"
    with pytest.raises(OrderRefused) as modified:
        stage.order_manager.modify(USER, order.order_id, changed(quantity=2), stage.now_ms)
    assert modified.value.code == "UDAPI100041"


def test_order_of_somebody_else_is_not_found(stage: OrderManagerHarness) -> None:
    order = stage.place()
    with pytest.raises(OrderRefused) as refused:
        stage.order_manager.cancel("U2", order.order_id, stage.now_ms)
    assert refused.value.code == "UDAPI100010"


def test_order_before_the_open_waits_for_it() -> None:
    stage = OrderManagerHarness(at_ms=BEFORE_OPEN)
    order = stage.place(quantity=3, price=10_000)
    assert (order.status, order.is_amo) == ("after market order req received", True)
    stage.order_manager.modify(USER, order.order_id, changed(quantity=4), stage.now_ms)
    stage.quiet(MONDAY_10_00)
    assert stage.statuses(order)[2:] == [
        "after market order req received",
        "modify after market order req received",
        "open pending",
        "open",
        "complete",
    ]


def test_order_of_the_pre_open_session_rests_until_the_open() -> None:
    stage = OrderManagerHarness(at_ms=BEFORE_OPEN + 20 * 60_000)  # 09:05
    order = stage.place(price=10_000)
    assert (order.status, order.is_amo, order.filled_quantity) == ("open", False, 0)
    stage.quiet(MONDAY_10_00)
    assert stage.now(order).status == "complete"


def test_after_market_order_can_be_cancelled() -> None:
    stage = OrderManagerHarness(at_ms=BEFORE_OPEN)
    order = stage.place()
    stage.order_manager.cancel(USER, order.order_id, stage.now_ms)
    assert stage.now(order).status == "cancelled after market order"


def test_day_order_ends_with_the_session_and_is_forgotten_with_the_day(
    stage: OrderManagerHarness,
) -> None:
    order = stage.place()
    stage.quiet(MONDAY_10_00 + 6 * HOUR_MS)
    assert stage.now(order).status == "cancelled"
    assert stage.now(order).message == "Expired at the end of the day"
    stage.quiet(MONDAY_10_00 + DAY_MS)
    assert stage.order_manager.records.find(USER, order.order_id) is None
    assert [each.order_id for each in stage.order_manager.records.orders()] == [order.order_id]


def test_no_order_is_taken_at_night() -> None:
    stage = OrderManagerHarness(at_ms=MONDAY_10_00 - 6 * HOUR_MS)
    with pytest.raises(OrderRefused) as refused:
        stage.place()
    assert refused.value.code == "UDAPI100074"


def test_kill_switch_rejects_orders_of_its_segment(stage: OrderManagerHarness) -> None:
    stage.accounts.killed(USER).add("NSE_EQ")
    assert "kill switch" in stage.place().message


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"kind": OrderType.SL, "trigger_paise": 10_010, "price": 10_015}, "Stop-loss"),
        ({"validity": Validity.IOC}, "IOC"),
    ],
)
def test_the_closing_auction_takes_no_stop_loss_and_no_ioc(
    more: dict[str, object], reason: str
) -> None:
    before, within = (
        OrderManagerHarness(at_ms=MONDAY_10_00 + 5 * HOUR_MS + at) for at in (0, 20 * 60_000)
    )
    assert before.now(before.place(**more)).status != "rejected"  # type: ignore[arg-type]
    order = within.now(within.place(**more))  # type: ignore[arg-type]
    assert order.status == "rejected"
    assert order.message == f"{reason} orders are not taken in the closing auction"
    assert within.now(within.place()).status == "open"


def test_filled_part_of_a_sale_is_not_sold_again_when_its_price_changes(
    stage: OrderManagerHarness,
) -> None:
    order = stage.place(Side.SELL, 50, price=10_010, product=Product.D)
    stage.trade(10_010, quantity=20)
    assert stage.now(order).filled_quantity == 20
    stage.order_manager.modify(USER, order.order_id, changed(price_paise=10_020), stage.now_ms)
    assert "not modified" not in stage.statuses(order)
    assert stage.now(order).request.price_paise == 10_020


def test_filled_part_of_a_purchase_is_not_paid_again_when_its_price_changes() -> None:
    stage = OrderManagerHarness(opening_rupees=10_000)
    order = stage.place(Side.BUY, 100, price=9_990, product=Product.D)
    stage.trade(9_990, quantity=60)
    assert stage.now(order).filled_quantity == 60
    stage.order_manager.modify(USER, order.order_id, changed(price_paise=9_980), stage.now_ms)
    assert "not modified" not in stage.statuses(order)
    assert stage.now(order).request.price_paise == 9_980
