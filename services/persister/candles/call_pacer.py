"""Spaces calls so that several limits on their rate hold at once."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallLimit:
    """At most `calls` within any `secs` seconds."""

    calls: int
    secs: float


class CallPacer:
    """Reserves a time for each call.

    Remembers as many calls as the largest limit allows.
    """

    def __init__(self, limits: Sequence[CallLimit]) -> None:
        self._limits = tuple(limits)
        self._reserved: deque[float] = deque(maxlen=max(limit.calls for limit in limits))

    def delay_secs(self, now: float) -> float:
        """How many seconds after `now` the next call may be made, if it were reserved."""
        at = now
        for limit in self._limits:
            if len(self._reserved) >= limit.calls:
                at = max(at, self._reserved[-limit.calls] + limit.secs)
        return at - now

    def reserve(self, now: float) -> float:
        """Reserve a call. Returns how many seconds after `now` it may be made."""
        delay_secs = self.delay_secs(now)
        self._reserved.append(now + delay_secs)
        return delay_secs
