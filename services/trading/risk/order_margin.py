"""Estimates the margin of the part of an order that opens a position."""

from decimal import Decimal

from services.trading.margin.margin import (
    bought_option_margin,
    future_margin,
    share_margin,
    sold_option_margin,
)
from services.trading.orders.instrument import OrderInstrument
from shared.contracts.order_terms import Product, Side


def order_margin(
    instrument: OrderInstrument,
    *,
    side: Side,
    product: Product,
    opening_quantity: int,
    price: Decimal,
    underlying_price: Decimal | None,
    day: str,
) -> Decimal:
    """Margin of an order in rupees; closing a position needs none.

    `price` is the highest price at which the order is expected to be filled; `day` is
    ``YYYY-MM-DD``. MTF has no leverage here: the paper account charges no interest.
    """
    if opening_quantity <= 0:
        return Decimal(0)
    units = opening_quantity * instrument.multiplier
    value = units * price
    kind = instrument.underlying_kind
    if kind is None:
        return share_margin(
            value,
            is_intraday=product is Product.INTRADAY,
            is_sale_of_holding=False,
            has_derivatives=instrument.has_derivatives,
        )
    if instrument.strike is None:
        return future_margin(value, kind)
    if side is Side.BUY:
        return bought_option_margin(value)
    if underlying_price is None:
        underlying_price = _estimated_underlying(instrument.strike, price, instrument.is_call)
    return sold_option_margin(
        underlying_price=underlying_price,
        strike=instrument.strike,
        is_call=instrument.is_call,
        quantity=units,
        kind=kind,
        is_expiry_day=instrument.expiry == day,
    )


def _estimated_underlying(strike: Decimal, premium: Decimal, is_call: bool) -> Decimal:
    """An underlying without a known price, as if the option were at or in the money.

    A call is worth at least underlying - strike, so strike + premium is not below the underlying.
    """
    return strike + premium if is_call else strike
