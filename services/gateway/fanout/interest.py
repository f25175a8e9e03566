"""What this gateway asks of ingest, and what has become of each instrument it asked for."""

from collections.abc import Container, Iterable
from collections.abc import Set as AbstractSet
from enum import StrEnum

from shared.contracts.demand import DEMAND_TTL_SECS, MAX_KEYS, Coverage, Demand


class Outcome(StrEnum):
    """What became of one key of a subscription."""

    LIVE = "live"
    """The feed carries it; its last message, if one is known, follows at once."""
    PENDING = "pending"
    """Asked of the feed; another outcome follows."""
    NO_CAPACITY = "no_capacity"
    """The feed is full; it begins when somebody else lets go."""
    UNKNOWN = "unknown"
    """No such instrument, or, in unsubscribe, not subscribed."""
    REMOVED = "removed"
    """Unsubscribed."""


class Interest:
    """The demand as it changes, and the outcome of each key by ingest's last word on it."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._rev = 0
        self._quotes: list[str] = []
        self._depth: list[str] = []
        self._since: dict[str, int] = {}
        """By key, the `rev` of the first demand that has named it ever since."""
        self._beyond: frozenset[str] = frozenset()
        self._coverage: Coverage | None = None
        self._heard_at = float("-inf")
        self._not_live: dict[str, Outcome] = {}
        self._said: dict[str, Outcome | None] = {}
        """What clients were told of each key last; None if not all were told the same."""

    def want(self, quotes: Iterable[str], depth: Iterable[str]) -> bool:
        """Everything that clients ask for now; whether that is a change.

        If that is more than can be demanded, what was demanded before keeps its place.
        """
        wanted_depth = _first_come(set(depth), set(self._depth), MAX_KEYS // 2)
        wanted = set(quotes).union(wanted_depth)
        kept = _first_come(wanted, self._since, MAX_KEYS - len(wanted_depth))
        self._beyond = frozenset(wanted.difference(kept))
        self._said = {key: self._said[key] for key in wanted if key in self._said}
        if kept == self._quotes and wanted_depth == self._depth:
            return False
        self._rev += 1
        self._quotes, self._depth = kept, wanted_depth
        self._since = {key: self._since.get(key, self._rev) for key in kept}
        return True

    def demand(self) -> Demand:
        """What to tell ingest."""
        return Demand(gateway=self._gateway, rev=self._rev, quotes=self._quotes, depth=self._depth)

    def hear(self, coverage: Coverage, now: float) -> dict[str, Outcome]:
        """Ingest's word on what is demanded; the keys of which clients were told otherwise."""
        self._coverage = coverage
        self._heard_at = now
        self._not_live = (
            dict.fromkeys(coverage.pending, Outcome.PENDING)
            | dict.fromkeys(coverage.no_capacity, Outcome.NO_CAPACITY)
            | dict.fromkeys(coverage.unknown, Outcome.UNKNOWN)
        )
        changed = {
            key: outcome
            for key in self._since
            if (outcome := self._told(key)) is not None and self._said.get(key) is not outcome
        }
        self._said |= changed
        return changed

    def outcome(self, key: str, now: float, *, is_known: bool) -> Outcome:
        """What a client is told that asks for `key`; `is_known`: there is a last quote of it."""
        told = self._told(key) if now - self._heard_at < DEMAND_TTL_SECS else None
        if key in self._beyond:
            told = Outcome.NO_CAPACITY
        elif told is None:
            told = Outcome.LIVE if is_known else Outcome.PENDING
        self._said[key] = told if self._said.get(key, told) is told else None
        return told

    def _told(self, key: str) -> Outcome | None:
        """What ingest has said of `key`; None if it has not considered it yet."""
        if self._coverage is None:
            return None
        outcome = self._not_live.get(key)
        if outcome is not None:
            return outcome
        since = self._since.get(key)
        if since is None or self._coverage.seen.get(self._gateway, -1) < since:
            return None
        return Outcome.LIVE


def _first_come(wanted: AbstractSet[str], had: Container[str], most: int) -> list[str]:
    """At most so many of what is wanted, sorted."""
    if len(wanted) <= most:
        return sorted(wanted)
    return sorted(sorted(wanted, key=lambda key: (key not in had, key))[:most])
