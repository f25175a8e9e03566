"""A compact log of one instrument's one-minute candles.

The candles are packed into one array, because thousands of instruments have a log each.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

MinuteRow = tuple[int, int, int, int, int, int, int]
"""Start (epoch ms), open, high, low, close (paise), volume, open interest."""
_WIDTH: Final = 7


class MinuteLog:
    """Rows in order of time; a minute without a trade has no row."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells = array("q")

    def append(self, row: MinuteRow) -> None:
        """Add a completed minute."""
        self._cells.extend(row)

    def between(self, from_ms: int, to_ms: int) -> Iterator[MinuteRow]:
        """Rows with `from_ms` <= start < `to_ms`."""
        starts = self._cells[::_WIDTH]
        first, last = bisect_left(starts, from_ms), bisect_left(starts, to_ms)
        for at in range(first * _WIDTH, last * _WIDTH, _WIDTH):
            start, opened, high, low, close, volume, interest = self._cells[at : at + _WIDTH]
            yield start, opened, high, low, close, volume, interest

    def __len__(self) -> int:
        return len(self._cells) // _WIDTH
