"""The margin that an open position blocks. An estimate, see services/trading/margin."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from services.trading.margin.margin import (
    bought_option_margin,
    future_margin,
    share_margin,
    sold_option_margin,
)
from services.trading.orders.instrument import OrderInstrument
from services.trading.portfolio.position import Position
from shared.contracts.order_terms import Product

Ltp = Callable[[str], Decimal | None]
"""The last traded price of an instrument key in rupees; None while it is not known."""


def position_margin(
    instrument: OrderInstrument, product: Product, exposure: Position, on: date, ltp: Ltp
) -> Decimal:
    """The margin of what a position risks, from the prices at which it was opened.

    A sold option is computed from the LTP of its underlying. While that is not known, it counts as
    at the money, or in the money by its premium if it is a call.
    """
    if not exposure.lots:
        return Decimal(0)
    value = exposure.open_value
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
    if exposure.is_long:
        return bought_option_margin(value)
    return sold_option_margin(
        underlying_price=_underlying_price(instrument, instrument.strike, exposure, ltp),
        strike=instrument.strike,
        is_call=instrument.is_call,
        quantity=-exposure.quantity * instrument.multiplier,
        kind=kind,
        is_expiry_day=instrument.expiry == on.isoformat(),
    )


def _underlying_price(
    instrument: OrderInstrument, strike: Decimal, sold: Position, ltp: Ltp
) -> Decimal:
    price = None if instrument.underlying_key is None else ltp(instrument.underlying_key)
    if price is not None:
        return price
    # A call is worth at least underlying - strike.
    return strike + (sold.average_price or 0) if instrument.is_call else strike
