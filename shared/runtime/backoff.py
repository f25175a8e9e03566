"""Exponential backoff with a cap and full jitter."""

import random
from collections.abc import Callable
from typing import Final

_SYSTEM_RANDOM: Final = random.Random()  # noqa: S311  (spreads load; guards no secret)


class Backoff:
    """Computes the delay before the next attempt; call `reset` after a success.

    Each delay is drawn uniformly between a tenth of min(cap, base * 2**attempt) and all of it.
    This spreads the retries of many clients better than a fixed delay with a little noise.
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
        """The delay before the next attempt, in seconds; counts the attempt."""
        ceiling = min(self._cap_secs, self._base_secs * 2.0 ** min(self.attempt, 32))
        self.attempt += 1
        return self._uniform(ceiling / 10, ceiling)

    def reset(self) -> None:
        """Start again from the shortest delay."""
        self.attempt = 0
