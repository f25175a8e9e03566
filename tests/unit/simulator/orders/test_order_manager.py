"""Orders pass Upstox's statuses, and are filled at no price worse than their limit."""

from dataclasses import replace

import pytest

from services.simulator.errors import ApiError
from services.simulator.fault_injection.fault_kinds import FaultKind
from services.simulator.market.halts import Halt
from services.simulator.orders.order import OrderRequest, OrderType, Product, Side, Validity
from services.simulator.orders.order_manager import Modification
from shared.market.exchange_time import DAY_MS
from tests.support.builders import MONDAY_10_00
from tests.support.order_managers import KEY, USER, OrderManagerHarness

HOUR_MS = 3_600_000
BEFORE_OPEN = MONDAY_10_00 - HOUR_MS - 15 * 60_000  # 08:45
ACCEPTED = ["put order req received", "validation pending", "open pending"]


def modification(**fields: object) -> Modification:
    def modify(request: OrderRequest) -> OrderRequest:
        return replace(request, **fields)  # type: ignore[arg-type]

    return modify


def test_a_limit_order_rests_until_the_market_trades_at_its_price(
    harness: OrderManagerHarness,
) -> None:
    order = harness.place(quantity=3)
    assert harness.statuses(order) == [*ACCEPTED, "open"]
    harness.trade(10_000)
    assert harness.latest(order).pending_quantity == 3
    harness.trade(9_990)
    assert harness.statuses(order) == [*ACCEPTED, "open", "complete"]
    assert [(fill.price_paise, fill.quantity) for fill in harness.fills] == [(9_990, 3)]


def test_a_fill_is_no_larger_than_the_trade(harness: OrderManagerHarness) -> None:
    order = harness.place(quantity=50)
    harness.trade(9_990, quantity=20)
    latest = harness.latest(order)
    assert (latest.status, latest.filled_quantity, latest.pending_quantity) == ("open", 20, 30)


def test_two_orders_share_a_trade_by_price_priority(
    harness: OrderManagerHarness,
) -> None:
    early = harness.place(quantity=10, price=9_985)
    better = harness.place(quantity=10, price=9_990)
    harness.trade(9_980, quantity=15)
    assert harness.latest(better).filled_quantity == 10
    assert harness.latest(early).filled_quantity == 5


def test_a_marketable_limit_order_takes_the_depth_up_to_its_price(
    harness: OrderManagerHarness,
) -> None:
    order = harness.place(quantity=100, price=10_005)
    assert [(fill.price_paise, fill.quantity) for fill in harness.fills] == [
        (10_000, 10),
        (10_005, 10),
    ]
    assert (order.status, order.pending_quantity) == ("open", 80)


def test_the_depth_is_taken_once_between_two_steps(harness: OrderManagerHarness) -> None:
    harness.place(quantity=10, price=10_000)
    second = harness.place(quantity=10, price=10_000)
    assert second.filled_quantity == 0
    harness.advance()
    assert harness.latest(second).status == "complete"


def test_a_market_order_takes_several_levels(harness: OrderManagerHarness) -> None:
    order = harness.place(Side.SELL, quantity=25, order_type=OrderType.MARKET)
    assert order.status == "complete"
    assert [(fill.price_paise, fill.quantity) for fill in harness.fills] == [
        (9_995, 10),
        (9_990, 10),
        (9_985, 5),
    ]


def test_market_protection_limits_the_price_of_a_market_order(harness: OrderManagerHarness) -> None:
    order = harness.place(quantity=100, order_type=OrderType.MARKET, protection_percent=0.1)
    assert max(fill.price_paise for fill in harness.fills) == 10_010
    assert (order.status, order.filled_quantity) == ("open", 30)


def test_the_unfilled_part_of_an_ioc_order_is_cancelled(harness: OrderManagerHarness) -> None:
    order = harness.place(quantity=15, price=10_000, validity=Validity.IOC)
    assert harness.statuses(order)[-2:] == ["cancel pending", "cancelled"]
    assert (order.filled_quantity, order.cancelled_quantity, order.pending_quantity) == (10, 5, 0)


