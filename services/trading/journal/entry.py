"""The entries of the journal. An account is the fold of the entries of its user."""

from decimal import Decimal

import msgspec

from services.trading.orders.events import OrderEvent


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
    """The last prices of carried positions, by key: the loss of the next day is counted from them.

    A position without one is counted from the prices at which it was opened.
    """


class AccountReset(msgspec.Struct, frozen=True, kw_only=True, tag="reset"):
    """The user has reset the paper account: no orders, no positions, the initial cash."""

    at_ms: int


class KillSwitchSet(msgspec.Struct, frozen=True, kw_only=True, tag="kill_switch"):
    """New orders of the user are stopped, or allowed again."""

    is_on: bool
    at_ms: int


Body = OrderChanged | DayEnded | AccountReset | KillSwitchSet


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one user."""

    user_id: str
    seq: int
    """Number of the entry of this user, from 1, without gaps."""
    position: int
    """The last position of TICKS that the partition had processed before this entry."""
    body: Body
