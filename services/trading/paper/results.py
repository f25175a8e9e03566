"""Results that the paper broker reports of an order."""

from dataclasses import dataclass
from decimal import Decimal

from services.trading.paper.market import Quote


@dataclass(frozen=True, slots=True)
class PaperFill:
    """A trade of the paper broker."""

    order_id: str
    trade_id: str
    """Derived from the order, its trades so far and the quote: replay makes no new trade."""
    quantity: int
    price: Decimal
    quote: Quote


@dataclass(frozen=True, slots=True)
class Triggered:
    """A stop order became a limit order with this limit."""

    order_id: str
    limit: Decimal


@dataclass(frozen=True, slots=True)
class Lapsed:
    """The unfilled rest of an IOC order was cancelled."""

    order_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Expired:
    """The unfilled rest of a DAY order has ended with the session."""

    order_id: str
    quantity: int


Result = PaperFill | Triggered | Lapsed | Expired


@dataclass(frozen=True, slots=True)
class BrokerResult:
    """Something happened to an order."""

    user_id: str
    result: Result
