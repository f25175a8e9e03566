"""Requests as terms of orders."""

import msgspec

from services.trading.orders.order import Order
from shared.contracts.order_terms import Prices, Terms
from shared.contracts.trading import OrderRequest, PreviewChangesRequest
from shared.errors import OrderRefused


def terms_of(request: OrderRequest) -> Terms:
    """The terms of a new order."""
    prices = Prices(
        quantity=request.quantity,
        order_type=request.order_type,
        validity=request.validity,
        price=request.price,
        trigger_price=request.trigger_price,
        disclosed_quantity=request.disclosed_quantity,
    )
    return Terms(
        account=request.account,
        key=request.key,
        side=request.side,
        product=request.product,
        prices=prices,
        market_protection_percent=request.market_protection_percent,
    )


def changed_prices(order: Order, request: PreviewChangesRequest) -> Prices:
    """The terms after a modification. Raises OrderRefused if less than is filled would be left.

    A type without a limit or a trigger drops the old one.
    """
    names = ("quantity", "order_type", "validity", "price", "trigger_price", "disclosed_quantity")
    given = {name: value for name in names if (value := getattr(request, name)) is not None}
    prices = msgspec.structs.replace(order.prices, **given)
    if not prices.order_type.has_limit and "price" not in given:
        prices = msgspec.structs.replace(prices, price=None)
    if not prices.order_type.has_trigger and "trigger_price" not in given:
        prices = msgspec.structs.replace(prices, trigger_price=None)
    if prices.quantity <= order.filled_quantity:
        raise OrderRefused(
            f"quantity: must be above the {order.filled_quantity} that are filled",
            field="quantity",
            rule="quantity",
            limit=str(order.filled_quantity),
            value=str(prices.quantity),
        )
    return prices
