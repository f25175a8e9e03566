"""Reads bars straight from the driver's raw batches: all that are laid out alike in one go.

A month of an instrument is some 1 700 documents that differ in their values alone. A look at
one tells where those are in all of them; to make a dict of each first takes twice as long.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import repeat
from operator import attrgetter
from struct import Struct
from typing import Final, NamedTuple

import bson
import msgspec

from shared.contracts.history import HistoryBar
from shared.contracts.messages import BarState
from shared.market.exchange_time import WINDOW_MS

# In the order in which they are stored. Not `start`: a date costs more than all the rest of a
# bar, and `_id` has it as a number.
SHOWN: Final = (
    "_id", "open", "high", "low", "close", "volume", "oi", "ticks", "state", "silent_ms"
)  # fmt: skip
_SIZE: Final = Struct("<i")
_STATES: Final = {state.value.encode(): state for state in BarState}


def _price(name: str) -> str:
    return rf"\x01{name}\0(?P<{name}_d>.{{8}})"


def _whole(name: str, otherwise: str = "") -> str:
    return rf"(?:\x10{name}\0(?P<{name}_i>.{{4}})|\x12{name}\0(?P<{name}_q>.{{8}}){otherwise})"


def _whole_or_null(name: str) -> str:
    return _whole(name, rf"|\x0a{name}\0")


# A document by https://bsonspec.org/spec.html; values are named for a field and its `struct` type.
_ROW: Final = re.compile(
    (
        r"....\x02_id\0....[^\0]*\|(?P<_id_13s>[0-9]{13})\0"
        + "".join(_price(name) for name in ("open", "high", "low", "close"))
        + _whole_or_null("volume")
        + _whole_or_null("oi")
        + _whole("ticks")
        + r"\x02state\0....(?:(?P<state_7s>partial)|(?P<state_8s>complete|repaired))\0"
        + _whole("silent_ms")
        + r"\0"
    ).encode(),
    re.DOTALL,
)


def bars_of(batch: bytes) -> list[HistoryBar]:
    """The bars of a batch of documents with the fields of `SHOWN`, oldest first."""
    if not batch:
        return []
    bars = _alike(batch)
    if bars is None:
        bars = []
        for rows in _by_size(batch):
            bars += _alike(rows) or _one_by_one(rows)
        bars.sort(key=attrgetter("start"))
    return bars


def _alike(rows: bytes) -> list[HistoryBar] | None:
    """Of rows that are all laid out as the first is; None if they are not."""
    layout = _layout(rows[: _size_bytes(rows, 0)])
    return list(layout.bars(rows)) if layout is not None and layout.fits(rows) else None


def _size_bytes(batch: bytes, at: int) -> int:
    size_bytes: int
    (size_bytes,) = _SIZE.unpack_from(batch, at)
    return size_bytes


def _by_size(batch: bytes) -> Iterator[bytes]:
    """Rows of the same size, most likely laid out alike, without what is between them."""
    rows: dict[int, list[bytes]] = defaultdict(list)
    at = 0
    while at < len(batch):
        size_bytes = _size_bytes(batch, at)
        rows[size_bytes].append(batch[at : at + size_bytes])
        at += size_bytes
    return map(b"".join, rows.values())


class _Layout(NamedTuple):
    """Where the values of a row are, and what surrounds them."""

    values: Struct
    absent: frozenset[str]
    """The fields that are null."""
    fixed: list[tuple[int, int]]
    """Places in a row, and the byte that is there: of names, types, lengths."""

    def fits(self, rows: bytes) -> bool:
        """Whether all of them are laid out like this: that their sizes agree may be chance."""
        count, rest = divmod(len(rows), self.values.size)
        return rest == 0 and all(
            rows[at :: self.values.size] == bytes((byte,)) * count for at, byte in self.fixed
        )

    def bars(self, rows: bytes) -> Iterator[HistoryBar]:
        """Of rows that fit."""
        found = zip(*self.values.iter_unpack(rows), strict=True)
        columns = [repeat(None) if name in self.absent else next(found) for name in SHOWN]
        for start_digits, open_, high, low, close, volume, oi, ticks, state, silent_ms in zip(
            *columns, strict=False
        ):
            start = int(start_digits)
            yield HistoryBar(
                start=start, end=start + WINDOW_MS, open=open_, high=high, low=low, close=close,
                volume=volume, oi=oi, ticks=ticks, state=_STATES[state], silent_ms=silent_ms,
            )  # fmt: skip


def _layout(row: bytes) -> _Layout | None:
    """That of `row`, or None for one that is not as the persister stores it."""
    match = _ROW.fullmatch(row)
    if match is None:
        return None
    form, at, present = "<", 0, set()
    fixed: list[tuple[int, int]] = []
    for group in _ROW.groupindex:
        begin, end = match.span(group)
        if begin < 0:
            continue
        name, _, kind = group.rpartition("_")
        present.add(name)
        form += f"{begin - at}x{kind}"
        fixed += enumerate(row[at:begin], at)
        at = end
    form += f"{len(row) - at}x"
    fixed += enumerate(row[at:], at)
    return _Layout(Struct(form), frozenset(SHOWN) - present, fixed)


def _one_by_one(rows: bytes) -> list[HistoryBar]:
    documents = bson.decode_all(rows)
    for document in documents:
        document["start"] = start = int(document["_id"].rpartition("|")[2])
        document["end"] = start + WINDOW_MS
    return msgspec.convert(documents, list[HistoryBar])
