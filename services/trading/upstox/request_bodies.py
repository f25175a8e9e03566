"""Request bodies of Upstox's calls that place and modify orders.

The SDK sends prices as JSON numbers made from floats. A decimal with at most 15 significant digits
is the shortest decimal of its nearest float, and JSON writes the shortest one, so such a price
arrives as it was. Other prices are refused.
"""

from decimal import Decimal
from typing import Final

from shared.contracts.order_terms import Prices, Terms

Body = dict[str, str | int | float | bool]
"""The fields of one of the SDK's request models; none is None."""

MAX_TAG_CHARS: Final = 40
AUTOMATIC_PROTECTION: Final = -1.0
"""Upstox chooses the protection by kind and price of the instrument."""

_MAX_PLACES: Final = 4
_MAX_DIGITS: Final = 15


class NotSendable(ValueError):
    """Terms that cannot be written as a request: nothing was sent."""


def place_body(terms: Terms, tag: str) -> Body:
    """The body that places an order. Quantities of MCX are in lots, here and at Upstox.

    Raises NotSendable.
    """
    if not 0 < len(tag) <= MAX_TAG_CHARS:
        raise NotSendable(f"tag: must have 1 to {MAX_TAG_CHARS} characters")
    prices = terms.prices
    return {
        "quantity": prices.quantity,
        "product": terms.product.value,
        "validity": prices.validity.value,
        "price": _limit(prices),
        "tag": tag,
        "slice": False,  # one order has one order id
        "instrument_token": terms.key,
        "order_type": prices.order_type.value,
        "transaction_type": terms.side.value,
        "disclosed_quantity": prices.disclosed_quantity,
        "trigger_price": _trigger(prices),
        "is_amo": False,  # Upstox derives it from the session
        "market_protection": _protection(terms),
    }


def modify_body(broker_order_id: str, terms: Terms) -> Body:
    """The body that gives an order the terms' prices; all of them are sent. Raises NotSendable."""
    prices = terms.prices
    return {
        "quantity": prices.quantity,
        "validity": prices.validity.value,
        "price": _limit(prices),
        "order_id": broker_order_id,
        "order_type": prices.order_type.value,
        "disclosed_quantity": prices.disclosed_quantity,
        "trigger_price": _trigger(prices),
        "market_protection": _protection(terms),
    }


def _limit(prices: Prices) -> float:
    """The limit; zero, which Upstox requires, for an order without one."""
    if not prices.order_type.has_limit:
        return 0.0
    return _positive("price", prices.price)


def _trigger(prices: Prices) -> float:
    if not prices.order_type.has_trigger:
        return 0.0
    return _positive("trigger_price", prices.trigger_price)


def _protection(terms: Terms) -> float:
    """Percent from 0 to 25, or automatic. Left out, it would be 0, which is no protection.

    Orders with a limit do not use it; for them automatic is sent as well.
    """
    percent = terms.market_protection_percent
    if percent is None or terms.prices.order_type.has_limit:
        return AUTOMATIC_PROTECTION
    return _positive("market_protection", percent)


def _positive(field: str, number: Decimal | None) -> float:
    if number is None or not number.is_finite() or number <= 0:
        raise NotSendable(f"{field}: must be above 0")
    return _exact_float(field, number)


def _exact_float(field: str, number: Decimal) -> float:
    _, digits, exponent = number.normalize().as_tuple()
    places = max(0, -int(exponent))
    if places > _MAX_PLACES or len(digits) + max(0, int(exponent)) > _MAX_DIGITS:
        raise NotSendable(f"{field}: must have at most {_MAX_PLACES} decimal places")
    return float(number)
