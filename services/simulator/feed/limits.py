"""Limits on the instruments and connections of one user, by mode and plan."""

from collections import Counter
from typing import Final, Literal, NamedTuple

from services.simulator.feed.modes import Mode

Plan = Literal["basic", "plus", "unlimited"]
"""The user's plan at Upstox; `unlimited` does not exist there, it is for load tests."""


class ModeLimit(NamedTuple):
    """Maximum number of instruments in a mode, alone and in combination with other modes."""

    alone: int
    mixed: int


_UNLIMITED: Final = 1 << 30
_BASIC_LIMITS: Final = {
    Mode.LTPC: ModeLimit(5_000, 2_000),
    Mode.OPTION_GREEKS: ModeLimit(3_000, 2_000),
    Mode.FULL: ModeLimit(2_000, 1_500),
    Mode.FULL_D30: ModeLimit(0, 0),
}
_MODE_LIMITS: Final[dict[Plan, dict[Mode, ModeLimit]]] = {
    "basic": _BASIC_LIMITS,
    "plus": _BASIC_LIMITS | {Mode.FULL_D30: ModeLimit(50, 1_500)},
    "unlimited": dict.fromkeys(Mode, ModeLimit(_UNLIMITED, _UNLIMITED)),
}
_MAX_CONNECTIONS: Final[dict[Plan, int]] = {"basic": 2, "plus": 5, "unlimited": _UNLIMITED}


class SubscriptionQuota:
    """Counts the instruments and connections of one user over all connections."""

    def __init__(self, plan: Plan) -> None:
        self._limits = _MODE_LIMITS[plan]
        self.max_connections = _MAX_CONNECTIONS[plan]
        self.connections = 0
        self._in_use: Counter[Mode] = Counter()

    def move(self, before: Mode | None, after: Mode | None) -> bool:
        """Change the mode of one instrument; None means not subscribed.

        Returns False, without a change, if the new mode exceeds a limit.
        """
        in_use = self._in_use.copy()
        if before is not None:
            in_use[before] -= 1
        if after is not None:
            in_use[after] += 1
            if not self._is_allowed(+in_use):
                return False
        self._in_use = +in_use
        return True

    def _is_allowed(self, in_use: Counter[Mode]) -> bool:
        if len(in_use) == 1:
            ((mode, number),) = in_use.items()
            return number <= self._limits[mode].alone
        return all(number <= self._limits[mode].mixed for mode, number in in_use.items())
