"""Upstox's request limits: so many within a second, a minute, half an hour.

PURE: the time is an argument (monotonic seconds).
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

_MOST_USERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class CallLimits:
    """The most requests of one window each."""

    per_second: int
    per_minute: int
    per_half_hour: int

    def windows(self) -> tuple[tuple[float, int], ...]:
        """Seconds, and the most requests within them."""
        return (1.0, self.per_second), (60.0, self.per_minute), (1_800.0, self.per_half_hour)


class RateLimit:
    """Sliding windows; a request that is refused does not count."""

    def __init__(self) -> None:
        self._times: dict[str, deque[float]] = {}

    def allow(self, who: str, limits: CallLimits, now: float) -> bool:
        """Count a request of `who`; False if it is one too many."""
        times = self._times.get(who)
        if times is None:
            if len(self._times) >= _MOST_USERS:
                del self._times[next(iter(self._times))]
            times = self._times[who] = deque()
        longest = limits.windows()[-1][0]
        while times and times[0] <= now - longest:
            times.popleft()
        for seconds, most in limits.windows():
            # The oldest of the last `most` requests says whether the window is full.
            if len(times) >= most and times[-most] > now - seconds:
                return False
        times.append(now)
        return True
