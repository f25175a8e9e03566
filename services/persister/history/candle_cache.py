"""A cache of encoded candles, bounded by bytes; the entry that was unused for longest goes first."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from services.persister import metrics
from services.persister.history.spans import Span
from shared.runtime.clock import Clock

_ENTRY_BYTES: Final = 500
"""Memory of an entry besides its candles, about."""


@dataclass(frozen=True, slots=True)
class _Entry:
    data: bytes
    until: float
    """Time at which the entry ends, by the monotonic clock."""

    @property
    def size_bytes(self) -> int:
        return len(self.data) + _ENTRY_BYTES


class CandleCache:
    """Maps spans to encoded candles."""

    def __init__(self, clock: Clock, *, max_bytes: int) -> None:
        self._clock = clock
        self._max_bytes = max_bytes
        self._entries: OrderedDict[Span, _Entry] = OrderedDict()
        self._size_bytes = 0

    @property
    def size_bytes(self) -> int:
        """The memory in use, about."""
        return self._size_bytes

    def get(self, span: Span) -> bytes | None:
        """The candles of a span, unless they are not cached or too old."""
        entry = self._entries.get(span)
        if entry is not None and entry.until <= self._clock.monotonic():
            self._remove(span)
            entry = None
        metrics.CANDLE_CACHE.labels("miss" if entry is None else "hit").inc()
        if entry is None:
            return None
        self._entries.move_to_end(span)
        return entry.data

    def put(self, span: Span, data: bytes, *, for_secs: float) -> None:
        """Keep the candles of a span for `for_secs` seconds at most."""
        if span in self._entries:
            self._remove(span)
        entry = _Entry(data, self._clock.monotonic() + for_secs)
        if entry.size_bytes > self._max_bytes:
            return
        self._entries[span] = entry
        self._size_bytes += entry.size_bytes
        while self._size_bytes > self._max_bytes:
            self._remove(next(iter(self._entries)))
        metrics.CANDLE_CACHE_BYTES.set(self._size_bytes)

    def _remove(self, span: Span) -> None:
        self._size_bytes -= self._entries.pop(span).size_bytes
        metrics.CANDLE_CACHE_BYTES.set(self._size_bytes)
