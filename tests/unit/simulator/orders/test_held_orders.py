"""By a fault, an order is kept from the exchange, or from its cancellation, for a while."""

import pytest

from services.simulator.errors import ApiError
from services.simulator.fault_injection.fault_kinds import FaultKind
from services.simulator.orders.order import OrderType, Side
from tests.support.order_managers import KEY, USER, OrderManagerHarness

RECEIVED = ["put order req received", "validation pending"]
HOUR_MS = 3_600_000


def codes_of_changes(harness: OrderManagerHarness, order_id: str) -> list[str]:
    """The codes with which a modification and a cancellation are refused."""
    manager = harness.order_manager
    with pytest.raises(ApiError) as modified:
        manager.modify(USER, order_id, lambda same: same, harness.now_ms)
    with pytest.raises(ApiError) as cancelled:
        manager.cancel(USER, order_id, harness.now_ms)
    return [modified.value.code, cancelled.value.code]


def test_an_order_shown_as_complete_is_not_at_the_exchange(harness: OrderManagerHarness) -> None:
    harness.arm(FaultKind.EARLY_COMPLETE, delay_secs=3)
    order = harness.place(quantity=5, price=10_000)
    assert (order.shown_status, order.status) == ("complete", "validation pending")
    assert order.exchange_order_id is None
    harness.trade(9_990)
    assert harness.fills == []
    assert codes_of_changes(harness, order.order_id) == ["UDAPI100041", "UDAPI100040"]


def test_it_goes_to_the_exchange_after_the_delay(harness: OrderManagerHarness) -> None:
    harness.arm(FaultKind.EARLY_COMPLETE, delay_secs=3)
    order = harness.place(quantity=15, price=10_000)
    for _ in range(3):
        harness.advance()
    latest = harness.latest(order)
    assert latest.exchange_order_id is not None
    assert (latest.shown_status, latest.filled_quantity) == ("open", 10)
    assert harness.statuses(order) == [*RECEIVED, RECEIVED[-1], "open pending", "open", "open"]


def test_a_late_rejection_has_the_words_of_the_fault(harness: OrderManagerHarness) -> None:
    harness.arm(FaultKind.LATE_REJECTION, delay_secs=2, message="Margin is short")
    order = harness.place(price=10_000)
    assert harness.order_manager.cancel(USER, order.order_id, harness.now_ms) == order
    harness.advance()
    assert harness.statuses(order) == RECEIVED
    harness.advance()
    assert harness.statuses(order) == [*RECEIVED, "rejected"]
    assert harness.latest(order).message == "Margin is short"
    assert harness.fills == []


@pytest.mark.parametrize("delay_secs", [0, 2])
def test_a_late_cancellation_ends_in_a_fill(harness: OrderManagerHarness, delay_secs: int) -> None:
    order = harness.place(quantity=3)
    harness.arm(FaultKind.LATE_CANCEL, delay_secs=delay_secs)
    cancelled = harness.order_manager.cancel(USER, order.order_id, harness.now_ms)
    assert cancelled.status == "cancel pending"
    for _ in range(3):
        harness.advance()
    assert harness.statuses(order)[-4:] == ["cancel pending", "not cancelled", "open", "complete"]
    assert [(fill.price_paise, fill.quantity) for fill in harness.fills] == [(9_990, 3)]


def test_a_late_cancellation_of_a_stop_loss_order_ends_in_a_fill(
    harness: OrderManagerHarness,
) -> None:
    order = harness.place(Side.SELL, order_type=OrderType.SL_M, trigger_paise=9_900)
    assert harness.latest(order).status == "trigger pending"
    harness.arm(FaultKind.LATE_CANCEL)
    harness.order_manager.cancel(USER, order.order_id, harness.now_ms)
    harness.advance()
    assert harness.latest(order).status == "complete"
    assert [fill.price_paise for fill in harness.fills] == [harness.state.ltp_paise]


def test_a_fault_waits_for_an_order_that_rests(harness: OrderManagerHarness) -> None:
    harness.arm(FaultKind.LATE_REJECTION)
    held = harness.place()
    harness.arm(FaultKind.LATE_CANCEL)
    harness.order_manager.cancel(USER, held.order_id, harness.now_ms)
    assert harness.faults.is_armed(FaultKind.LATE_CANCEL)


@pytest.mark.parametrize(
    ("kind", "status"),
    [(FaultKind.EARLY_COMPLETE, "cancelled"), (FaultKind.LATE_REJECTION, "rejected")],
)
def test_held_orders_end_with_the_day(
    harness: OrderManagerHarness, kind: FaultKind, status: str
) -> None:
    harness.arm(kind, delay_secs=10 * 3_600)
    order = harness.place()
    harness.advance(harness.now_ms + 8 * HOUR_MS)
    assert harness.latest(order).status == status


def test_a_fault_of_another_user_does_not_apply(harness: OrderManagerHarness) -> None:
    harness.arm(FaultKind.EARLY_COMPLETE, user_id="U2")
    assert harness.place().status == "open"


def test_the_account_counts_nothing_before_the_exchange_does(harness: OrderManagerHarness) -> None:
    harness.arm(FaultKind.EARLY_COMPLETE, delay_secs=1)
    order = harness.place(quantity=5, price=10_000)
    assert harness.account.positions.quantity(KEY, order.request.product) == 0
    harness.advance()
    assert harness.account.positions.quantity(KEY, order.request.product) == 5
