"""How soon the next call may be made, within several limits at once."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallLimit:
    """At most `calls` in any `secs` seconds."""

    calls: int
    secs: float


class CallPacer:
    """Remembers the calls of the longest limit."""

    def __init__(self, limits: Sequence[CallLimit]) -> None:
        self._limits = tuple(limits)
        self._made: deque[float] = deque(maxlen=max(limit.calls for limit in limits))

    def take(self, now: float) -> float:
        """Reserve a call; how many seconds after `now` it may be made."""
        at = now
        for limit in self._limits:
            if len(self._made) >= limit.calls:
                at = max(at, self._made[-limit.calls] + limit.secs)
        self._made.append(at)
        return at - now
