"""Every order with its history, next to every fill: the day's book, and the ledger of truth."""

from collections import deque
from collections.abc import Iterator

from services.simulator.orders.order import Fill, Order


class Records:
    """The book forgets at the end of the day; of the ledger only the oldest rows go."""

    def __init__(self, *, max_rows: int) -> None:
        self._max_rows = max_rows
        self._histories: dict[str, list[Order]] = {}
        self._day_fills: list[Fill] = []
        self._ledger: dict[str, Order] = {}
        self.fills: deque[Fill] = deque(maxlen=max_rows)

    def add(self, order: Order) -> None:
        """The order as it is now."""
        self._histories.setdefault(order.order_id, []).append(order)
        if order.order_id not in self._ledger and len(self._ledger) >= self._max_rows:
            del self._ledger[next(iter(self._ledger))]
        self._ledger[order.order_id] = order

    def add_fill(self, fill: Fill) -> None:
        """A fill, once."""
        self.fills.append(fill)
        self._day_fills.append(fill)

    def orders(self) -> list[Order]:
        """The ledger: each order as it last was, oldest first."""
        return list(self._ledger.values())

    def find(self, user_id: str, order_id: str) -> Order | None:
        """The user's order of today, as it is now."""
        history = self._histories.get(order_id)
        return history[-1] if history and history[-1].user_id == user_id else None

    def history(self, user_id: str, order_id: str) -> list[Order]:
        """What became of the user's order, oldest first; empty if there is none."""
        return list(self._histories[order_id]) if self.find(user_id, order_id) else []

    def tagged(self, user_id: str, tag: str) -> list[Order]:
        """The histories of all the user's orders with this tag, one after the other."""
        found = [order for order in self.day(user_id) if order.request.tag == tag]
        return [moment for order in found for moment in self._histories[order.order_id]]

    def day(self, user_id: str) -> list[Order]:
        """The user's orders of today as they are now, oldest first."""
        return [order for order in self._now() if order.user_id == user_id]

    def day_fills(self, user_id: str) -> list[Fill]:
        """The user's fills of today, oldest first."""
        return [fill for fill in self._day_fills if fill.order.user_id == user_id]

    def roll_day(self) -> None:
        """A new day: what is over is forgotten, what still waits is kept."""
        waiting = {order.order_id for order in self._now() if not order.is_final}
        self._histories = {key: self._histories[key] for key in self._histories if key in waiting}
        self._day_fills.clear()

    def _now(self) -> Iterator[Order]:
        return (history[-1] for history in self._histories.values())
