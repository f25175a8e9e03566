"""Exponential backoff with full jitter. Pure."""

import random
from collections.abc import Callable
from typing import Final

_RANDOM: Final = random.Random()  # noqa: S311  (spreads load; protects no secret)
# A server that requests a longer pause does not have a live stream in mind.
_MAX_RETRY_AFTER_SECS: Final = 300.0


class Backoff:
    """Delays that double from `base_secs` to `cap_secs`, each drawn at random.

    Call `reset` after a success that lasted.
    """

    def __init__(
        self,
        base_secs: float = 0.5,
        cap_secs: float = 20.0,
        uniform: Callable[[float, float], float] = _RANDOM.uniform,
    ) -> None:
        self._base_secs = base_secs
        self._cap_secs = cap_secs
        self._uniform = uniform
        self._attempt = 0

    def next_secs(self, retry_after_secs: float | None = None, spread_secs: float = 0.0) -> float:
        """Return the delay before the next attempt, in seconds.

        The delay is at least `retry_after_secs` (up to 300 s). Its random part spans at least
        `spread_secs`, so that clients which were disconnected together do not return together.
        """
        ceiling = min(self._cap_secs, self._base_secs * 2.0 ** min(self._attempt, 32))
        ceiling = max(ceiling, spread_secs)
        self._attempt += 1
        delay_secs = self._uniform(ceiling / 10, ceiling)
        if retry_after_secs is None:
            return delay_secs
        return min(max(retry_after_secs, 0.0), _MAX_RETRY_AFTER_SECS) + delay_secs

    def reset(self) -> None:
        """Start again from the shortest delay."""
        self._attempt = 0


def parse_retry_after(header: str | None) -> float | None:
    """Return the seconds of a Retry-After header; None if it is absent or not a number."""
    return float(header) if header is not None and header.strip().isdecimal() else None
