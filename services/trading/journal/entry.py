"""The entries of the journal. An account is the fold of the entries of its user."""

from decimal import Decimal

import msgspec

from services.trading.orders.events import OrderEvent
from shared.contracts.order_terms import Account, Product


class OrderChanged(msgspec.Struct, frozen=True, kw_only=True, tag="order"):
    """One more event of an order."""

    order_id: str
    event: OrderEvent


class DayEnded(msgspec.Struct, frozen=True, kw_only=True, tag="day_ended"):
    """The trading day has ended: deliveries are settled, and the next day begins without trades."""

    day: str
    """``YYYY-MM-DD``, IST."""
    at_ms: int
    marks: dict[str, Decimal] = {}
    """The last known prices of carried positions, by key: the loss of the next day is counted from
    them.

    A position without one is counted from the prices at which it was opened.
    """


class ContractSettled(msgspec.Struct, frozen=True, kw_only=True, tag="contract_settled"):
    """An expired contract is settled in cash: its position is closed at `price`."""

    at_ms: int
    key: str
    product: Product
    price: Decimal
    """For one unit of the contract: a future's closing price of the underlying, an option's value
    at that price."""


class AccountReset(msgspec.Struct, frozen=True, kw_only=True, tag="reset"):
    """The user has reset the paper account: no orders, no positions, the initial cash."""

    at_ms: int


class KillSwitchSet(msgspec.Struct, frozen=True, kw_only=True, tag="kill_switch"):
    """New orders of the user are stopped, or allowed again.

    The user and the administrators have a switch each; both must be off.
    """

    is_on: bool
    at_ms: int
    by: str = ""
    """The administrator whose entry this is; empty for the user's own switch."""
    reason: str = ""


class LossLocked(msgspec.Struct, frozen=True, kw_only=True, tag="loss_locked"):
    """The loss of the day was beyond the limit: no new position until the day has ended."""

    at_ms: int
    loss: Decimal
    """In rupees, realised and marked to market; on paper after charges."""
    account: Account = Account.PAPER


class LossLockLifted(msgspec.Struct, frozen=True, kw_only=True, tag="loss_lock_lifted"):
    """An administrator has lifted the lock. From now on the limit is counted from `loss`."""

    at_ms: int
    loss: Decimal
    """At that time, in rupees; 0 for a profit."""
    by: str
    reason: str


Body = (
    OrderChanged
    | DayEnded
    | ContractSettled
    | AccountReset
    | KillSwitchSet
    | LossLocked
    | LossLockLifted
)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one user."""

    user_id: str
    seq: int
    """Number of the entry of this user, from 1, without gaps."""
    position: int
    """The last position of TICKS that the partition had processed before this entry."""
    body: Body
