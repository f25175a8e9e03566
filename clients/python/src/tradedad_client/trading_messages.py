"""Orders, positions and money, as Trade Dad answers and reports them. Pure.

Amounts are exact, in rupees. A field that is None is unknown or does not apply, never zero. Times
are Unix milliseconds of exchange time.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from tradedad_client.order_terms import Account, OrderType, Product, Side, Validity


class OrderState(StrEnum):
    """State of an order; later versions may add others."""

    INTENT = "intent"
    SENDING = "sending"
    OPEN = "open"
    PARTLY_FILLED = "partly_filled"
    UNKNOWN = "unknown"
    """The broker has not answered; the state follows."""
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"


class Pending(StrEnum):
    """A command on an order whose effect is not known yet."""

    MODIFY = "modify"
    CANCEL = "cancel"


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order."""

    order_id: str
    account: Account
    key: str
    side: Side
    product: Product
    order_type: OrderType
    validity: Validity
    quantity: int
    filled_quantity: int
    state: str
    """See `OrderState`."""
    created_at: int
    event_count: int
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    disclosed_quantity: int = 0
    market_protection_percent: Decimal | None = None
    average_price: Decimal | None = None
    """Of the fills so far."""
    broker_order_id: str | None = None
    charges: Decimal | None = None
    """Of the fills so far."""
    code: str | None = None
    detail: str | None = None
    """The last refusal, or why the state is unknown."""
    pending: Pending | None = None
    """A modification or cancellation whose effect is not known yet."""
    external: bool = False
    """Whether the order was placed elsewhere, and was found at the broker."""


class OrderDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An order with its events as they were stored, the oldest first."""

    order: Order
    events: list[dict[str, Any]]


class Trade(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fill of an order."""

    trade_id: str
    order_id: str
    key: str
    side: Side
    product: Product
    quantity: int
    price: Decimal
    traded_at: int


class Position(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A position of the trading day, closed ones included."""

    key: str
    product: Product
    quantity: int
    """Negative for a short position."""
    buy_quantity: int
    buy_value: Decimal
    sell_quantity: int
    sell_value: Decimal
    realised: Decimal
    """Before charges."""
    average_price: Decimal | None = None
    ltp: Decimal | None = None
    unrealised: Decimal | None = None
    """None while no LTP is known."""
    settled_price: Decimal | None = None
    """At which an expired contract was settled in cash on paper; None otherwise."""


class Positions(msgspec.Struct, frozen=True, kw_only=True):
    """All positions of the trading day, and the day's charges."""

    positions: list[Position]
    charges: Decimal | None = None
    """None: the broker does not tell them."""


class Holding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Delivered shares, and shares that arrive on the next trading day."""

    key: str
    quantity: int
    t1_quantity: int
    """Bought, not yet delivered."""
    average_price: Decimal
    ltp: Decimal | None = None


class Funds(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money of an account. None: the broker does not tell the amount.

    On paper, `available` = `cash` + `realised` - `charges` - both margins. At Upstox it is `cash` -
    `used` plus what is pledged.
    """

    account: Account
    cash: Decimal
    """At the start of the trading day, plus and minus deliveries; at Upstox also payments."""
    available: Decimal
    realised: Decimal | None = None
    """Of the trading day, before charges."""
    charges: Decimal | None = None
    """Of the trading day."""
    order_margin: Decimal | None = None
    """Reserved for open orders."""
    position_margin: Decimal | None = None
    used: Decimal | None = None
    """Upstox only: margins of orders and positions, and losses of the day, in one amount."""
    unrealised: Decimal | None = None
    """None while an LTP is missing."""


class ActiveSwitch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A kill switch that is on: only orders that close a position are accepted."""

    scope: str
    """`global`, `instrument` or `user`; later versions may add others."""
    set_by: str
    """`user` or `administrator`: who can lift it."""
    at: int
    reason: str = ""
    """In the words of an administrator; empty for the user's own switch."""
    key: str | None = None
    """The instrument, of a switch with that scope."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of the user's orders, and what stops new orders."""

    max_order_quantity: int
    max_order_value: Decimal
    max_open_orders: int
    max_orders_per_sec: int
    max_orders_per_day: int
    max_daily_loss: Decimal
    kill_switch: bool
    """The user has stopped new orders."""
    loss_lock: bool
    """The loss of the day has stopped new orders."""
    switches: list[ActiveSwitch]
    """All kill switches that are on: of the user, of instruments and the global one."""


class Charges(msgspec.Struct, frozen=True, kw_only=True):
    """Charges of an order by kind."""

    brokerage: Decimal
    transaction_tax: Decimal
    """STT or CTT."""
    exchange: Decimal
    investor_protection: Decimal
    sebi: Decimal
    stamp: Decimal
    dp: Decimal
    gst: Decimal
    total: Decimal


class RuleResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One check of an order. `limit` and `value` are text for people."""

    rule: str
    passed: bool
    detail: str = ""
    limit: str | None = None
    value: str | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Expected result of an order; nothing is sent and nothing is reserved."""

    passed: bool
    rules: list[RuleResult]
    margin: Decimal | None = None
    """An estimate; None while no price is known."""
    charges: Charges | None = None
    value: Decimal | None = None
    """Quantity times the limit, else the trigger, else the LTP."""
    available: Decimal | None = None
    """Before the order."""


class EventKind(StrEnum):
    """Kind of an account event; later versions may add others."""

    ORDER = "order"
    """A new state of an order, with the funds after it if a paper order has changed them."""
    FILL = "fill"
    """A trade with the order after it; of a paper order, with the position and funds after it."""
    SETTLEMENT = "settlement"
    """An expired contract was settled on paper, with the position and funds after it."""
    FUNDS = "funds"
    """The funds have changed otherwise: by a reset, or at the end of the trading day."""
    LIMITS = "limits"
    """A kill switch of the user or the loss lock was set or lifted."""


class AccountEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event of the user's orders and accounts."""

    seq: int
    """Number of the event of this user; rises by one."""
    kind: str
    """See `EventKind`."""
    at: int
    order: Order | None = None
    trade: Trade | None = None
    position: Position | None = None
    funds: Funds | None = None
    limits: Limits | None = None


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events, the oldest first."""

    events: list[AccountEvent]
    last_seq: int
    """The newest sequence number of the user."""


class OrderList(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an answer with orders."""

    orders: list[Order]


class TradeList(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an answer with trades."""

    trades: list[Trade]


class HoldingList(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an answer with holdings."""

    holdings: list[Holding]


class KillSwitch(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an answer with the kill switch."""

    is_on: bool
