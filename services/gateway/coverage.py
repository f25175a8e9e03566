"""What this gateway asks of ingest, and what has become of each instrument it asked for."""

from collections.abc import Iterable

from services.gateway.protocol import Outcome
from shared.demand import FORGET_SECS, MOST_KEYS, Coverage, Demand


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

    def want(self, quotes: Iterable[str], depth: Iterable[str]) -> bool:
        """Everything that clients ask for now; whether that is a change."""
        wanted_depth = sorted(set(depth))[: MOST_KEYS // 2]
        wanted = sorted(set(quotes).union(wanted_depth))
        kept = wanted[: MOST_KEYS - len(wanted_depth)]
        self._beyond = frozenset(wanted[len(kept) :])
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
        """Ingest's word on what is demanded; the keys of ours whose outcome it changes."""
        before = {key: self._told(key) for key in self._since}
        self._coverage = coverage
        self._heard_at = now
        self._not_live = (
            dict.fromkeys(coverage.pending, Outcome.PENDING)
            | dict.fromkeys(coverage.no_capacity, Outcome.NO_CAPACITY)
            | dict.fromkeys(coverage.unknown, Outcome.UNKNOWN)
        )
        return {
            key: outcome
            for key, was in before.items()
            if (outcome := self._told(key)) is not was and outcome is not None
        }

    def outcome(self, key: str, now: float, *, is_known: bool) -> Outcome:
        """What to tell a client that asks for `key`; `is_known`: there is a last quote of it."""
        if key in self._beyond:
            return Outcome.NO_CAPACITY
        told = self._told(key) if now - self._heard_at < FORGET_SECS else None
        if told is not None:
            return told
        return Outcome.LIVE if is_known else Outcome.PENDING

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
