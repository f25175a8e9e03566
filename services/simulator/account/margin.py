"""Margin: what part of a trade's value the broker asks for. Plausible, not Upstox's own.

Delivery of shares and bought options cost their full value, intraday and MTF shares a
fifth and two fifths; futures and sold options ask 15 % span and 3 % exposure of the value
of the underlying, sold options by their strike.
"""

from dataclasses import dataclass
from typing import Final

from services.simulator.market.instruments import Kind, ListedInstrument
from services.simulator.orders.order import Product, Side

_INTRADAY_PERCENT: Final = 20
_MTF_PERCENT: Final = 40
_SPAN_PERCENT: Final = 15
_EXPOSURE_PERCENT: Final = 3


@dataclass(frozen=True, slots=True)
class Margin:
    """By its parts, in paise."""

    equity: int = 0
    span: int = 0
    exposure: int = 0
    premium: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.equity + self.span + self.exposure + self.premium

    def __add__(self, other: "Margin") -> "Margin":
        return Margin(
            self.equity + other.equity,
            self.span + other.span,
            self.exposure + other.exposure,
            self.premium + other.premium,
        )


def margin(
    instrument: ListedInstrument, product: Product, side: Side, quantity: int, price_paise: int
) -> Margin:
    """What opening so much at this price asks for."""
    value = quantity * instrument.multiplier * price_paise
    if instrument.kind is Kind.EQUITY:
        percent = {Product.D: 100, Product.MTF: _MTF_PERCENT}.get(product, _INTRADAY_PERCENT)
        return Margin(equity=_percent(value, percent))
    if instrument.is_option and side is Side.BUY:
        return Margin(premium=value)
    if instrument.is_option:
        value = quantity * instrument.multiplier * (instrument.strike_paise or 0)
    return Margin(span=_percent(value, _SPAN_PERCENT), exposure=_percent(value, _EXPOSURE_PERCENT))


def _percent(value: int, percent: int) -> int:
    return (value * percent + 99) // 100
