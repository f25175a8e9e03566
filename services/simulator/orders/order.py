"""Orders: their requests, their 17 statuses, their fills."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Side(StrEnum):
    """Upstox's `transaction_type`."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        """1 for BUY, -1 for SELL: the sign of a fill's effect on a position."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """The side that closes a position of this side."""
        return Side.SELL if self is Side.BUY else Side.BUY


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
    """Upstox's `product`: intraday, delivery, margin trading, cover order, one-cancels-other."""

    I = "I"  # noqa: E741  (Upstox's name)
    D = "D"
    MTF = "MTF"
    CO = "CO"
    OCO = "OCO"

    @property
    def is_delivery(self) -> bool:
        """Whether a position of this product is carried overnight."""
        return self in (Product.D, Product.MTF)


class OrderStatus(StrEnum):
    """Upstox's seventeen order statuses."""

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


_S = OrderStatus
_RESTING: Final = frozenset({_S.OPEN, _S.TRIGGER_PENDING})
_FROM_RESTING: Final = frozenset(
    {_S.MODIFY_VALIDATION_PENDING, _S.CANCEL_PENDING, _S.CANCELLED, _S.REJECTED}
)
_FROM_AMO: Final = frozenset({_S.AMO_MODIFIED, _S.AMO_CANCELLED, _S.OPEN_PENDING, _S.REJECTED})

TRANSITIONS: Final[dict[OrderStatus, frozenset[OrderStatus]]] = {
    _S.RECEIVED: frozenset({_S.VALIDATION_PENDING}),
    _S.VALIDATION_PENDING: frozenset({_S.OPEN_PENDING, _S.AMO_RECEIVED, _S.REJECTED}),
    _S.OPEN_PENDING: _RESTING | {_S.REJECTED},
    # A partially filled order stays open.
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
"""The statuses that may follow each status; a final status has none."""

AMO_PENDING: Final = frozenset({_S.AMO_RECEIVED, _S.AMO_MODIFIED})
"""Statuses of an after-market order that waits for the open."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """The parameters of an order; prices in paise, zero if the order type has none."""

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
    """Maximum distance of a market order from the last price.

    -1 leaves it to the broker, 0 means no limit.
    """


@dataclass(frozen=True, slots=True)
class Order:
    """One version of an order: each change creates a new one. Times in exchange ms."""

    order_id: str
    user_id: str
    request: OrderRequest
    placed_ms: int
    updated_ms: int
    status: OrderStatus = OrderStatus.RECEIVED
    message: str = ""
    filled_quantity: int = 0
    filled_paise: int = 0
    """Sum of price times quantity over all fills."""
    cancelled_quantity: int = 0
    exchange_order_id: str | None = None
    """None until the order is sent to the exchange."""
    is_amo: bool = False
    triggered: bool = False
    """Whether the trigger price was reached, so that it no longer applies."""
    limit_paise: int = 0
    """The worst price at which the order may trade; 0 means any price."""
    is_shown_complete: bool = False
    """Whether it is shown as complete, by a fault, although it is not at the exchange."""

    @property
    def shown_status(self) -> OrderStatus:
        """The status that users see."""
        return OrderStatus.COMPLETE if self.is_shown_complete else self.status

    @property
    def pending_quantity(self) -> int:
        """The quantity that may still be filled."""
        return self.request.quantity - self.filled_quantity - self.cancelled_quantity

    @property
    def is_final(self) -> bool:
        """Whether the order can no longer change."""
        return not TRANSITIONS[self.status]

    def move(self, status: OrderStatus, at_ms: int, message: str = "") -> "Order":
        """The order in its next status. Raises ValueError if the transition is not allowed."""
        if status not in TRANSITIONS[self.status]:
            raise ValueError(f"{status!r} cannot follow {self.status!r}")
        ends_unfilled = status in (
            OrderStatus.CANCELLED,
            OrderStatus.AMO_CANCELLED,
            OrderStatus.REJECTED,
        )
        return replace(
            self,
            status=status,
            updated_ms=at_ms,
            message=message,
            cancelled_quantity=self.pending_quantity if ends_unfilled else 0,
        )

    def fill(self, price_paise: int, quantity: int, at_ms: int) -> "Order":
        """The order after a fill: complete, or still open."""
        is_complete = quantity == self.pending_quantity
        moved = self.move(OrderStatus.COMPLETE if is_complete else OrderStatus.OPEN, at_ms)
        return replace(
            moved,
            filled_quantity=self.filled_quantity + quantity,
            filled_paise=self.filled_paise + price_paise * quantity,
        )


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill of an order; Upstox calls it a trade."""

    trade_id: str
    order: Order
    """The order after this fill."""
    price_paise: int
    quantity: int
    at_ms: int
