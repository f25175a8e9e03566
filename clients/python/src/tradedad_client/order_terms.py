"""The terms of an order, as a program gives them. Pure."""

from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec


class Account(StrEnum):
    """Where an order is sent. It is always given; nothing defaults to an account."""

    PAPER = "paper"
    UPSTOX = "upstox"


class Side(StrEnum):
    """Whether an order buys or sells."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """How an order is priced."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    SL = "SL"
    """A limit order once a trade reaches the trigger price."""
    SL_M = "SL-M"
    """A market order once a trade reaches the trigger price."""


class Validity(StrEnum):
    """How long an order remains in the market."""

    DAY = "DAY"
    IOC = "IOC"
    """Immediate or cancel: the part that is not filled at once is cancelled."""


class Product(StrEnum):
    """Intraday, delivery or carry-forward, margin trading facility."""

    INTRADAY = "I"
    DELIVERY = "D"
    MTF = "MTF"


class _AmountFields(msgspec.Struct, frozen=True, kw_only=True):
    """The amounts that both new orders and changes have; they are exact."""

    price: Decimal | None = None
    """The limit in rupees; required for LIMIT and SL."""
    trigger_price: Decimal | None = None
    """In rupees; required for SL and SL-M."""

    def __post_init__(self) -> None:
        for name in _AMOUNTS:
            check_amount(name, getattr(self, name, None))


class NewOrder(_AmountFields, frozen=True, kw_only=True):
    """A new order. Raises TypeError for an amount that is no Decimal: a float is not exact."""

    account: Account
    key: str
    """Instrument key, or a name such as ``RELIANCE``: see `Instruments`."""
    side: Side
    product: Product
    quantity: int
    """In units; on MCX in lots."""
    order_type: OrderType
    validity: Validity = Validity.DAY
    disclosed_quantity: int = 0
    market_protection_percent: Decimal | None = None
    """For MARKET and SL-M: the greatest distance from the reference price. None is automatic."""


class OrderChanges(_AmountFields, frozen=True, kw_only=True):
    """New terms of an open order; None leaves a term as it is."""

    quantity: int | None = None
    """Of the whole order, what is filled included."""
    order_type: OrderType | None = None
    validity: Validity | None = None
    disclosed_quantity: int | None = None


_AMOUNTS: Final = ("price", "trigger_price", "market_protection_percent")


def check_amount(name: str, amount: Decimal | None) -> None:
    """Raise TypeError unless `amount` is a Decimal or None, ValueError if it is not finite."""
    if amount is None:
        return
    if not isinstance(amount, Decimal):
        raise TypeError(f"{name} must be a Decimal, not {type(amount).__name__}")
    if not amount.is_finite():
        raise ValueError(f"{name} must be a finite number, not {amount}")


def terms_in_json(terms: NewOrder | OrderChanges) -> dict[str, Any]:
    """The fields that are not None, with amounts as decimal strings without an exponent."""
    return {
        name: format(value, "f") if isinstance(value, Decimal) else value
        for name, value in msgspec.structs.asdict(terms).items()
        if value is not None
    }
