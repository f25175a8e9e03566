"""How many instruments one user may listen to, by mode, over all connections.

PURE: no sockets.
"""

from collections import Counter
from typing import Final, Literal, NamedTuple

from services.simulator.feed.modes import Mode

Plan = Literal["basic", "plus", "unlimited"]
"""What the user has booked; the last is not Upstox's, but for load tests."""


class Limit(NamedTuple):
    """Most instruments in a mode: when it is the only one in use, and beside others."""

    alone: int
    mixed: int


_LIMITS: Final = {
    Mode.LTPC: Limit(5_000, 2_000),
    Mode.OPTION_GREEKS: Limit(3_000, 2_000),
    Mode.FULL: Limit(2_000, 1_500),
    Mode.FULL_D30: Limit(0, 0),
}
_ENDLESS: Final = 1 << 30
_LIMITS_OF: Final[dict[Plan, dict[Mode, Limit]]] = {
    "basic": _LIMITS,
    "plus": _LIMITS | {Mode.FULL_D30: Limit(50, 1_500)},
    "unlimited": dict.fromkeys(Mode, Limit(_ENDLESS, _ENDLESS)),
}
_CONNECTIONS_OF: Final[dict[Plan, int]] = {"basic": 2, "plus": 5, "unlimited": _ENDLESS}


class Quota:
    """What one user has subscribed to, against what the user may."""

    def __init__(self, plan: Plan) -> None:
        self._limits = _LIMITS_OF[plan]
        self.most_connections = _CONNECTIONS_OF[plan]
        self.connections = 0
        self._in_use: Counter[Mode] = Counter()

    def move(self, before: Mode | None, after: Mode | None) -> bool:
        """Subscribe one instrument (None before), end it (None after) or change its mode.

        False, and nothing done, if that is beyond a limit.
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
