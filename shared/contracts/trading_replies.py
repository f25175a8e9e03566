"""Replies of trading over the bus: orders, accounts, limits and the events of a user.

Amounts are in rupees, exact, as decimal strings in JSON. Times are epoch milliseconds.
"""

from decimal import Decimal
from enum import StrEnum

import msgspec

from shared.contracts.order_terms import Account, OrderType, Product, Side, Validity


class Pending(StrEnum):
    """A command on an order whose effect is not known yet."""

    MODIFY = "modify"
    CANCEL = "cancel"


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


class OrderView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An order as its user sees it."""

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
    created_at: int
    event_count: int
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    disclosed_quantity: int = 0
    market_protection_percent: Decimal | None = None
    average_price: Decimal | None = None
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
    """An order with the events that made it; `events` are the JSON of docs/trading.md."""

    order: OrderView
    events: list[msgspec.Raw]


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """A page of orders."""

    orders: list[OrderView]


class Trades(msgspec.Struct, frozen=True, kw_only=True):
    """A page of trades."""

    trades: list[Trade]


class PositionView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
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


class Positions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All positions of the trading day, and the day's charges."""

    positions: list[PositionView]
    charges: Decimal | None = None
    """None: the broker does not tell them."""


class Holding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Delivered shares, and shares that were bought and arrive on the next trading day."""

    key: str
    quantity: int
    t1_quantity: int
    average_price: Decimal
    ltp: Decimal | None = None


class Holdings(msgspec.Struct, frozen=True, kw_only=True):
    """All holdings."""

    holdings: list[Holding]


class Funds(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Money of an account, on the day. None: the broker does not tell the amount.

    On paper, `available` = `cash` + `realised` - `charges` - margins. At Upstox it is `cash` - `used`
    plus what is pledged.
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


class SwitchScope(StrEnum):
    """Whose new orders a kill switch stops."""

    GLOBAL = "global"
    """Those of all users."""
    INSTRUMENT = "instrument"
    """Those of all users in one instrument."""
    USER = "user"
    """Those of one user."""


class SwitchSetter(StrEnum):
    """Party that has set a kill switch, and can lift it."""

    USER = "user"
    ADMINISTRATOR = "administrator"


class ActiveSwitch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A kill switch that is on: only orders that close a position are accepted."""

    scope: SwitchScope
    set_by: SwitchSetter
    at: int
    reason: str = ""
    """In the words of an administrator; empty for the user's own switch."""
    key: str | None = None
    """The instrument, of a switch with that scope."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a user, and what stops new orders."""

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


class ChargesView(msgspec.Struct, frozen=True, kw_only=True):
    """Charges of an order by kind."""

    brokerage: Decimal
    transaction_tax: Decimal
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
    charges: ChargesView | None = None
    value: Decimal | None = None
    """Quantity times the limit, else the trigger, else the LTP."""
    available: Decimal | None = None
    """Before the order."""


class OrdersReply(msgspec.Struct, frozen=True, kw_only=True):
    """The orders that a command touched; some may be refused."""

    orders: list[OrderView]


class KillSwitch(msgspec.Struct, frozen=True, kw_only=True):
    """The user's own kill switch."""

    is_on: bool


class EventKind(StrEnum):
    """The kind of a message on the user's ``orders`` channel."""

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


class UserEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event of a user, published on ``orders.<user>`` after it was stored."""

    seq: int
    """Number of the event of this user; rises by one."""
    kind: EventKind
    at: int
    order: OrderView | None = None
    trade: Trade | None = None
    position: PositionView | None = None
    funds: Funds | None = None
    limits: Limits | None = None


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events; the next page begins after the last `seq`."""

    events: list[UserEvent]
    last_seq: int
    """The newest sequence number of the user."""
