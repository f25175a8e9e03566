"""The store has the versions of the day's orders, and a bounded ledger."""

from services.simulator.orders.order import (
    Fill,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Product,
    Side,
)
from services.simulator.orders.order_store import OrderStore

S = OrderStatus


def order(order_id: str, *, user_id: str = "U", tag: str | None = None) -> Order:
    request = OrderRequest("K", Side.BUY, 1, Product.I, OrderType.MARKET, tag=tag)
    return Order(order_id, user_id, request, 0, 0)


def add_versions(store: OrderStore, first: Order, *statuses: OrderStatus) -> Order:
    store.add(first)
    latest = first
    for status in statuses:
        latest = latest.move(status, 0)
        store.add(latest)
    return latest


def fill(trade_id: str, user_id: str = "U") -> Fill:
    return Fill(trade_id, order("1", user_id=user_id), 100, 1, 0)


def test_an_order_is_found_by_its_user_only() -> None:
    store = OrderStore(max_rows=10)
    latest = add_versions(store, order("1"), S.VALIDATION_PENDING)
    assert store.find("U", "1") == latest
    assert store.find("V", "1") is None
    assert store.find("U", "2") is None
    assert store.find_of_any_user("1") == latest
    assert store.find_of_any_user("2") is None
    assert store.history("V", "1") == []


def test_the_history_has_all_versions_in_order() -> None:
    store = OrderStore(max_rows=10)
    add_versions(store, order("1"), S.VALIDATION_PENDING, S.REJECTED)
    statuses = [version.status for version in store.history("U", "1")]
    assert statuses == [S.RECEIVED, S.VALIDATION_PENDING, S.REJECTED]
    assert [each.status for each in store.day("U")] == [S.REJECTED]


def test_orders_are_found_by_tag() -> None:
    store = OrderStore(max_rows=10)
    add_versions(store, order("1", tag="a"), S.VALIDATION_PENDING)
    add_versions(store, order("2", tag="b"))
    add_versions(store, order("3", tag="a"))
    add_versions(store, order("4", tag="a", user_id="V"))
    assert [each.order_id for each in store.history_by_tag("U", "a")] == ["1", "1", "3"]


def test_the_end_of_the_day_drops_fills_and_final_orders() -> None:
    store = OrderStore(max_rows=10)
    add_versions(store, order("1"), S.VALIDATION_PENDING, S.REJECTED)
    pending = add_versions(store, order("2"), S.VALIDATION_PENDING, S.AMO_RECEIVED)
    store.add_fill(fill("1"))
    store.roll_day()
    assert store.day("U") == [pending]
    assert len(store.history("U", "2")) == 3
    assert store.day_fills("U") == []
    assert [each.order_id for each in store.orders()] == ["1", "2"]
    assert len(store.fills) == 1


def test_the_fills_of_the_day_are_those_of_the_user() -> None:
    store = OrderStore(max_rows=10)
    store.add_fill(fill("1"))
    store.add_fill(fill("2", user_id="V"))
    assert [each.trade_id for each in store.day_fills("U")] == ["1"]


def test_the_ledger_drops_its_oldest_rows() -> None:
    store = OrderStore(max_rows=2)
    for number in range(3):
        add_versions(store, order(str(number)), S.VALIDATION_PENDING)
        store.add_fill(fill(str(number)))
    assert [each.order_id for each in store.orders()] == ["1", "2"]
    assert [each.trade_id for each in store.fills] == ["1", "2"]
    assert store.find("U", "0") is not None