@pytest.mark.parametrize("kind", [OrderType.SL, OrderType.SL_M])
def test_a_stop_loss_order_is_inactive_until_a_trade_reaches_its_trigger(
    harness: OrderManagerHarness, kind: OrderType
) -> None:
    order = harness.place(Side.SELL, 5, kind, 9_900, trigger_paise=9_950)
    assert harness.statuses(order) == [*ACCEPTED, "trigger pending"]
    harness.trade(9_955)
    assert harness.latest(order).status == "trigger pending"
    harness.trade(9_950)
    assert harness.statuses(order)[-2:] == ["open", "complete"]
    assert harness.fills[0].price_paise >= 9_900


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"price": 9_991}, "tick size"),
        ({"quantity": 1_001}, "freeze quantity"),
        ({"price": 7_995}, "circuit"),
        ({"price": 12_005}, "circuit"),
        ({"order_type": OrderType.SL_M, "trigger_paise": 9_900}, "must be above the last price"),
        (
            {"order_type": OrderType.SL, "price": 10_000, "trigger_paise": 10_100},
            "its trigger price",
        ),
        ({"quantity": 1_000, "price": 10_000, "product": Product.D}, "Insufficient funds"),
        ({"side": Side.SELL, "product": Product.D, "quantity": 51}, "not enough holdings"),
    ],
)
def test_an_invalid_order_is_rejected_with_the_reason(
    parameters: dict[str, object], reason: str
) -> None:
    harness = OrderManagerHarness(opening_rupees=90_000)
    order = harness.place(**parameters)  # type: ignore[arg-type]
    assert harness.statuses(order) == [*ACCEPTED[:2], "rejected"]
    assert reason in order.message
    assert order.pending_quantity == 0


def test_the_quantity_must_be_a_multiple_of_the_lot_size() -> None:
    order = OrderManagerHarness(lot_size=75).place(quantity=100)
    assert "lot size 75" in order.message


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"quantity": 0}, "UDAPI1052"),
        ({"tag": "x" * 41}, "UDAPI1119"),
        ({"price": 0}, "UDAPI1008"),
        ({"order_type": OrderType.SL_M}, "UDAPI1036"),
        ({"order_type": OrderType.MARKET, "price_paise": 10_000}, "UDAPI1040"),
        ({"protection_percent": 26.0}, "UDAPI100036"),
    ],
)
def test_a_refused_request_creates_no_order(
    harness: OrderManagerHarness, parameters: dict[str, object], code: str
) -> None:
    with pytest.raises(ApiError) as error:
        harness.place(**parameters)  # type: ignore[arg-type]
    assert error.value.code == code
    assert harness.versions == []


def test_a_modified_order_keeps_its_fills_and_is_matched_at_its_new_price(
    harness: OrderManagerHarness,
) -> None:
    order = harness.place(quantity=30)
    harness.trade(9_990, quantity=5)
    harness.order_manager.modify(
        USER, order.order_id, modification(price_paise=10_000, quantity=12), harness.now_ms
    )
    assert harness.statuses(order)[-5:] == [
        "modify validation pending",
        "modify pending",
        "modified",
        "open",
        "complete",
    ]
    assert harness.latest(order).filled_quantity == 12


def test_a_rejected_modification_leaves_the_order_unmodification(
    harness: OrderManagerHarness,
) -> None:
    order = harness.place(quantity=30)
    harness.order_manager.modify(
        USER, order.order_id, modification(price_paise=9_991), harness.now_ms
    )
    assert harness.statuses(order)[-2:] == ["not modified", "open"]
    assert harness.latest(order).request.price_paise == 9_990


def test_a_cancelled_order_can_be_neither_cancelled_nor_modified(
    harness: OrderManagerHarness,
) -> None:
    order = harness.place()
    harness.order_manager.cancel(USER, order.order_id, harness.now_ms)
    assert harness.statuses(order)[-2:] == ["cancel pending", "cancelled"]
    with pytest.raises(ApiError) as second_cancel:
        harness.order_manager.cancel(USER, order.order_id, harness.now_ms)
    assert second_cancel.value.code == "UDAPI100040"
    with pytest.raises(ApiError) as modify:
        harness.order_manager.modify(USER, order.order_id, modification(quantity=2), harness.now_ms)
    assert modify.value.code == "UDAPI100041"


def test_an_order_of_another_user_is_not_found(harness: OrderManagerHarness) -> None:
    order = harness.place()
    with pytest.raises(ApiError) as error:
        harness.order_manager.cancel("U2", order.order_id, harness.now_ms)
    assert error.value.code == "UDAPI100010"


def test_an_order_before_the_open_is_an_after_market_order() -> None:
    harness = OrderManagerHarness(at_ms=BEFORE_OPEN)
    order = harness.place(quantity=3, price=10_000)
    assert (order.status, order.is_amo) == ("after market order req received", True)
    harness.order_manager.modify(USER, order.order_id, modification(quantity=4), harness.now_ms)
    harness.advance(MONDAY_10_00)
    assert harness.statuses(order)[2:] == [
        "after market order req received",
        "modify after market order req received",
        "open pending",
        "open",
        "complete",
    ]


