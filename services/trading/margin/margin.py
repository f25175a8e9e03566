"""Estimates the margin of one order, without hedge benefits and risk-management calls.

The broker's own figure may be higher or lower. The rates are those of `MARGIN_RATES`; they follow
published estimates of brokers, not SPAN files.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import Final

_PAISA: Final = Decimal("0.01")
_HUNDRED: Final = Decimal(100)


class UnderlyingKind(StrEnum):
    """Kinds of underlyings with margin rates of their own."""

    INDEX = "index"
    STOCK = "stock"
    COMMODITY = "commodity"
    CURRENCY = "currency"


@dataclass(frozen=True, slots=True)
class UnderlyingRates:
    """Percent of the notional value of the underlying."""

    future: Decimal
    """Of a future, and of a sold option before its out-of-the-money amount."""
    option_floor: Decimal
    """Least margin of a sold option."""


MARGIN_RATES: Final = {
    UnderlyingKind.INDEX: UnderlyingRates(Decimal(15), Decimal("7.5")),
    UnderlyingKind.STOCK: UnderlyingRates(Decimal(25), Decimal(10)),
    UnderlyingKind.COMMODITY: UnderlyingRates(Decimal(15), Decimal("7.5")),
    UnderlyingKind.CURRENCY: UnderlyingRates(Decimal(5), Decimal("7.5")),
}
_INTRADAY_PERCENT: Final = Decimal(20)
_INDEX_EXPIRY_DAY_PERCENT: Final = Decimal(2)


def share_margin(
    value: Decimal, *, is_intraday: bool, is_sale_of_holding: bool, has_derivatives: bool
) -> Decimal:
    """Margin of a share order of this value in rupees.

    Delivery needs the whole value, intraday a fifth. A share without derivatives has no intraday
    leverage. A sale of shares that the account holds needs none.
    """
    if is_sale_of_holding:
        return Decimal(0)
    if is_intraday and has_derivatives:
        return _percent(value, _INTRADAY_PERCENT)
    return _percent(value, _HUNDRED)


def future_margin(value: Decimal, kind: UnderlyingKind) -> Decimal:
    """Margin of a future, bought or sold, with this notional value in rupees."""
    return _percent(value, MARGIN_RATES[kind].future)


def bought_option_margin(premium: Decimal) -> Decimal:
    """Margin of a bought option: its premium in rupees."""
    return _percent(premium, _HUNDRED)


def sold_option_margin(
    *,
    underlying_price: Decimal,
    strike: Decimal,
    is_call: bool,
    quantity: int,
    kind: UnderlyingKind,
    is_expiry_day: bool,
) -> Decimal:
    """Margin of a sold option.

    It is the future's percentage of the underlying less the out-of-the-money amount, at least the
    floor, and 2 % of the underlying more for an index on its expiry day.
    """
    rates = MARGIN_RATES[kind]
    notional = underlying_price * quantity
    distance = strike - underlying_price if is_call else underlying_price - strike
    out_of_the_money = max(Decimal(0), distance) * quantity
    margin = max(
        notional * rates.future / _HUNDRED - out_of_the_money,
        notional * rates.option_floor / _HUNDRED,
    )
    if is_expiry_day and kind is UnderlyingKind.INDEX:
        margin += notional * _INDEX_EXPIRY_DAY_PERCENT / _HUNDRED
    return margin.quantize(_PAISA, ROUND_HALF_UP)


def _percent(value: Decimal, percent: Decimal) -> Decimal:
    return (value * percent / _HUNDRED).quantize(_PAISA, ROUND_HALF_UP)
