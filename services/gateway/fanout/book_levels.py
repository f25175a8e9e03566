"""Separates order books of 30 levels from those of five. Pure."""

from typing import Final

import msgspec

from shared.contracts.messages import MAX_LEVELS, decode_depth, encode

_LEVELS: Final = 5
# In the text of a string the quotation marks would be escaped.
_IS_DEEP: Final = b'"levels":%d' % MAX_LEVELS


def is_deep(encoded: bytes) -> bool:
    """Whether an encoded order book is one of 30 levels."""
    return _IS_DEEP in encoded


def five_levels(encoded: bytes) -> bytes:
    """The best five levels of an encoded order book. Raises msgspec.DecodeError."""
    book = decode_depth(encoded)
    shorter = msgspec.structs.replace(
        book, bids=book.bids[:_LEVELS], asks=book.asks[:_LEVELS], levels=_LEVELS
    )
    return encode(shorter)
