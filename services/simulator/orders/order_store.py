"""Stores all versions of all orders, and all fills."""

from collections import deque
from collections.abc import Iterator

from services.simulator.orders.order import Fill, Order


class OrderStore:
    """The orders and fills of the day, and a ledger of earlier ones for reports and tests.

    The day's orders are dropped at the end of the day unless they are pending. The ledger has
    at most `max_rows` orders and `max_rows` fills; the oldest are dropped.
    """

    def __init__(self, *, max_rows: int) -> None:
        self._max_rows = max_rows
        self._histories: dict[str, list[Order]] = {}
        self._day_fills: list[Fill] = []
        self._ledger: dict[str, Order] = {}
        self.fills: deque[Fill] = deque(maxlen=max_rows)
        """The ledger's fills, oldest first."""

    def add(self, order: Order) -> None:
        """Add a new version of an order."""
        self._histories.setdefault(order.order_id, []).append(order)
        if order.order_id not in self._ledger and len(self._ledger) >= self._max_rows:
            del self._ledger[next(iter(self._ledger))]
        self._ledger[order.order_id] = order

    def add_fill(self, fill: Fill) -> None:
        """Add a fill."""
        self.fills.append(fill)
        self._day_fills.append(fill)

    def orders(self) -> list[Order]:
        """The latest version of each order in the ledger, oldest order first."""
        return list(self._ledger.values())

    def find_of_any_user(self, order_id: str) -> Order | None:
        """The latest version of the order; None if the ledger has no such order."""
        return self._ledger.get(order_id)

    def find(self, user_id: str, order_id: str) -> Order | None:
        """The latest version of the user's order; None if the day has no such order."""
        history = self._histories.get(order_id)
        return history[-1] if history and history[-1].user_id == user_id else None

    def history(self, user_id: str, order_id: str) -> list[Order]:
        """All versions of the user's order, oldest first; empty if there is no such order."""
        return list(self._histories[order_id]) if self.find(user_id, order_id) else []

    def history_by_tag(self, user_id: str, tag: str) -> list[Order]:
        """All versions of the user's orders with this tag, order by order."""
        order_ids = [each.order_id for each in self.day(user_id) if each.request.tag == tag]
        return [version for order_id in order_ids for version in self._histories[order_id]]

    def day(self, user_id: str) -> list[Order]:
        """The latest version of each of the user's orders of the day, oldest order first."""
        return [order for order in self._latest() if order.user_id == user_id]

    def day_fills(self, user_id: str) -> list[Fill]:
        """The user's fills of the day, oldest first."""
        return [fill for fill in self._day_fills if fill.order.user_id == user_id]

    def roll_day(self) -> None:
        """Begin a new day: drop the day's fills and its final orders."""
        pending = {order.order_id for order in self._latest() if not order.is_final}
        self._histories = {key: self._histories[key] for key in self._histories if key in pending}
        self._day_fills.clear()

    def _latest(self) -> Iterator[Order]:
        return (history[-1] for history in self._histories.values())
