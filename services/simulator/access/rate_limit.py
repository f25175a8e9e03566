"""Upstox's rate limits: sliding windows of a second, a minute and half an hour.

Time is an argument, in monotonic seconds.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

_MAX_CALLERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The maximum number of requests in each window."""

    per_second: int
    per_minute: int
    per_half_hour: int

    def windows(self) -> tuple[tuple[float, int], ...]:
        """Length in seconds and maximum number of requests of each window, shortest first."""
        return (1.0, self.per_second), (60.0, self.per_minute), (1_800.0, self.per_half_hour)


class SlidingWindowLimiter:
    """Counts the requests of each caller; a refused request does not count."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}

    def allow(self, caller: str, limits: RateLimits, now: float) -> bool:
        """Count a request of `caller`; False if it exceeds one of the limits."""
        times = self._times.get(caller)
        if times is None:
            if len(self._times) >= _MAX_CALLERS:
                del self._times[next(iter(self._times))]
            times = self._times[caller] = deque()
        longest = limits.windows()[-1][0]
        while times and times[0] <= now - longest:
            times.popleft()
        for seconds, max_requests in limits.windows():
            # The window is full if the oldest of the last `max_requests` requests lies in it.
            if len(times) >= max_requests and times[-max_requests] > now - seconds:
                return False
        times.append(now)
        return True
