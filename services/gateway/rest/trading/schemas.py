"""The response bodies of the operations on orders and accounts, for the OpenAPI document.

The gateway relays replies as the trading service encoded them. These models describe them; a
test compares the models with the messages' own types. Times are Unix milliseconds of exchange
time.
"""

from typing import Any

from pydantic import ConfigDict

from services.gateway.rest.models import Schema
from services.gateway.rest.trading.amounts import Money
from shared.contracts.order_terms import Account, OrderType, Product, Side, Validity
from shared.contracts.trading_replies import EventKind, Pending, SwitchScope, SwitchSetter
from shared.web.openapi import Problem


class OrderProblem(Problem):
    """An error of an operation on orders or accounts."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    rule: str | None = None
    """For `order_refused`: the check that refuses the order."""
    limit: str | None = None
    """For `order_refused`: what the check allows, if that is one value."""
    value: str | None = None
    """For `order_refused`: what the order has."""
    broker_code: str | None = None
    """For `broker_refused`: the broker's own code."""
    broker_detail: str | None = None
    """For `broker_refused`: the broker's own words."""


class OrderView(Schema):
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
    """`intent`, `sending`, `open`, `partly_filled`, `unknown`, or final: `filled`, `cancelled`,
    `rejected`, `expired`."""
    created_at: int
    event_count: int
    price: Money | None = None
    trigger_price: Money | None = None
    disclosed_quantity: int = 0
    market_protection_percent: Money | None = None
    average_price: Money | None = None
    """Of the fills so far."""
    broker_order_id: str | None = None
    charges: Money | None = None
    """Of the fills so far."""
    code: str | None = None
    detail: str | None = None
    """The last refusal, or why the state is unknown."""
    pending: Pending | None = None
    """A modification or cancellation whose effect is not known yet."""
    external: bool = False
    """Whether the order was placed elsewhere, and was found at the broker."""


class OrderDetail(Schema):
    """An order with its events, the oldest first."""

    order: OrderView
    events: list[dict[str, Any]]
    """As they were stored. New kinds and fields may be added."""


class Orders(Schema):
    """Orders, the newest first."""

    orders: list[OrderView]


class OrdersReply(Schema):
    """The orders that a command touched; some may be refused."""

    orders: list[OrderView]


class Trade(Schema):
    """One fill of an order."""

    trade_id: str
    order_id: str
    key: str
    side: Side
    product: Product
    quantity: int
    price: Money
    traded_at: int


class Trades(Schema):
    """Trades, the newest first."""

    trades: list[Trade]


class PositionView(Schema):
    """A position of the trading day, closed ones included."""

    key: str
    product: Product
    quantity: int
    """Negative for a short position."""
    buy_quantity: int
    buy_value: Money
    sell_quantity: int
    sell_value: Money
    realised: Money
    """Before charges."""
    average_price: Money | None = None
    ltp: Money | None = None
    unrealised: Money | None = None
    """Absent while no LTP is known."""
    settled_price: Money | None = None
    """At which an expired contract was settled in cash on paper; absent otherwise."""


class Positions(Schema):
    """All positions of the trading day."""

    positions: list[PositionView]
    charges: Money | None = None
    """Of the trading day; absent if the broker does not tell them."""


class Holding(Schema):
    """Delivered shares, and shares that were bought and arrive on the next trading day."""

    key: str
    quantity: int
    t1_quantity: int
    """Bought, not yet delivered."""
    average_price: Money
    ltp: Money | None = None


class Holdings(Schema):
    """All holdings."""

    holdings: list[Holding]


class Funds(Schema):
    """Money of an account. An amount that the broker does not tell is absent.

    On paper, `available` = `cash` + `realised` - `charges` - both margins. At Upstox it is `cash` -
    `used` plus what is pledged.
    """

    account: Account
    cash: Money
    """At the start of the trading day, plus and minus deliveries; at Upstox also payments."""
    available: Money
    realised: Money | None = None
    """Of the trading day, before charges."""
    charges: Money | None = None
    """Of the trading day."""
    order_margin: Money | None = None
    """Reserved for open orders."""
    position_margin: Money | None = None
    used: Money | None = None
    """Upstox only: margins of orders and positions, and losses of the day, in one amount."""
    unrealised: Money | None = None
    """Absent while an LTP is missing."""


class ActiveSwitch(Schema):
    """A kill switch that is on: only orders that close a position are accepted."""

    scope: SwitchScope
    set_by: SwitchSetter
    """Only the user, or only an administrator, can lift it."""
    at: int
    reason: str = ""
    """In the words of an administrator; empty for the user's own switch."""
    key: str | None = None
    """The instrument, of a switch with that scope."""


class Limits(Schema):
    """The limits of a user, and what stops new orders."""

    max_order_quantity: int
    max_order_value: Money
    max_open_orders: int
    max_orders_per_sec: int
    max_orders_per_day: int
    max_daily_loss: Money
    kill_switch: bool
    """The user has stopped new orders."""
    loss_lock: bool
    """The loss of the day has stopped new orders."""
    switches: list[ActiveSwitch]
    """All kill switches that are on: of the user, of instruments and the global one."""


class KillSwitch(Schema):
    """The user's own kill switch."""

    is_on: bool
    """The user has stopped new orders."""


class ChargesView(Schema):
    """Charges of an order by kind."""

    brokerage: Money
    transaction_tax: Money
    """STT or CTT."""
    exchange: Money
    investor_protection: Money
    sebi: Money
    stamp: Money
    dp: Money
    gst: Money
    total: Money


class RuleResult(Schema):
    """One check of an order. `limit` and `value` are text for people."""

    rule: str
    passed: bool
    detail: str = ""
    limit: str | None = None
    value: str | None = None


class Preview(Schema):
    """Expected result of an order; nothing is sent and nothing is reserved."""

    passed: bool
    rules: list[RuleResult]
    margin: Money | None = None
    """An estimate; absent while no price is known."""
    charges: ChargesView | None = None
    value: Money | None = None
    """Quantity times price, or times the LTP for an order without a limit."""
    available: Money | None = None
    """Before the order."""


class UserEvent(Schema):
    """One event of a user. The stream's channel `orders` sends the same messages."""

    seq: int
    """Number of the event of this user; rises by one."""
    kind: EventKind
    """`order`: a new state of an order. `fill`: a trade, with the order, position and funds after
    it. `settlement`: an expired contract was settled on paper, with the position and funds after
    it. `funds`: the funds have changed otherwise. `limits`: a kill switch of the user or the loss
    lock was set or lifted."""
    at: int
    order: OrderView | None = None
    trade: Trade | None = None
    position: PositionView | None = None
    funds: Funds | None = None
    limits: Limits | None = None


class Events(Schema):
    """A page of events, the oldest first."""

    events: list[UserEvent]
    last_seq: int
    """The newest sequence number of the user. While the last event has a smaller one, there is a
    next page: send that as `after`."""