def test_an_order_of_the_pre_open_rests_until_the_open() -> None:
    harness = OrderManagerHarness(at_ms=BEFORE_OPEN + 20 * 60_000)  # 09:05
    order = harness.place(price=10_000)
    assert (order.status, order.is_amo, order.filled_quantity) == ("open", False, 0)
    harness.advance(MONDAY_10_00)
    assert harness.latest(order).status == "complete"


def test_an_after_market_order_can_be_cancelled() -> None:
    harness = OrderManagerHarness(at_ms=BEFORE_OPEN)
    order = harness.place()
    harness.order_manager.cancel(USER, order.order_id, harness.now_ms)
    assert harness.latest(order).status == "cancelled after market order"


def test_a_day_order_expires_with_the_session_and_is_dropped_with_the_day(
    harness: OrderManagerHarness,
) -> None:
    order = harness.place()
    harness.advance(MONDAY_10_00 + 6 * HOUR_MS)
    assert harness.latest(order).status == "cancelled"
    assert harness.latest(order).message == "Expired at the end of the day"
    harness.advance(MONDAY_10_00 + DAY_MS)
    assert harness.order_store.find(USER, order.order_id) is None
    assert [each.order_id for each in harness.order_store.orders()] == [order.order_id]


def test_orders_are_refused_outside_the_service_hours() -> None:
    harness = OrderManagerHarness(at_ms=MONDAY_10_00 - 6 * HOUR_MS)
    with pytest.raises(ApiError) as error:
        harness.place()
    assert error.value.code == "UDAPI100074"


def test_the_kill_switch_rejects_orders_of_its_segment(harness: OrderManagerHarness) -> None:
    harness.accounts.killed_segments(USER).add("NSE_EQ")
    assert "kill switch" in harness.place().message


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"order_type": OrderType.SL, "trigger_paise": 10_010, "price": 10_015}, "Stop-loss"),
        ({"validity": Validity.IOC}, "IOC"),
    ],
)
def test_the_closing_auction_rejects_stop_loss_and_ioc_orders(
    parameters: dict[str, object], reason: str
) -> None:
    before, within = (
        OrderManagerHarness(at_ms=MONDAY_10_00 + 5 * HOUR_MS + at) for at in (0, 20 * 60_000)
    )
    before.state.has_closing_auction = within.state.has_closing_auction = True
    assert before.latest(before.place(**parameters)).status != "rejected"  # type: ignore[arg-type]
    order = within.latest(within.place(**parameters))  # type: ignore[arg-type]
    assert order.status == "rejected"
    assert order.message == f"{reason} orders are not taken in the closing auction"
    assert within.latest(within.place()).status == "open"


def test_a_share_without_derivatives_has_no_closing_auction() -> None:
    harness = OrderManagerHarness(at_ms=MONDAY_10_00 + 5 * HOUR_MS + 20 * 60_000)
    order = harness.place(Side.BUY, 5, OrderType.MARKET, validity=Validity.IOC)
    assert harness.latest(order).status == "complete"


def test_the_match_of_the_opening_auction_fills_better_orders_at_its_price() -> None:
    harness = OrderManagerHarness(at_ms=BEFORE_OPEN + 20 * 60_000)  # 09:05
    better = harness.place(Side.BUY, 30, price=10_010)
    market = harness.place(Side.BUY, 10, OrderType.MARKET, protection_percent=-1.0)
    equal = harness.place(Side.BUY, 10, price=10_000)
    harness.advance(harness.now_ms + 4 * 60_000)  # 09:09
    assert harness.fills == []
    harness.trade(10_000, quantity=25)
    filled = [(fill.order.order_id, fill.price_paise, fill.quantity) for fill in harness.fills]
    assert filled == [(market.order_id, 10_000, 10), (better.order_id, 10_000, 15)]
    assert harness.latest(equal).status == "open"
    assert harness.latest(better).pending_quantity == 15


def test_orders_of_the_closing_auction_wait_for_its_match_and_expire_after_it() -> None:
    harness = OrderManagerHarness(at_ms=MONDAY_10_00 + 5 * HOUR_MS)
    harness.state.has_closing_auction = True
    resting = harness.place(Side.BUY, 5, price=9_990)
    stop = harness.place(order_type=OrderType.SL, trigger_paise=10_010, price=10_015)
    harness.advance(MONDAY_10_00 + 5 * HOUR_MS + 16 * 60_000)  # 15:16
    assert harness.latest(stop).status == "cancelled"
    assert harness.latest(stop).message == "Not taken in the closing auction"
    crossing = harness.place(Side.SELL, 5, price=9_000)
    assert harness.latest(crossing).status == "open"  # the depth is not traded
    harness.advance(MONDAY_10_00 + 5 * HOUR_MS + 30 * 60_000 - 500)
    harness.trade(9_980, quantity=100)  # 15:30
    assert [(fill.order.order_id, fill.price_paise) for fill in harness.fills] == [
        (resting.order_id, 9_980),
        (crossing.order_id, 9_980),
    ]
    late = harness.place(price=9_980)
    assert harness.latest(late).is_amo
    harness.advance(MONDAY_10_00 + 6 * HOUR_MS)
    assert not [each for each in harness.order_manager.pending_orders(USER) if not each.is_amo]


