"""When the next command of a user may be sent to Upstox, which refuses too many in a second.

PURE: time is an argument, monotonic seconds.
"""

from collections import deque
from math import inf
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

    def reserve(self, user_id: str, now_secs: float, *, most_secs: float = inf) -> float | None:
        """The seconds to wait before one more command, which counts from now on.

        None, and it does not count, if these are more than `most_secs`.
        """
        times = self._times.get(user_id) or deque(maxlen=self._max_per_sec)
        at_secs = now_secs
        if len(times) == self._max_per_sec:
            at_secs = max(now_secs, times[0] + WINDOW_SECS)
        if at_secs - now_secs > most_secs:
            return None
        times.append(at_secs)
        self._times.pop(user_id, None)
        self._times[user_id] = times
        self._forget(now_secs)
        return at_secs - now_secs

    def fits(self, user_id: str, now_secs: float, count: int, secs: float) -> bool:
        """Whether `count` more commands of the user can be sent in the next `secs`."""
        times = deque(self._times.get(user_id, ()), maxlen=self._max_per_sec)
        for _ in range(count):
            at_secs = now_secs
            if len(times) == self._max_per_sec:
                at_secs = max(now_secs, times[0] + WINDOW_SECS)
            if at_secs - now_secs > secs:
                return False
            times.append(at_secs)
        return True

    def _forget(self, now_secs: float) -> None:
        while self._times:
            user_id = next(iter(self._times))
            if self._times[user_id][-1] > now_secs - WINDOW_SECS:
                return
            del self._times[user_id]
