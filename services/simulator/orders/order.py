"""An order at one moment: what was asked, what was filled, in which of the 17 statuses."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Side(StrEnum):
    """Upstox's `transaction_type`."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """What a fill adds to a position: 1 or -1."""
        return 1 if self is Side.BUY else -1

    @property
    def other(self) -> "Side":
        """The side that undoes this one."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(StrEnum):
    """How an order finds its price."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    SL = "SL"
    SL_M = "SL-M"

    @property
    def has_limit(self) -> bool:
        """It names the worst price it takes."""
        return self in (OrderType.LIMIT, OrderType.SL)

    @property
    def has_trigger(self) -> bool:
        """It sleeps until a trade reaches its trigger."""
        return self in (OrderType.SL, OrderType.SL_M)


class Validity(StrEnum):
    """How long an order waits."""

    DAY = "DAY"
    IOC = "IOC"


class Product(StrEnum):
    """What an order's position is for: intraday, delivery, margin, cover, one-cancels-other."""

    I = "I"  # noqa: E741  (Upstox's name)
    D = "D"
    MTF = "MTF"
    CO = "CO"
    OCO = "OCO"

    @property
    def is_delivery(self) -> bool:
        """Its position outlives the day."""
        return self in (Product.D, Product.MTF)


class Status(StrEnum):
    """Upstox's seventeen."""

    RECEIVED = "put order req received"
    VALIDATION_PENDING = "validation pending"
    OPEN_PENDING = "open pending"
    OPEN = "open"
    TRIGGER_PENDING = "trigger pending"
    MODIFY_VALIDATION_PENDING = "modify validation pending"
    MODIFY_PENDING = "modify pending"
    MODIFIED = "modified"
    NOT_MODIFIED = "not modified"
    CANCEL_PENDING = "cancel pending"
    NOT_CANCELLED = "not cancelled"
    CANCELLED = "cancelled"
    COMPLETE = "complete"
    REJECTED = "rejected"
    AMO_RECEIVED = "after market order req received"
    AMO_MODIFIED = "modify after market order req received"
    AMO_CANCELLED = "cancelled after market order"


_S = Status
_RESTING: Final = frozenset({_S.OPEN, _S.TRIGGER_PENDING})
_FROM_RESTING: Final = frozenset(
    {_S.MODIFY_VALIDATION_PENDING, _S.CANCEL_PENDING, _S.CANCELLED, _S.REJECTED}
)
_FROM_AMO: Final = frozenset({_S.AMO_MODIFIED, _S.AMO_CANCELLED, _S.OPEN_PENDING, _S.REJECTED})

NEXT: Final[dict[Status, frozenset[Status]]] = {
    _S.RECEIVED: frozenset({_S.VALIDATION_PENDING}),
    _S.VALIDATION_PENDING: frozenset({_S.OPEN_PENDING, _S.AMO_RECEIVED, _S.REJECTED}),
    _S.OPEN_PENDING: _RESTING | {_S.REJECTED},
    # An order stays open while it is filled in part.
    _S.OPEN: _FROM_RESTING | {_S.OPEN, _S.COMPLETE},
    _S.TRIGGER_PENDING: _FROM_RESTING | {_S.OPEN},
    _S.MODIFY_VALIDATION_PENDING: frozenset({_S.MODIFY_PENDING, _S.NOT_MODIFIED}),
    _S.MODIFY_PENDING: frozenset({_S.MODIFIED}),
    _S.MODIFIED: _RESTING,
    _S.NOT_MODIFIED: _RESTING,
    _S.CANCEL_PENDING: frozenset({_S.CANCELLED, _S.NOT_CANCELLED}),
    _S.NOT_CANCELLED: _RESTING,
    _S.AMO_RECEIVED: _FROM_AMO,
    _S.AMO_MODIFIED: _FROM_AMO,
    _S.CANCELLED: frozenset(),
    _S.COMPLETE: frozenset(),
    _S.REJECTED: frozenset(),
    _S.AMO_CANCELLED: frozenset(),
}
"""Which status may follow which; nothing follows a final one."""

AMO_WAITING: Final = frozenset({_S.AMO_RECEIVED, _S.AMO_MODIFIED})


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What is asked for; prices in paise, zero where the type has none."""

    instrument_key: str
    side: Side
    quantity: int
    product: Product
    order_type: OrderType
    validity: Validity = Validity.DAY
    price_paise: int = 0
    trigger_paise: int = 0
    disclosed_quantity: int = 0
    tag: str | None = None
    protection_percent: float = 0.0
    """How far from the last price a market order may go: -1 leaves it to the broker, 0 is any."""


@dataclass(frozen=True, slots=True)
class Order:
    """One moment of an order: each change makes a new one. Times in exchange ms."""

    order_id: str
    user_id: str
    request: OrderRequest
    placed_ms: int
    updated_ms: int
    status: Status = Status.RECEIVED
    message: str = ""
    filled_quantity: int = 0
    filled_paise: int = 0
    """Sum of price times quantity over its fills."""
    cancelled_quantity: int = 0
    exchange_order_id: str | None = None
    is_amo: bool = False
    triggered: bool = False
    """Its trigger was reached, so it trades like an order without one."""
    limit_paise: int = 0
    """The worst price it may trade at; 0 is any."""

    @property
    def pending_quantity(self) -> int:
        """What may still be filled."""
        return self.request.quantity - self.filled_quantity - self.cancelled_quantity

    @property
    def is_final(self) -> bool:
        """Nothing can happen to it any more."""
        return not NEXT[self.status]

    def move(self, status: Status, at_ms: int, message: str = "") -> "Order":
        """The order in its next status. Raises ValueError if that may not follow."""
        if status not in NEXT[self.status]:
            raise ValueError(f"{status!r} cannot follow {self.status!r}")
        dropped = status in (Status.CANCELLED, Status.AMO_CANCELLED, Status.REJECTED)
        return replace(
            self,
            status=status,
            updated_ms=at_ms,
            message=message,
            cancelled_quantity=self.pending_quantity if dropped else 0,
        )

    def fill(self, price_paise: int, quantity: int, at_ms: int) -> "Order":
        """The order after a fill: still open, or complete."""
        whole = quantity == self.pending_quantity
        filled = self.move(Status.COMPLETE if whole else Status.OPEN, at_ms)
        return replace(
            filled,
            filled_quantity=self.filled_quantity + quantity,
            filled_paise=self.filled_paise + price_paise * quantity,
        )


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of an order; Upstox calls it a trade as well."""

    trade_id: str
    order: Order
    """As the fill left it."""
    price_paise: int
    quantity: int
    at_ms: int
