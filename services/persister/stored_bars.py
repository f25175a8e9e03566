"""Bars that were stored and have to be published."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts.messages import Bar


@dataclass(frozen=True, slots=True)
class StoredBars:
    """Bars and notes that one transaction has stored."""

    bars: Sequence[Bar]
    notes: Sequence[str] = ()
    """Ids of the notes that these bars have to be published, stored in the same transaction."""
