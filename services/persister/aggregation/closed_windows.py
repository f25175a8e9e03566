"""The windows that have closed: their bars, their gaps and the checkpoint that belongs to them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from services.persister.aggregation.checkpoint import InstrumentGap
from shared.contracts.history import GapReason
from shared.contracts.messages import Bar


@dataclass(frozen=True, slots=True)
class WindowGap:
    """Whole windows in `[start_ms, end_ms)` in which trades of `keys` may be missing."""

    start_ms: int
    end_ms: int
    reason: GapReason
    keys: tuple[str, ...]


BarPlace = tuple[str, int]
"""Instrument key and start of a bar, epoch ms."""


class AmendedBars(NamedTuple):
    """Bars that are new or have changed, the oldest first."""

    bars: tuple[Bar, ...]
    doubted: frozenset[BarPlace]
    """Of `bars`, those that were complete before and are partial now."""


@dataclass(frozen=True, slots=True)
class ClosedWindows:
    """Bars and gaps of windows that have closed, and the checkpoint to resume from."""

    until_ms: int
    """Exchange time up to which all windows are closed, epoch ms."""
    bars: tuple[Bar, ...]
    gaps: tuple[WindowGap, ...]
    checkpoint: bytes
    doubted: frozenset[BarPlace] = frozenset()
    """Of `bars`, those that were complete before and are partial now."""


def gaps_by_window(gaps: Iterable[InstrumentGap]) -> tuple[WindowGap, ...]:
    """Gaps of the same windows and reason as one gap, in the order of their windows."""
    keys: dict[tuple[int, int, GapReason], set[str]] = defaultdict(set)
    for gap in gaps:
        keys[gap.start_ms, gap.end_ms, gap.reason].add(gap.key)
    return tuple(WindowGap(*windows, tuple(sorted(keys[windows]))) for windows in sorted(keys))
