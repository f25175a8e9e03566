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

    Instruments of option chains that are not requested otherwise have a mode with a limit of its
    own. They are not subscribed if that would leave another key without quotes.
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
    options = dict.fromkeys(key for key in demand.chain_instruments if key not in ranked)
    has_room = len(ranked) - len(full_d30) <= limits.full_mixed
    greeks = dict.fromkeys(islice(options, limits.option_greeks if has_room else 0))
    is_mixed = full_d30 or greeks
    limit = limits.full_mixed + len(full_d30) if is_mixed else limits.full_alone
    chosen = list(islice(ranked, limit))
    no_capacity = (*islice(ranked, limit, None), *(key for key in options if key not in greeks))
    kept = ranked | greeks
    released = (key for key in demand.released if key in current and key not in kept)
    chosen += islice(released, limit - len(chosen))
    modes = {key: Mode.FULL_D30 if key in full_d30 else Mode.FULL for key in chosen}
    return Allocation(modes | dict.fromkeys(greeks, Mode.OPTION_GREEKS), no_capacity)


def _full_d30_keys(
    demand: InstrumentDemand, limits: ModeLimits, ranked: Iterable[str]
) -> frozenset[str]:
    """Keys to subscribe with 30 levels, those requested so first; none if that would leave another key without quotes."""
    if not limits.full_d30:
        return frozenset()
    keys = list(ranked)
    deep, others = demand.deep_keys, demand.depth_keys - demand.deep_keys
    # 30 levels are also better for the fills of paper orders, which need no more than five.
    wanted = (*(key for key in keys if key in deep), *(key for key in keys if key in others))
    chosen = frozenset(wanted[: limits.full_d30])
    return chosen if len(keys) - len(chosen) <= limits.full_mixed else frozenset()
