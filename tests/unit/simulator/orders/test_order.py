"""Whatever is done to orders, their statuses follow, and nothing is gained or lost."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.simulator.orders.order import (
    NEXT,
    Order,
    OrderRequest,
    OrderType,
    Product,
    Side,
    Status,
    Validity,
)
from services.simulator.orders.refused import OrderRefused
from tests.support.order_managers import KEY, USER, OrderManagerHarness

prices = st.integers(1_990, 2_010).map(lambda ticks: ticks * 5)
places = st.tuples(
    st.just("place"),
    st.sampled_from(Side),
    st.integers(1, 60),
    st.sampled_from(OrderType),
    prices,
    st.sampled_from([Product.I, Product.D]),
    st.sampled_from(Validity),
)
trades = st.tuples(st.just("trade"), prices, st.integers(1, 40))
others = st.tuples(st.sampled_from(["cancel", "modify"]), st.integers(0, 9), st.integers(1, 60))
scripts = st.lists(st.one_of(places, trades, others), max_size=30)


def play(script: Iterable[tuple[object, ...]]) -> OrderManagerHarness:
    stage = OrderManagerHarness()
    placed: list[Order] = []
    for what, *details in script:
        with suppress(OrderRefused):
            if what == "place":
                side, quantity, kind, price, product, validity = details
                assert isinstance(kind, OrderType)
                request = OrderRequest(
                    KEY, side, quantity, product, kind, validity,  # type: ignore[arg-type]
                    price if kind.has_limit else 0,  # type: ignore[arg-type]
                    price if kind.has_trigger else 0,  # type: ignore[arg-type]
                )  # fmt: skip
                placed.append(stage.order_manager.place(USER, request, stage.now_ms))
            elif what == "trade":
                stage.trade(*details)  # type: ignore[arg-type]
            elif placed:
                number, quantity = details
                order_id = placed[number % len(placed)].order_id  # type: ignore[operator]
                if what == "cancel":
                    stage.order_manager.cancel(USER, order_id, stage.now_ms)
                else:
                    stage.order_manager.modify(
                        USER,
                        order_id,
                        lambda request: replace(request, quantity=quantity),  # type: ignore[arg-type]  # noqa: B023
                        stage.now_ms,
                    )
    return stage


@settings(max_examples=60, deadline=None)
@given(scripts)
def test_no_script_breaks_the_books(script: list[tuple[object, ...]]) -> None:
    stage = play(script)
    records, account = stage.order_manager.records, stage.account
    for order in records.day(USER):
        moments = records.history(USER, order.order_id)
        for before, after in pairwise(moments):
            assert after.status in NEXT[before.status]
            assert after.updated_ms >= before.updated_ms
        for moment in moments:
            whole = moment.filled_quantity + moment.pending_quantity + moment.cancelled_quantity
            assert whole == moment.request.quantity
            assert moment.pending_quantity >= 0
        fills = [fill for fill in stage.fills if fill.order.order_id == order.order_id]
        assert sum(fill.quantity for fill in fills) == order.filled_quantity
        assert sum(fill.quantity * fill.price_paise for fill in fills) == order.filled_paise
    for fill in stage.fills:
        request = fill.order.request
        if request.order_type.has_limit:
            sign = request.side.sign
            assert sign * fill.price_paise <= sign * request.price_paise
    for product in (Product.I, Product.D):
        bought = sum(
            fill.order.request.side.sign * fill.quantity
            for fill in stage.fills
            if fill.order.request.product is product
        )
        assert account.positions.quantity(KEY, product) == bought
    funds = account.funds(stage.order_manager.waiting(USER))
    assert funds.available + funds.used.total == funds.opening + funds.stock_sale - funds.loss
    flow = -sum(
        fill.order.request.side.sign * fill.quantity * fill.price_paise for fill in stage.fills
    )
    held = sum(position.quantity for position in account.positions.by_key.values())
    assert funds.realised + funds.unrealised == flow + held * stage.state.ltp_paise


@settings(max_examples=20, deadline=None)
@given(scripts)
def test_the_same_script_gives_the_same_fills(script: list[tuple[object, ...]]) -> None:
    assert play(script).told == play(script).told


def test_nothing_follows_a_final_status() -> None:
    order = Order("1", USER, OrderRequest(KEY, Side.BUY, 1, Product.I, OrderType.MARKET), 0, 0)
    with pytest.raises(ValueError, match="cannot follow"):
        order.move(Status.COMPLETE, 0)
    rejected = order.move(Status.VALIDATION_PENDING, 0).move(Status.REJECTED, 0)
    assert rejected.is_final
    assert all(not NEXT[status] or status in NEXT for status in Status)
    assert len(Status) == 17
