"""The one-minute candles of one instrument's day, packed: thousands of instruments have one."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

Row = tuple[int, int, int, int, int, int, int]
"""Start (epoch ms), open, high, low, close (paise), volume, open interest."""
_WIDTH: Final = 7


class MinuteLog:
    """Rows in the order of time; a minute without a trade has none."""

    __slots__ = ("_cells",)

    def __init__(self) -> None:
        self._cells = array("q")

    def append(self, row: Row) -> None:
        """Add a minute that is over."""
        self._cells.extend(row)

    def between(self, from_ms: int, to_ms: int) -> Iterator[Row]:
        """Rows with `from_ms` <= start < `to_ms`."""
        starts = self._cells[::_WIDTH]
        first, last = bisect_left(starts, from_ms), bisect_left(starts, to_ms)
        for at in range(first * _WIDTH, last * _WIDTH, _WIDTH):
            start, opened, high, low, close, volume, interest = self._cells[at : at + _WIDTH]
            yield start, opened, high, low, close, volume, interest

    def __len__(self) -> int:
        return len(self._cells) // _WIDTH
