"""Decodes bars from the driver's raw batches, all rows of one layout with a single `struct`.

A month of an instrument is some 1 700 documents that differ only in their values. The layout of
one document gives the places of the values in all of them. Decoding each document to a dict first
takes twice as long.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import repeat
from operator import attrgetter
from struct import Struct
from typing import Any, Final, NamedTuple

import bson
import msgspec
from bson.codec_options import CodecOptions, DatetimeConversion

from shared.contracts.history import BarSource, HistoryBar, HistoryBarState
from shared.market.exchange_time import WINDOW_MS

# In the order in which they are stored. `start` is read from `_id`, where it is a number: decoding
# a date costs more than all the rest of a bar.
PROJECTED_FIELDS: Final = (
    "_id", "open", "high", "low", "close", "ltq", "ltt", "volume", "vtt", "atp", "oi", "ticks",
    "state", "silent_ms", "source",
)  # fmt: skip
_SIZE: Final = Struct("<i")
_DATES_AS_MS: Final[CodecOptions[dict[str, Any]]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_MS
)
_STATES: Final = {state.value.encode(): state for state in HistoryBarState}
_SOURCES: Final[dict[bytes | None, BarSource | None]] = {
    None: None, **{source.value.encode(): source for source in BarSource}
}  # fmt: skip


def _price(name: str) -> str:
    return rf"\x01{name}\0(?P<{name}_d>.{{8}})"


def _or_null(name: str, value: str) -> str:
    return rf"(?:{value}|\x0a{name}\0)"


def _integer(name: str) -> str:
    return rf"(?:\x10{name}\0(?P<{name}_i>.{{4}})|\x12{name}\0(?P<{name}_q>.{{8}}))"


def _date(name: str) -> str:
    return rf"\x09{name}\0(?P<{name}_q>.{{8}})"


# A document, see https://bsonspec.org/spec.html. A group's name is its field and `struct` format.
_ROW: Final = re.compile(
    (
        r"....\x02_id\0....[^\0]*\|(?P<_id_13s>[0-9]{13})\0"
        + "".join(_price(name) for name in ("open", "high", "low", "close"))
        + _or_null("ltq", _integer("ltq"))
        + _or_null("ltt", _date("ltt"))
        + _or_null("volume", _integer("volume"))
        + _or_null("vtt", _integer("vtt"))
        + _or_null("atp", _price("atp"))
        + _or_null("oi", _integer("oi"))
        + _integer("ticks")
        + r"\x02state\0....(?:(?P<state_7s>partial)|(?P<state_8s>complete|repaired))\0"
        + _integer("silent_ms")
        + r"(?:\x02source\0....(?P<source_6s>upstox)\0)?"
        + r"\0"
    ).encode(),
    re.DOTALL,
)


def decode_rows(batch: bytes) -> list[HistoryBar]:
    """The bars of a batch of documents with the fields `PROJECTED_FIELDS`, oldest first."""
    if not batch:
        return []
    bars = _decode_uniform(batch)
    if bars is None:
        bars = []
        for rows in _by_size(batch):
            bars += _decode_uniform(rows) or _decode_each(rows)
        bars.sort(key=attrgetter("start"))
    return bars


def _decode_uniform(rows: bytes) -> list[HistoryBar] | None:
    """The bars of rows that all have the first row's layout; None if they do not."""
    layout = _layout(rows[: _size_bytes(rows, 0)])
    return layout.bars(rows) if layout is not None and layout.fits(rows) else None


def _size_bytes(batch: bytes, at: int) -> int:
    size_bytes: int
    (size_bytes,) = _SIZE.unpack_from(batch, at)
    return size_bytes


def _by_size(batch: bytes) -> Iterator[bytes]:
    """The rows of each size together, since these most likely have the same layout."""
    rows: dict[int, list[bytes]] = defaultdict(list)
    at = 0
    while at < len(batch):
        size_bytes = _size_bytes(batch, at)
        rows[size_bytes].append(batch[at : at + size_bytes])
        at += size_bytes
    return map(b"".join, rows.values())


class _Layout(NamedTuple):
    """The places of a row's values, and the bytes between them."""

    values: Struct
    null_fields: frozenset[str]
    constants: list[tuple[int, int]]
    """Offset and value of each byte of the names, types and lengths."""

    def fits(self, rows: bytes) -> bool:
        """Whether all rows have this layout. Equal sizes are no proof."""
        count, rest = divmod(len(rows), self.values.size)
        return rest == 0 and all(
            rows[at :: self.values.size] == bytes((byte,)) * count for at, byte in self.constants
        )

    def bars(self, rows: bytes) -> list[HistoryBar]:
        """The bars of rows that fit."""
        decoded = zip(*self.values.iter_unpack(rows), strict=True)
        of: dict[str, Iterable[Any]] = {
            name: repeat(None) if name in self.null_fields else next(decoded)
            for name in PROJECTED_FIELDS
        }
        starts = [int(digits) for digits in of["_id"]]
        ends = [start + WINDOW_MS for start in starts]
        states = map(_STATES.__getitem__, of["state"])
        sources = map(_SOURCES.__getitem__, of["source"])
        columns = (
            starts, ends, of["open"], of["high"], of["low"], of["close"], of["ticks"], states,
            of["ltq"], of["ltt"], of["volume"], of["vtt"], of["atp"], of["oi"],
            of["silent_ms"], sources,
        )  # fmt: skip
        return list(map(HistoryBar, *columns))


def _layout(row: bytes) -> _Layout | None:
    """The layout of `row`; None if the persister did not store it like this."""
    match = _ROW.fullmatch(row)
    if match is None:
        return None
    struct_format, at, present = "<", 0, set()
    constants: list[tuple[int, int]] = []
    for group in _ROW.groupindex:
        begin, end = match.span(group)
        if begin < 0:
            continue
        name, _, value_format = group.rpartition("_")
        present.add(name)
        struct_format += f"{begin - at}x{value_format}"
        constants += enumerate(row[at:begin], at)
        at = end
    struct_format += f"{len(row) - at}x"
    constants += enumerate(row[at:], at)
    return _Layout(Struct(struct_format), frozenset(PROJECTED_FIELDS) - present, constants)


def _decode_each(rows: bytes) -> list[HistoryBar]:
    """The bars of rows of any layout, one after the other."""
    documents = bson.decode_all(rows, _DATES_AS_MS)
    for document in documents:
        document["start"] = start = int(document["_id"].rpartition("|")[2])
        document["end"] = start + WINDOW_MS
        ltt = document.get("ltt")
        document["ltt"] = None if ltt is None else int(ltt)
    return msgspec.convert(documents, list[HistoryBar])
