"""Requests over the bus for orders and accounts, and their replies.

Every user belongs to one partition. The holder of a partition's lease is the only process that
answers its subjects, ``trading.<partition>.<operation>``. The gateway takes `user_id` from the
access token. Amounts are in rupees, exact, as decimal strings in JSON. Times are epoch
milliseconds.
"""

from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Final

import msgspec

from shared.contracts.order_terms import Account, OrderType, Product, Side, Validity
from shared.contracts.subjects import MAX_KEY_CHARS

MAX_PARTITIONS: Final = 1_024
MAX_ORDERS: Final = 200
"""Orders, trades or events in one reply."""
MAX_QUANTITY: Final = 10_000_000
MAX_COMMAND_KEY_CHARS: Final = 64

UserId = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+$")]
Key = Annotated[str, msgspec.Meta(min_length=3, max_length=MAX_KEY_CHARS)]
CommandKey = Annotated[
    str, msgspec.Meta(min_length=1, max_length=MAX_COMMAND_KEY_CHARS, pattern="^[A-Za-z0-9_.:-]+$")
]
"""The client's Idempotency-Key: the same key is the same command."""
OrderId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=MAX_QUANTITY)]
Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class Operation(StrEnum):
    """The last token of a request's subject."""

    PLACE = "place"
    PREVIEW = "preview"
    MODIFY = "modify"
    CANCEL = "cancel"
    CANCEL_ALL = "cancel_all"
    EXIT = "exit"
    RESET = "reset"
    SET_KILL_SWITCH = "set_kill_switch"
    ORDERS = "orders"
    ORDER = "order"
    TRADES = "trades"
    POSITIONS = "positions"
    HOLDINGS = "holdings"
    FUNDS = "funds"
    LIMITS = "limits"
    EVENTS = "events"


def slot_of(user_id: str) -> int:
    """A number below `MAX_PARTITIONS` that never changes; stored with all data of a user."""
    digest = blake2b(user_id.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % MAX_PARTITIONS


def partition_of(user_id: str, partitions: int) -> int:
    """The partition of a user among `partitions`, the same in every process."""
    return slot_of(user_id) % partitions


def trading_subject(partition: int, operation: StrEnum) -> str:
    """The subject of an operation for the users of a partition.

    `operation` is an `Operation` or a `LinkOperation`.
    """
    return f"trading.{partition}.{operation.value}"


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The terms of an order as a client gives them. A preview has the same."""

    user_id: UserId
    account: Account
    key: Key
    side: Side
    product: Product
    quantity: Quantity
    order_type: OrderType
    validity: Validity = Validity.DAY
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    disclosed_quantity: Annotated[int, msgspec.Meta(ge=0, le=MAX_QUANTITY)] = 0
    market_protection_percent: Decimal | None = None
    command_key: CommandKey = "preview"


class ModifyRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Changes an open order. Absent fields stay as they are."""

    user_id: UserId
    command_key: CommandKey
    order_id: OrderId
    quantity: Quantity | None = None
    order_type: OrderType | None = None
    validity: Validity | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    disclosed_quantity: Annotated[int, msgspec.Meta(ge=0, le=MAX_QUANTITY)] | None = None


class CancelRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cancels an open order."""

    user_id: UserId
    command_key: CommandKey
    order_id: OrderId


class AccountCommand(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cancels all open orders, or resets the paper account."""

    user_id: UserId
    command_key: CommandKey
    account: Account


class ExitRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Closes one position (`key` and `product`) or all (neither) by market orders."""

    user_id: UserId
    command_key: CommandKey
    account: Account
    key: Key | None = None
    product: Product | None = None


class SetKillSwitchRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stops or allows new orders of a user."""

    user_id: UserId
    command_key: CommandKey
    is_on: bool


class AccountQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reads positions, holdings, funds or limits of one account."""

    user_id: UserId
    account: Account


class OrderQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reads one order with its events."""

    user_id: UserId
    order_id: OrderId


class OrdersQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reads orders or trades of the trading day, the newest first."""

    user_id: UserId
    account: Account
    open_only: bool = False
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_ORDERS)] = MAX_ORDERS


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Reads the user's events after a sequence number, oldest first."""

    user_id: UserId
    after: Sequence = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_ORDERS)] = MAX_ORDERS


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
    """Who has set a kill switch, and can lift it."""

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
    """What would happen to an order; nothing is sent and nothing is reserved."""

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
    """A new state of an order."""
    FILL = "fill"
    """A trade, with the order, position and funds after it."""
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
