"""The interface between the order manager and the accounts of the users."""

from collections.abc import Iterable
from typing import Protocol

from services.simulator.orders.order import Fill, Order, OrderRequest


class RiskChecks(Protocol):
    """The broker's risk checks, with the accounts that they depend on."""

    def rejection(self, user_id: str, request: OrderRequest, others: Iterable[Order]) -> str | None:
        """Why the broker rejects this order, or None; `others` are the user's pending orders."""
        ...

    def record(self, fill: Fill) -> None:
        """Update the account of the fill's user."""
        ...

    def roll_day(self) -> None:
        """Begin a new day."""
        ...
