"""How long to wait before the next attempt: longer each time, and never all at once. Pure."""

import random
from collections.abc import Callable
from typing import Final

_RANDOM: Final = random.Random()  # noqa: S311  (spreads load; guards no secret)
# Whoever asks for more does not know how we are used.
_LONGEST_ADVICE_SECS: Final = 300.0


class Backoff:
    """Exponential, capped, with full jitter; `reset` after a success that lasted."""

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

    def next_secs(self, advised_secs: float | None = None, spread_secs: float = 0.0) -> float:
        """Delay before the next attempt: not before the other side said it may work again,
        and with others who wait as long spread over `spread_secs` at least.
        """
        ceiling = min(self._cap_secs, self._base_secs * 2.0 ** min(self._attempt, 32))
        ceiling = max(ceiling, spread_secs)
        self._attempt += 1
        delay_secs = self._uniform(ceiling / 10, ceiling)
        if advised_secs is None:
            return delay_secs
        return min(max(advised_secs, 0.0), _LONGEST_ADVICE_SECS) + delay_secs

    def reset(self) -> None:
        """Start again from the shortest delay."""
        self._attempt = 0


def retry_after_secs(header: str | None) -> float | None:
    """What a Retry-After header asks for; None if there is none, or one that is no number."""
    return float(header) if header is not None and header.strip().isdecimal() else None
