"""Margin that the broker requires for a trade; plausible rates, not Upstox's own.

Delivery of shares and bought options require their full value. Intraday shares require 20 %,
MTF shares 40 %. Futures and sold options require 15 % span and 3 % exposure margin; for sold
options the percentages apply to the strike price.
"""

from dataclasses import dataclass
from typing import Final

from services.simulator.market.instruments import InstrumentType, ListedInstrument
from services.simulator.orders.order import Product, Side

_INTRADAY_PERCENT: Final = 20
_MTF_PERCENT: Final = 40
_SPAN_PERCENT: Final = 15
_EXPOSURE_PERCENT: Final = 3


@dataclass(frozen=True, slots=True)
class Margin:
    """Margin by kind, in paise."""

    equity: int = 0
    span: int = 0
    exposure: int = 0
    premium: int = 0

    @property
    def total(self) -> int:
        """The sum of all kinds."""
        return self.equity + self.span + self.exposure + self.premium

    def __add__(self, other: "Margin") -> "Margin":
        return Margin(
            self.equity + other.equity,
            self.span + other.span,
            self.exposure + other.exposure,
            self.premium + other.premium,
        )


def required_margin(
    instrument: ListedInstrument, product: Product, side: Side, quantity: int, price_paise: int
) -> Margin:
    """The margin for opening a position at this price."""
    value = quantity * instrument.multiplier * price_paise
    if instrument.instrument_type is InstrumentType.EQUITY:
        percent = {Product.D: 100, Product.MTF: _MTF_PERCENT}.get(product, _INTRADAY_PERCENT)
        return Margin(equity=_percent_of(value, percent))
    if instrument.is_option and side is Side.BUY:
        return Margin(premium=value)
    if instrument.is_option:
        value = quantity * instrument.multiplier * (instrument.strike_paise or 0)
    return Margin(
        span=_percent_of(value, _SPAN_PERCENT), exposure=_percent_of(value, _EXPOSURE_PERCENT)
    )


def _percent_of(value: int, percent: int) -> int:
    """Rounded up to a whole paisa."""
    return (value * percent + 99) // 100
