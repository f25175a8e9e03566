"""Allots the match of an auction to the orders that rest in it."""

from collections.abc import Iterable, Iterator

from services.simulator.market.flows import Trade
from services.simulator.orders.order import Order, OrderStatus


def auction_fills(orders: Iterable[Order], trade: Trade) -> Iterator[tuple[Order, int]]:
    """The orders that the match fills, with the quantities, in the order of `orders`.

    An order is filled at the auction's price if its limit is strictly better or it has none;
    together the orders are filled up to the quantity of the match. Orders of the time of the
    match or later take no part.
    """
    rest = trade.quantity
    for order in orders:
        sign, limit = order.request.side.sign, order.limit_paise
        is_better = limit == 0 or sign * limit > sign * trade.price_paise
        quantity = min(order.pending_quantity, rest)
        is_resting = order.status is OrderStatus.OPEN and order.updated_ms < trade.time_ms
        if is_resting and is_better and quantity > 0:
            rest -= quantity
            yield order, quantity
