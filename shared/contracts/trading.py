"""Requests over the bus for orders and accounts.

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

UserId = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9_-]+\\Z")]
Key = Annotated[str, msgspec.Meta(min_length=3, max_length=MAX_KEY_CHARS)]
CommandKey = Annotated[
    str,
    msgspec.Meta(min_length=1, max_length=MAX_COMMAND_KEY_CHARS, pattern="^[A-Za-z0-9_.:-]+\\Z"),
]
"""The client's Idempotency-Key: the same key is the same command."""
OrderId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Quantity = Annotated[int, msgspec.Meta(ge=1, le=MAX_QUANTITY)]
Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]


class Operation(StrEnum):
    """The last token of a request's subject."""

    PLACE = "place"
    PREVIEW = "preview"
    PREVIEW_CHANGES = "preview_changes"
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


class PreviewChangesRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """New terms of an open order. Absent fields stay as they are."""

    user_id: UserId
    order_id: OrderId
    quantity: Quantity | None = None
    order_type: OrderType | None = None
    validity: Validity | None = None
    price: Decimal | None = None
    trigger_price: Decimal | None = None
    disclosed_quantity: Annotated[int, msgspec.Meta(ge=0, le=MAX_QUANTITY)] | None = None


class ModifyRequest(PreviewChangesRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Changes an open order."""

    command_key: CommandKey


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
