"""What everybody wants: the pinned watchlist, and each gateway's last demand.

PURE: time is an argument (monotonic seconds).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.contracts.demand import DEMAND_TTL_SECS, Demand
from shared.contracts.subjects import key_to_tokens
from shared.errors import InvalidField

MOST_GATEWAYS: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Heard:
    demand: Demand
    at_secs: float


class Interest:
    """The union of all demands, counted by gateway; who falls silent wants nothing.

    A key that nobody wants any more lingers for `linger_secs`, so that turning a page or
    restarting a gateway ends no subscription.
    """

    def __init__(self, pinned: Sequence[str], *, linger_secs: float) -> None:
        self.pinned = tuple(dict.fromkeys(pinned))
        self._pinned = frozenset(self.pinned)
        self._linger_secs = linger_secs
        self._heard: dict[str, _Heard] = {}
        self._quotes: Counter[str] = Counter()
        self._depth: Counter[str] = Counter()
        self._lingering: dict[str, float] = {}
        self.malformed: set[str] = set()
        """Demanded, and no instrument keys at all."""

    def hear(self, demand: Demand, now_secs: float) -> bool:
        """A gateway's demand; True if that changes anything that has to be done or told."""
        known = self._heard.get(demand.gateway)
        if known is None and len(self._heard) >= MOST_GATEWAYS:
            return False
        self._heard[demand.gateway] = _Heard(demand, now_secs)
        if known is not None and known.demand == demand:
            return False
        if known is not None:
            self._drop(known.demand, now_secs)
        for key in _keys(demand):
            self._quotes[key] += 1
            self._lingering.pop(key, None)
        self._depth.update(set(demand.depth))
        self._note_malformed()
        return True

    def forget_silent(self, now_secs: float) -> bool:
        """Let go of what nobody has asked for lately; True if that changes anything."""
        silent = [one for one in self._heard.values() if now_secs - one.at_secs > DEMAND_TTL_SECS]
        for one in silent:
            del self._heard[one.demand.gateway]
            self._drop(one.demand, now_secs)
        over = [key for key, until in self._lingering.items() if until <= now_secs]
        for key in over:
            del self._lingering[key]
        if silent:
            self._note_malformed()
        return bool(silent or over)

    def _drop(self, demand: Demand, now_secs: float) -> None:
        for key in _keys(demand):
            _uncount(self._quotes, key)
            if key not in self._quotes:
                self._lingering[key] = now_secs + self._linger_secs
        for key in set(demand.depth):
            _uncount(self._depth, key)

    def _note_malformed(self) -> None:
        self.malformed = {key for key in self._quotes if not _is_key(key)}

    @property
    def seen(self) -> dict[str, int]:
        """By gateway, the `rev` of its last demand."""
        return {gateway: one.demand.rev for gateway, one in self._heard.items()}

    @property
    def demanded(self) -> list[str]:
        """What gateways want and is not pinned: most wanted first, then oldest wish first."""
        wanted = (key for key in self._quotes if key not in self._pinned)
        good = [key for key in wanted if key not in self.malformed]
        return sorted(good, key=lambda key: -self._quotes[key])

    @property
    def lingering(self) -> list[str]:
        """What nobody wants any more, but did a moment ago."""
        return [key for key in self._lingering if key not in self._pinned and _is_key(key)]

    @property
    def depth(self) -> frozenset[str]:
        """Whose order book is wanted."""
        return frozenset(self._depth)


def _keys(demand: Demand) -> set[str]:
    """Who wants an order book wants the quote as well: it comes in the same mode."""
    return {*demand.quotes, *demand.depth}


def _uncount(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


def _is_key(key: str) -> bool:
    try:
        key_to_tokens(key)
    except InvalidField:
        return False
    return True
