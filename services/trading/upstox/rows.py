"""Orders and trades as Upstox's books list them, with every field checked."""

from decimal import Decimal

import msgspec

from services.trading.orders.broker_report import BrokerReport
from shared.contracts.order_terms import Product, Side


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """One state of one order."""

    report: BrokerReport
    """State, time, terms and Upstox's words."""
    tag: str | None
    """The `order_id` of an order of ours; None for an order that was placed elsewhere."""
    key: str
    side: Side
    product: Product
    filled_quantity: int
    is_at_exchange: bool
    """Whether the exchange has numbered it. Without that, ``complete`` is not used."""


class OrderBookRows(msgspec.Struct, frozen=True):
    """The order book of the day."""

    rows: list[OrderRow]
    """Those that could be read."""
    names: frozenset[str] | None
    """Upstox's ids and the tags of all rows; None if a row has no id that could be read."""


class TradeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One trade of the day: the only proof of a quantity and a price."""

    broker_order_id: str
    trade_id: str
    key: str
    side: Side
    product: Product
    quantity: int
    price: Decimal
    traded_at_ms: int
