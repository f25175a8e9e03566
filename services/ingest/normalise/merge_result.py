"""Result of merging one message of the feed."""

from dataclasses import dataclass, field

from services.ingest.normalise.instrument_state import InstrumentState
from shared.contracts.messages import Candle


@dataclass(slots=True)
class MergeResult:
    """The changes that one message has made."""

    updated: list[InstrumentState] = field(default_factory=list)
    candles: list[tuple[bytes, Candle]] = field(default_factory=list)
    """New completed minutes, each with its subject."""
    bad_fields: list[tuple[str, str, object]] = field(default_factory=list)
    """Instrument key, field and value of each value out of range."""
    missed_trades: bool = False
    """Whether a snapshot shows that trades were missed since the instrument's last update."""
