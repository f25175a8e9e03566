"""The instruments in demand: the watchlist and the last demand of each gateway.

PURE: time is an argument (monotonic seconds).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.contracts.demand import DEMAND_TTL_SECS, Demand, instrument_of, is_deep_key
from shared.contracts.option_chains import ChainKey
from shared.contracts.subjects import key_to_tokens
from shared.errors import InvalidField

MAX_GATEWAYS: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Received:
    demand: Demand
    at_secs: float


class InstrumentDemand:
    """The union of all demands. A key counts once for each gateway that requests it.

    A key that no gateway requests any more is released: its subscription may continue for
    `linger_secs`. Turning a page or restarting a gateway therefore ends no subscription.
    """

    def __init__(self, watchlist: Sequence[str], *, linger_secs: float) -> None:
        self.watchlist = tuple(dict.fromkeys(watchlist))
        """Keys that are always subscribed, in order."""
        self._watchlist = frozenset(self.watchlist)
        self._linger_secs = linger_secs
        self._received: dict[str, _Received] = {}
        self._quotes: Counter[str] = Counter()
        self._depth: Counter[str] = Counter()
        self._deep: Counter[str] = Counter()
        self._chains: Counter[str] = Counter()
        self._released: dict[str, float] = {}
        self.malformed: set[str] = set()
        """Requested strings that are no keys."""
        self.chains: list[ChainKey] = []
        """Option chains that gateways request; those of more gateways come first."""
        self.chain_instruments: tuple[str, ...] = ()
        """The options in the windows of the chains, those of the most wanted chains first."""

    def update(self, demand: Demand, now_secs: float) -> bool:
        """Replace a gateway's demand; True if the union or a revision has changed.

        The demand of a new gateway is ignored while MAX_GATEWAYS others are active.
        """
        last = self._received.get(demand.gateway)
        if last is None and len(self._received) >= MAX_GATEWAYS:
            return False
        self._received[demand.gateway] = _Received(demand, now_secs)
        if last is not None and last.demand == demand:
            return False
        if last is not None:
            self._subtract(last.demand, now_secs)
        for key in _keys(demand):
            self._quotes[key] += 1
            self._released.pop(key, None)
        self._depth.update({instrument_of(key) for key in demand.depth})
        self._deep.update(_deep_keys(demand))
        self._chains.update(set(demand.chains))
        self._review_keys()
        return True

    def set_chain_instruments(self, keys: Iterable[str]) -> bool:
        """Replace `chain_instruments`; True if they have changed."""
        before, self.chain_instruments = self.chain_instruments, tuple(keys)
        return before != self.chain_instruments

    def expire(self, now_secs: float) -> bool:
        """Drop silent gateways and released keys whose time is over; True if any was dropped."""
        silent = [
            last for last in self._received.values() if now_secs - last.at_secs > DEMAND_TTL_SECS
        ]
        for last in silent:
            del self._received[last.demand.gateway]
            self._subtract(last.demand, now_secs)
        ended = [key for key, until_secs in self._released.items() if until_secs <= now_secs]
        for key in ended:
            del self._released[key]
        if silent:
            self._review_keys()
        return bool(silent or ended)

    def _subtract(self, demand: Demand, now_secs: float) -> None:
        for key in _keys(demand):
            _decrement(self._quotes, key)
            if key not in self._quotes:
                self._released[key] = now_secs + self._linger_secs
        for key in {instrument_of(key) for key in demand.depth}:
            _decrement(self._depth, key)
        for key in _deep_keys(demand):
            _decrement(self._deep, key)
        for key in set(demand.chains):
            _decrement(self._chains, key)

    def _review_keys(self) -> None:
        chains = {key: _chain(key) for key, _ in self._chains.most_common()}
        self.chains = [chain for chain in chains.values() if chain is not None]
        self.malformed = {key for key in self._quotes if not _is_key(key)}
        self.malformed.update(key for key, chain in chains.items() if chain is None)

    @property
    def revisions(self) -> dict[str, int]:
        """By gateway, the `rev` of its last demand."""
        return {gateway: last.demand.rev for gateway, last in self._received.items()}

    @property
    def requested(self) -> list[str]:
        """Keys outside the watchlist that gateways request.

        Keys with more gateways come first, then keys that were requested earlier.
        """
        keys = [
            key for key in self._quotes if key not in self._watchlist and key not in self.malformed
        ]
        return sorted(keys, key=lambda key: -self._quotes[key])

    @property
    def released(self) -> list[str]:
        """Keys outside the watchlist that no gateway requests any more, for `linger_secs`."""
        return [key for key in self._released if key not in self._watchlist and _is_key(key)]

    @property
    def depth_keys(self) -> frozenset[str]:
        """Keys whose order book is requested."""
        return frozenset(self._depth)

    @property
    def deep_keys(self) -> frozenset[str]:
        """Keys whose order book of 30 levels is requested."""
        return frozenset(self._deep)


def _keys(demand: Demand) -> set[str]:
    """Every instrument of a demand. An order book comes in the same mode as a quote, so implies it,
    and a chain needs the price of its underlying.
    """
    chains = filter(None, map(_chain, demand.chains))
    underlyings = (chain.underlying for chain in chains)
    return {*demand.quotes, *map(instrument_of, demand.depth), *underlyings}


def _deep_keys(demand: Demand) -> set[str]:
    return {instrument_of(key) for key in demand.depth if is_deep_key(key)}


def _chain(key: str) -> ChainKey | None:
    """None if the key is malformed."""
    try:
        return ChainKey.parse(key)
    except InvalidField:
        return None


def _decrement(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


def _is_key(key: str) -> bool:
    try:
        key_to_tokens(key)
    except InvalidField:
        return False
    return True
