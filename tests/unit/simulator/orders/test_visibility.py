"""By a fault, new orders and their trades are missing for a while."""

import pytest

from services.simulator.fault_injection.fault_kinds import FaultKind
from services.simulator.orders.visibility import Visibility
from tests.support.order_managers import OrderManagerHarness


@pytest.fixture
def visibility(harness: OrderManagerHarness) -> Visibility:
    made = Visibility(harness.faults)
    harness.order_manager.on_order.append(made.on_order)
    return made


def test_without_a_fault_everything_is_visible(
    harness: OrderManagerHarness, visibility: Visibility
) -> None:
    order = harness.place(price=10_000)
    assert visibility.shows(order, harness.now_ms)
    assert visibility.shows_trade(harness.fills[0], harness.now_ms)


def test_an_order_is_hidden_with_its_trades_for_the_delay(
    harness: OrderManagerHarness, visibility: Visibility
) -> None:
    harness.arm(FaultKind.ORDER_HIDDEN, delay_secs=2)
    hidden, other = harness.place(price=10_000), harness.place()
    for after_ms, is_visible in ((0, False), (1_999, False), (2_000, True)):
        at_ms = harness.now_ms + after_ms
        assert visibility.shows(hidden, at_ms) is is_visible
        assert visibility.shows_trade(harness.fills[0], at_ms) is is_visible
    assert visibility.shows(other, harness.now_ms)


def test_trades_are_hidden_for_the_delay_after_each(
    harness: OrderManagerHarness, visibility: Visibility
) -> None:
    harness.arm(FaultKind.TRADES_HIDDEN, delay_secs=2)
    order = harness.place(quantity=3)
    harness.trade(9_990)
    (fill,) = harness.fills
    assert visibility.shows(order, fill.at_ms)
    assert not visibility.shows_trade(fill, fill.at_ms + 1_999)
    assert visibility.shows_trade(fill, fill.at_ms + 2_000)
