"""Delays between attempts: exponential, capped, with full jitter."""

import random
from collections.abc import Callable
from typing import Final

_SYSTEM_RANDOM: Final = random.Random()  # noqa: S311  (spreads load; guards no secret)


class Backoff:
    """Yields the next delay in seconds; `reset` after a success that lasted.

    Full jitter: each delay is uniform between a tenth of min(cap, base * 2**attempt) and
    all of it, which spreads a crowd of clients better than a fixed delay with a little noise.
    """

    def __init__(
        self,
        base_secs: float = 0.2,
        cap_secs: float = 10.0,
        uniform: Callable[[float, float], float] = _SYSTEM_RANDOM.uniform,
    ) -> None:
        self._base_secs = base_secs
        self._cap_secs = cap_secs
        self._uniform = uniform
        self.attempt = 0

    def next_secs(self) -> float:
        """Delay before the next attempt, in seconds."""
        ceiling = min(self._cap_secs, self._base_secs * 2.0 ** min(self.attempt, 32))
        self.attempt += 1
        return self._uniform(ceiling / 10, ceiling)

    def reset(self) -> None:
        """Start again from the shortest delay."""
        self.attempt = 0
