"""When the next command of a user may be sent to Upstox, which refuses too many in a second.

PURE: time is an argument, monotonic seconds.
"""

from collections import deque
from typing import Final

WINDOW_SECS: Final = 1.1
"""Upstox counts in seconds of its own; the tenth more is for delays on the way."""


class SendPace:
    """The times of recent commands. Users without a recent command take no memory."""

    def __init__(self, max_per_sec: int) -> None:
        self._max_per_sec = max_per_sec
        self._times: dict[str, deque[float]] = {}
        """By user; the user with the newest command comes last."""

    def __len__(self) -> int:
        """The number of users in memory."""
        return len(self._times)

    def reserve(self, user_id: str, now_secs: float) -> float:
        """The seconds to wait before one more command; it counts from now on."""
        times = self._times.pop(user_id, None) or deque(maxlen=self._max_per_sec)
        at_secs = now_secs
        if len(times) == self._max_per_sec:
            at_secs = max(now_secs, times[0] + WINDOW_SECS)
        times.append(at_secs)
        self._times[user_id] = times
        self._forget(now_secs)
        return at_secs - now_secs

    def _forget(self, now_secs: float) -> None:
        while self._times:
            user_id = next(iter(self._times))
            if self._times[user_id][-1] > now_secs - WINDOW_SECS:
                return
            del self._times[user_id]
