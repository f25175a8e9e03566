"""The match of an auction fills the orders that are better than its price, up to its quantity."""

from dataclasses import replace

import pytest

from services.simulator.market.flows import Trade
from services.simulator.orders.auction_fills import auction_fills
from services.simulator.orders.order import (
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Product,
    Side,
)

MATCHED_MS = 1_000
MATCH = Trade("K", MATCHED_MS, 10_000, 25)


def order(side: Side = Side.BUY, quantity: int = 10, *, limit: int = 10_005) -> Order:
    """An open order; limit 0 means a market order without protection."""
    request = OrderRequest("K", side, quantity, Product.I, OrderType.LIMIT, price_paise=limit)
    placed = Order("1", "U", request, placed_ms=0, updated_ms=0)
    return replace(placed, status=OrderStatus.OPEN, limit_paise=limit)


@pytest.mark.parametrize(
    ("side", "limit", "is_filled"),
    [
        (Side.BUY, 10_005, True),
        (Side.BUY, 10_000, False),
        (Side.BUY, 9_995, False),
        (Side.SELL, 9_995, True),
        (Side.SELL, 10_000, False),
        (Side.BUY, 0, True),
        (Side.SELL, 0, True),
    ],
)
def test_only_a_limit_better_than_the_price_is_filled(
    side: Side, limit: int, is_filled: bool
) -> None:
    waiting = order(side, limit=limit)
    assert list(auction_fills([waiting], MATCH)) == ([(waiting, 10)] if is_filled else [])


def test_the_quantity_of_the_match_is_allotted_in_order() -> None:
    orders = [order(), order(), order(), order()]
    assert [quantity for _, quantity in auction_fills(orders, MATCH)] == [10, 10, 5]


def test_orders_that_do_not_rest_before_the_match_take_no_part() -> None:
    late = replace(order(), updated_ms=MATCHED_MS)
    waiting_for_trigger = replace(order(), status=OrderStatus.TRIGGER_PENDING)
    assert list(auction_fills([late, waiting_for_trigger], MATCH)) == []
