"""Counts the orders of each user within the last second. Time is an argument.

The time is monotonic and does not depend on the exchange, whose time stands still between quotes.
"""

from collections import deque
from typing import Final

WINDOW_SECS: Final = 1.0


class OrderRates:
    """The times of recent orders. Users without a recent order take no memory."""

    def __init__(self, max_per_sec: int) -> None:
        self._max_per_sec = max_per_sec
        self._times: dict[str, deque[float]] = {}
        """By user; the user with the newest order comes last."""

    def __len__(self) -> int:
        """The number of users in memory."""
        return len(self._times)

    def recent(self, user_id: str, now_secs: float) -> int:
        """Orders of the user within the second that ends now, at most `max_per_sec`."""
        times = self._times.get(user_id, ())
        return sum(1 for at in times if at > now_secs - WINDOW_SECS)

    def record(self, user_id: str, now_secs: float) -> None:
        """Count an order that was accepted or refused now."""
        times = self._times.pop(user_id, None) or deque(maxlen=self._max_per_sec)
        times.append(now_secs)
        self._times[user_id] = times
        self._forget(now_secs)

    def _forget(self, now_secs: float) -> None:
        while self._times:
            user_id = next(iter(self._times))
            if self._times[user_id][-1] > now_secs - WINDOW_SECS:
                return
            del self._times[user_id]
