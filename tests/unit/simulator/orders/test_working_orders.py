"""Working orders are found until they are final, and listeners get each of their versions."""

from services.simulator.orders.order import Fill, Order, OrderStatus
from services.simulator.orders.order_store import OrderStore
from services.simulator.orders.working_orders import WorkingOrders
from tests.support.order_managers import KEY, USER, OrderManagerHarness


def working_orders(harness: OrderManagerHarness) -> WorkingOrders:
    return WorkingOrders(OrderStore(max_rows=100), harness.accounts)


def test_an_order_is_working_until_it_is_final(harness: OrderManagerHarness) -> None:
    working = working_orders(harness)
    versions: list[Order] = []
    working.on_order.append(versions.append)
    order = working.move(harness.place(), OrderStatus.OPEN, harness.now_ms)
    assert (working.keys, working.of_key(KEY)) == ([KEY], [order])
    assert (working.of_user(USER), working.of_user("another")) == ([order], [])
    cancelled = working.cancel(order, harness.now_ms, "no longer wanted")
    assert (working.keys, working.of_user(USER)) == ([], [])
    assert versions[0] == order
    assert versions[-1] == cancelled
    assert cancelled.status is OrderStatus.CANCELLED


def test_the_better_price_comes_first_and_then_the_earlier_order(
    harness: OrderManagerHarness,
) -> None:
    working = working_orders(harness)
    placed = [harness.place(price=price) for price in (9_980, 9_985, 9_985)]
    for order in reversed(placed):
        working.update(order)
    low, high, high_later = placed
    assert working.of_key(KEY) == [high, high_later, low]


def test_a_fill_is_published_with_the_new_version_of_its_order(
    harness: OrderManagerHarness,
) -> None:
    working = working_orders(harness)
    fills: list[Fill] = []
    working.on_fill.append(fills.append)
    order = working.fill(harness.place(quantity=2), 9_990, 1, harness.now_ms)
    assert [fill.order for fill in fills] == [order]
    assert order.filled_quantity == 1
    assert working.of_key(KEY) == [order]
