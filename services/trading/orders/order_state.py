"""States of an order: as shown to the user, and of its sending to the broker."""

from enum import StrEnum
from typing import Final


class OrderState(StrEnum):
    """The state that is shown to the user."""

    INTENT = "intent"
    SENDING = "sending"
    UNKNOWN = "unknown"
    """An answer was lost: the order may exist at the broker."""
    OPEN = "open"
    PARTLY_FILLED = "partly_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Whether nothing of the order can be filled any more, as far as is known."""
        return self in _FINAL


_FINAL: Final = {
    OrderState.FILLED, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.REJECTED,
}  # fmt: skip


class LocalState(StrEnum):
    """State of an order's sending to the broker, without the broker's reports."""

    INTENT = "intent"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    LOST = "lost"
