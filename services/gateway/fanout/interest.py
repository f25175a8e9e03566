"""The instruments that this gateway demands of ingest, and the outcome for each of them."""

from collections.abc import Iterable
from enum import StrEnum
from itertools import chain

from shared.contracts.demand import (
    DEMAND_TTL_SECS,
    MAX_CHAINS,
    MAX_KEYS,
    Coverage,
    Demand,
    ModeUse,
    fitting_keys,
    instrument_of,
)


class Outcome(StrEnum):
    """The result of a subscription to one key."""

    LIVE = "live"
    """The feed carries it. Its last message follows at once, if there is one."""
    PENDING = "pending"
    """Requested of the feed; another outcome follows."""
    NO_CAPACITY = "no_capacity"
    """The feed is full. Delivery begins when capacity becomes free."""
    UNKNOWN = "unknown"
    """No such instrument; in the answer to an unsubscribe: not subscribed."""
    NEEDS_PLUS = "needs_plus"
    """The plan of the Upstox account has no order books of 30 levels."""
    REMOVED = "removed"
    """Unsubscribed."""


class Interest:
    """The gateway's current demand, and each key's outcome by ingest's last coverage."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._rev = 0
        self._quotes: list[str] = []
        self._depth: list[str] = []
        self._chains: list[str] = []
        self._since: dict[str, int] = {}
        """By key, the `rev` of the demand since which the key has always been in it."""
        self._beyond_capacity: frozenset[str] = frozenset()
        """Keys that clients subscribe to and that exceed the size of a demand."""
        self._coverage: Coverage | None = None
        self._coverage_at = float("-inf")
        self._not_live: dict[str, Outcome] = {}
        self._reported: dict[str, Outcome | None] = {}
        """The last outcome reported to clients, by key; None if clients got different ones."""

    def want(self, quotes: Iterable[str], depth: Iterable[str], chains: Iterable[str] = ()) -> bool:
        """Replace the demand by what clients subscribe to now; True if it has changed.

        If the new demand is too large, keys of the last one take precedence, and keys that are
        no instruments yield to all others.
        """
        unknown = {key for key, outcome in self._not_live.items() if outcome is Outcome.UNKNOWN}
        quote_keys, wanted_depth, wanted_chains = set(quotes), set(depth), set(chains)
        depth_keys = fitting_keys(
            wanted_depth, MAX_KEYS // 2, preferred=set(self._depth), last=unknown
        )
        chain_keys = fitting_keys(
            wanted_chains, MAX_CHAINS, preferred=set(self._chains), last=unknown
        )
        candidates = quote_keys.union(map(instrument_of, depth_keys))
        demanded = fitting_keys(
            candidates, MAX_KEYS - len(depth_keys), preferred=self._since, last=unknown
        )
        in_demand = [*demanded, *depth_keys, *chain_keys]
        all_keys = quote_keys | wanted_depth | wanted_chains
        self._beyond_capacity = frozenset(all_keys.difference(in_demand))
        self._reported = {key: self._reported[key] for key in all_keys if key in self._reported}
        if (demanded, depth_keys, chain_keys) == (self._quotes, self._depth, self._chains):
            return False
        self._rev += 1
        self._quotes, self._depth, self._chains = demanded, depth_keys, chain_keys
        self._since = {key: self._since.get(key, self._rev) for key in in_demand}
        return True

    def demand(self) -> Demand:
        """The message to publish."""
        return Demand(
            gateway=self._gateway,
            rev=self._rev,
            quotes=self._quotes,
            depth=self._depth,
            chains=self._chains,
        )

    def apply(self, coverage: Coverage, now: float) -> dict[str, Outcome]:
        """Store ingest's coverage; returns the outcomes that differ from the reported ones."""
        self._coverage = coverage
        self._coverage_at = now
        self._not_live = (
            dict.fromkeys(coverage.pending, Outcome.PENDING)
            | dict.fromkeys(coverage.no_capacity, Outcome.NO_CAPACITY)
            | dict.fromkeys(coverage.unknown, Outcome.UNKNOWN)
            | dict.fromkeys(coverage.needs_plus, Outcome.NEEDS_PLUS)
        )
        changed = {
            key: outcome
            for key in chain(self._since, self._beyond_capacity)
            if (outcome := self._covered(key)) is not None
            and self._reported.get(key) is not outcome
        }
        self._reported |= changed
        return changed

    def outcome(self, key: str, now: float, *, is_known: bool) -> Outcome:
        """The outcome to report for a new subscription; `is_known`: it has a last quote."""
        outcome = self.known_outcome(key, now)
        if outcome is None:
            outcome = Outcome.LIVE if is_known else Outcome.PENDING
        is_same = self._reported.get(key, outcome) is outcome
        self._reported[key] = outcome if is_same else None
        return outcome

    def known_outcome(self, key: str, now: float) -> Outcome | None:
        """The outcome of a key by the last coverage; None if it says nothing of the key."""
        if key in self._beyond_capacity or now - self._coverage_at < DEMAND_TTL_SECS:
            return self._covered(key)
        return None

    def counts(self) -> dict[str, int]:
        """How many keys have each outcome; those that no coverage considers yet are pending."""
        counts = dict.fromkeys(Outcome, 0)
        del counts[Outcome.REMOVED]  # the answer to an unsubscribe
        for key in chain(self._since, self._beyond_capacity):
            counts[self._covered(key) or Outcome.PENDING] += 1
        return {outcome.value: count for outcome, count in counts.items()}

    @property
    def modes(self) -> dict[str, ModeUse]:
        """How much of Upstox's modes ingest uses, by the last coverage; empty if it told nothing."""
        return {} if self._coverage is None else self._coverage.modes

    def _covered(self, key: str) -> Outcome | None:
        """The outcome by the last coverage; None if that coverage does not consider `key`."""
        if key in self._beyond_capacity:
            return Outcome.NO_CAPACITY
        if self._coverage is None:
            return None
        outcome = self._not_live.get(key)
        if outcome is not None:
            return outcome
        since = self._since.get(key)
        if since is None or self._coverage.seen.get(self._gateway, -1) < since:
            return None
        return Outcome.LIVE
