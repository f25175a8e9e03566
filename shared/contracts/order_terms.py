"""The terms of an order, as the user gives them. Prices are in rupees."""

from decimal import Decimal
from enum import StrEnum

import msgspec


class Account(StrEnum):
    """Where an order is sent. Nothing defaults from one account to the other."""

    PAPER = "paper"
    UPSTOX = "upstox"


class Side(StrEnum):
    """Upstox's `transaction_type`."""

    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    """Upstox's `order_type`."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    SL = "SL"
    SL_M = "SL-M"

    @property
    def has_limit(self) -> bool:
        """Whether the order has a limit price."""
        return self in (OrderType.LIMIT, OrderType.SL)

    @property
    def has_trigger(self) -> bool:
        """Whether the order is inactive until a trade reaches its trigger price."""
        return self in (OrderType.SL, OrderType.SL_M)


class Validity(StrEnum):
    """How long an order remains in the market."""

    DAY = "DAY"
    IOC = "IOC"


class Product(StrEnum):
    """Upstox's `product`: intraday, delivery or carry-forward, margin trading facility."""

    INTRADAY = "I"
    DELIVERY = "D"
    MTF = "MTF"


class Prices(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The terms that a modification may change."""

    quantity: int
    order_type: OrderType
    validity: Validity
    price: Decimal | None = None
    """None: the order has no limit."""
    trigger_price: Decimal | None = None
    """None: the order has no trigger."""
    disclosed_quantity: int = 0


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that defines an order."""

    account: Account
    key: str
    """Instrument key."""
    side: Side
    product: Product
    prices: Prices
    market_protection_percent: Decimal | None = None
    """For MARKET and SL-M: the greatest distance from the reference price; None is automatic."""