def test_a_modified_sale_needs_holdings_for_its_pending_quantity_only(
    harness: OrderManagerHarness,
) -> None:
    order = harness.place(Side.SELL, 50, price=10_010, product=Product.D)
    harness.trade(10_010, quantity=20)
    assert harness.latest(order).filled_quantity == 20
    harness.order_manager.modify(
        USER, order.order_id, modification(price_paise=10_020), harness.now_ms
    )
    assert "not modified" not in harness.statuses(order)
    assert harness.latest(order).request.price_paise == 10_020


def test_a_modified_purchase_needs_funds_for_its_pending_quantity_only() -> None:
    harness = OrderManagerHarness(opening_rupees=10_000)
    order = harness.place(Side.BUY, 100, price=9_990, product=Product.D)
    harness.trade(9_990, quantity=60)
    assert harness.latest(order).filled_quantity == 60
    harness.order_manager.modify(
        USER, order.order_id, modification(price_paise=9_980), harness.now_ms
    )
    assert "not modified" not in harness.statuses(order)
    assert harness.latest(order).request.price_paise == 9_980


def test_a_modification_is_rejected_by_a_fault(harness: OrderManagerHarness) -> None:
    order = harness.place(quantity=3)
    harness.arm(FaultKind.NOT_MODIFIED, message="No")
    harness.order_manager.modify(USER, order.order_id, modification(quantity=2), harness.now_ms)
    latest = harness.latest(order)
    assert (latest.status, latest.request.quantity, latest.message) == ("open", 3, "No")
    assert harness.statuses(order)[-2:] == ["not modified", "open"]


@pytest.mark.parametrize(("price_paise", "expected"), [(None, 9_990), (9_000, 9_000)])
def test_a_resting_order_can_be_filled_at_any_price(
    harness: OrderManagerHarness, price_paise: int | None, expected: int
) -> None:
    order = harness.place(quantity=3)
    part = harness.order_manager.fill(order, 2, price_paise, harness.now_ms)
    assert (part.status, part.filled_quantity) == ("open", 2)
    assert [(fill.price_paise, fill.quantity) for fill in harness.fills] == [(expected, 2)]
    for quantity in (0, 2):
        with pytest.raises(ApiError, match="cannot be filled"):
            harness.order_manager.fill(part, quantity, price_paise, harness.now_ms)
    whole = harness.order_manager.fill(part, 1, price_paise, harness.now_ms)
    assert whole.status == "complete"
    with pytest.raises(ApiError, match="cannot be filled"):
        harness.order_manager.fill(whole, 1, price_paise, harness.now_ms)


@pytest.mark.parametrize("target", ["NSE_EQ", KEY])
def test_orders_placed_in_a_halt_wait_for_its_end(
    harness: OrderManagerHarness, target: str
) -> None:
    resting = harness.place(quantity=3)
    harness.calendar.halts.begin(Halt(target, harness.now_ms, None))
    market = harness.place(order_type=OrderType.MARKET)
    limit = harness.place(price=10_100)
    ioc = harness.place(order_type=OrderType.MARKET, validity=Validity.IOC)
    assert harness.latest(market).status == "after market order req received"
    assert harness.latest(limit).status == "after market order req received"
    assert harness.latest(ioc).status == "rejected"
    harness.advance()
    assert harness.fills == []
    assert harness.latest(resting).status == "open"
    harness.calendar.halts.end(target, harness.now_ms)
    harness.advance()
    assert harness.latest(market).status == "complete"
    assert harness.latest(limit).status == "complete"
    harness.trade(9_980)
    assert harness.latest(resting).status == "complete"


def test_a_resting_order_can_be_modified_and_cancelled_in_a_halt(
    harness: OrderManagerHarness,
) -> None:
    order = harness.place(quantity=3)
    harness.calendar.halts.begin(Halt("NSE_EQ", harness.now_ms, None))
    modify = modification(price_paise=10_100)
    harness.order_manager.modify(USER, order.order_id, modify, harness.now_ms)
    harness.advance()
    assert harness.latest(order).status == "open"
    harness.order_manager.cancel(USER, order.order_id, harness.now_ms)
    assert harness.latest(order).status == "cancelled"
    assert harness.fills == []
