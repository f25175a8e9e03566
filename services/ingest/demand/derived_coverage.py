"""Order books of 30 levels and option chains that are not live, by their instruments.

PURE.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from services.ingest.demand.instrument_demand import InstrumentDemand
from services.ingest.demand.limits import Mode, ModeLimits
from shared.contracts.demand import DEEP_SUFFIX


@dataclass(slots=True)
class NotLive:
    """Keys in demand that are not live, by reason."""

    pending: set[str] = field(default_factory=set)
    no_capacity: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    needs_plus: set[str] = field(default_factory=set)

    def add_deep_books(
        self, demand: InstrumentDemand, limits: ModeLimits, modes: Mapping[str, Mode]
    ) -> None:
        """Add the order books of 30 levels; the instruments have been added before."""
        for key in demand.deep_keys:
            deep = key + DEEP_SUFFIX
            if not limits.full_d30:
                self.needs_plus.add(deep)
            elif key in self.unknown:
                self.unknown.add(deep)
            elif key in self.pending:
                self.pending.add(deep)
            elif modes.get(key) is not Mode.FULL_D30:
                self.no_capacity.add(deep)

    def add_chain(self, chain: str, keys: Collection[str]) -> None:
        """Add a chain if an option of it exceeds the limits, or none has data."""
        if not self.no_capacity.isdisjoint(keys):
            self.no_capacity.add(chain)
        elif self.unknown.issuperset(keys):
            self.unknown.add(chain)
        elif (self.pending | self.unknown).issuperset(keys):
            self.pending.add(chain)
