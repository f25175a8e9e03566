"""Allocation of a connection's subscription limits to the instruments in demand.

PURE.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice

from services.ingest.demand.instrument_demand import InstrumentDemand
from services.ingest.demand.limits import Mode, ModeLimits


@dataclass(frozen=True, slots=True)
class Allocation:
    """The mode of each instrument to subscribe, and the keys that exceed the limits."""

    modes: dict[str, Mode]
    no_capacity: tuple[str, ...]


def allocate(
    demand: InstrumentDemand,
    limits: ModeLimits,
    *,
    current: Mapping[str, Mode],
    unknown: AbstractSet[str],
) -> Allocation:
    """Allocate by rank: the watchlist; requested keys that are subscribed (`current`); other
    requested keys; requested keys of which Upstox sends no data (`unknown`); released keys
    that are subscribed. Among keys of equal demand a subscribed key thus keeps its place.
    """
    requested = demand.requested
    available = [key for key in requested if key not in unknown]
    ranked = dict.fromkeys(
        (
            *demand.watchlist,
            *(key for key in available if key in current),
            *(key for key in available if key not in current),
            *(key for key in requested if key in unknown),
        )
    )
    full_d30 = _full_d30_keys(demand, limits, ranked)
    limit = limits.full_mixed + len(full_d30) if full_d30 else limits.full_alone
    chosen = list(islice(ranked, limit))
    no_capacity = tuple(islice(ranked, limit, None))
    released = (key for key in demand.released if key in current and key not in ranked)
    chosen += islice(released, limit - len(chosen))
    modes = {key: Mode.FULL_D30 if key in full_d30 else Mode.FULL for key in chosen}
    return Allocation(modes, no_capacity)


def _full_d30_keys(
    demand: InstrumentDemand, limits: ModeLimits, ranked: Iterable[str]
) -> frozenset[str]:
    """Keys to subscribe with 30 levels; none if that would leave another key without quotes."""
    if not limits.full_d30:
        return frozenset()
    keys = list(ranked)
    chosen = frozenset(islice((key for key in keys if key in demand.depth_keys), limits.full_d30))
    return chosen if len(keys) - len(chosen) <= limits.full_mixed else frozenset()
