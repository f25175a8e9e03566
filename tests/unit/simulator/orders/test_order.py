"""Any sequence of calls keeps transitions valid and quantities and funds consistent."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.simulator.errors import ApiError
from services.simulator.orders.order import (
    TRANSITIONS,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Product,
    Side,
    Validity,
)
from tests.support.order_managers import KEY, USER, OrderManagerHarness

prices = st.integers(1_990, 2_010).map(lambda ticks: ticks * 5)
place_steps = st.tuples(
    st.just("place"),
    st.sampled_from(Side),
    st.integers(1, 60),
    st.sampled_from(OrderType),
    prices,
    st.sampled_from([Product.I, Product.D]),
    st.sampled_from(Validity),
)
trade_steps = st.tuples(st.just("trade"), prices, st.integers(1, 40))
other_steps = st.tuples(
    st.sampled_from(["cancel", "modify"]), st.integers(0, 9), st.integers(1, 60)
)
scripts = st.lists(st.one_of(place_steps, trade_steps, other_steps), max_size=30)


def run_script(script: Iterable[tuple[object, ...]]) -> OrderManagerHarness:
    harness = OrderManagerHarness()
    placed: list[Order] = []
    for action, *details in script:
        with suppress(ApiError):
            if action == "place":
                side, quantity, order_type, price, product, validity = details
                assert isinstance(order_type, OrderType)
                request = OrderRequest(
                    KEY, side, quantity, product, order_type, validity,  # type: ignore[arg-type]
                    price if order_type.has_limit else 0,  # type: ignore[arg-type]
                    price if order_type.has_trigger else 0,  # type: ignore[arg-type]
                )  # fmt: skip
                placed.append(harness.order_manager.place(USER, request, harness.now_ms))
            elif action == "trade":
                harness.trade(*details)  # type: ignore[arg-type]
            elif placed:
                number, quantity = details
                order_id = placed[number % len(placed)].order_id  # type: ignore[operator]
                if action == "cancel":
                    harness.order_manager.cancel(USER, order_id, harness.now_ms)
                else:
                    harness.order_manager.modify(
                        USER,
                        order_id,
                        lambda request: replace(request, quantity=quantity),  # type: ignore[arg-type]  # noqa: B023
                        harness.now_ms,
                    )
    return harness


@settings(max_examples=60, deadline=None)
@given(scripts)
def test_quantities_and_funds_are_consistent_after_any_script(
    script: list[tuple[object, ...]],
) -> None:
    harness = run_script(script)
    order_store, account = harness.order_store, harness.account
    for order in order_store.day(USER):
        versions = order_store.history(USER, order.order_id)
        for before, after in pairwise(versions):
            assert after.status in TRANSITIONS[before.status]
            assert after.updated_ms >= before.updated_ms
        for version in versions:
            whole = version.filled_quantity + version.pending_quantity + version.cancelled_quantity
            assert whole == version.request.quantity
            assert version.pending_quantity >= 0
        fills = [fill for fill in harness.fills if fill.order.order_id == order.order_id]
        assert sum(fill.quantity for fill in fills) == order.filled_quantity
        assert sum(fill.quantity * fill.price_paise for fill in fills) == order.filled_paise
    for fill in harness.fills:
        request = fill.order.request
        if request.order_type.has_limit:
            sign = request.side.sign
            assert sign * fill.price_paise <= sign * request.price_paise
    for product in (Product.I, Product.D):
        net_quantity = sum(
            fill.order.request.side.sign * fill.quantity
            for fill in harness.fills
            if fill.order.request.product is product
        )
        assert account.positions.quantity(KEY, product) == net_quantity
    funds = account.funds(harness.order_manager.pending_orders(USER))
    assert funds.available + funds.used.total == funds.opening + funds.stock_sale - funds.loss
    flow = -sum(
        fill.order.request.side.sign * fill.quantity * fill.price_paise for fill in harness.fills
    )
    held = sum(position.quantity for position in account.positions.by_key.values())
    assert funds.realised + funds.unrealised == flow + held * harness.state.ltp_paise


@settings(max_examples=20, deadline=None)
@given(scripts)
def test_the_same_script_gives_the_same_orders(script: list[tuple[object, ...]]) -> None:
    assert run_script(script).versions == run_script(script).versions


def test_a_final_status_has_no_successor() -> None:
    order = Order("1", USER, OrderRequest(KEY, Side.BUY, 1, Product.I, OrderType.MARKET), 0, 0)
    with pytest.raises(ValueError, match="cannot follow"):
        order.move(OrderStatus.COMPLETE, 0)
    rejected = order.move(OrderStatus.VALIDATION_PENDING, 0).move(OrderStatus.REJECTED, 0)
    assert rejected.is_final
    assert all(not TRANSITIONS[status] or status in TRANSITIONS for status in OrderStatus)
    assert len(OrderStatus) == 17
