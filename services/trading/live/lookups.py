"""When orders that are not known are looked up again: soon at first, then each minute.

That Upstox does not list an order proves nothing: it may list the order later.
"""

from collections.abc import Collection
from typing import Final

DELAYS_SECS: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""After the first lookup, which is made at once; the last delay is repeated."""


class Lookups:
    """The next lookup of each order, by monotonic time in seconds."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._attempts: dict[str, int] = {}

    def follow(self, order_ids: Collection[str], now_secs: float) -> None:
        """Replace the orders that are looked up; new ones are due now."""
        for order_id in [one for one in self._due if one not in order_ids]:
            del self._due[order_id]
            del self._attempts[order_id]
        for order_id in order_ids:
            if order_id not in self._due:
                self._due[order_id] = now_secs
                self._attempts[order_id] = 0

    def due(self, now_secs: float) -> list[str]:
        """The orders to look up now; the next lookup of each is later."""
        due = [order_id for order_id, at_secs in self._due.items() if at_secs <= now_secs]
        for order_id in due:
            attempt = self._attempts[order_id]
            self._due[order_id] = now_secs + DELAYS_SECS[min(attempt, len(DELAYS_SECS) - 1)]
            self._attempts[order_id] = attempt + 1
        return due

    def next_secs(self) -> float | None:
        """The time of the next lookup; None if nothing is followed."""
        return min(self._due.values(), default=None)

    def __len__(self) -> int:
        return len(self._due)
