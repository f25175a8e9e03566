"""How long Upstox has not listed orders whose day is over.

PURE: time is an argument, monotonic seconds.
"""

from collections.abc import Collection, Iterable
from typing import Final

WAIT_SECS: Final = 300.0
"""Long enough for some readings of the order book, if it can be read."""


class UnlistedOrders:
    """Orders of all users whose day is over, and the time since which each was not listed."""

    def __init__(self) -> None:
        self._since_secs: dict[str, float] = {}

    def listed(self, order_ids: Iterable[str]) -> None:
        """Note that Upstox has just listed these orders."""
        for order_id in order_ids:
            self._since_secs.pop(order_id, None)

    def due(self, over: Collection[str], now_secs: float) -> list[str]:
        """Replace the orders that are over; returns those that were not listed for `WAIT_SECS`."""
        self._since_secs = {order_id: self._since_secs.get(order_id, now_secs) for order_id in over}
        return [
            order_id
            for order_id, since_secs in self._since_secs.items()
            if now_secs - since_secs >= WAIT_SECS
        ]
