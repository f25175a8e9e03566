"""Encodes WebSocket text frames of a server (RFC 6455)."""

from collections.abc import Sequence
from struct import Struct
from typing import Final

_TEXT: Final = 0x81  # final fragment, opcode 1; a server does not mask
_SHORT: Final = Struct("!BB").pack
_MEDIUM: Final = Struct("!BBH").pack
_LONG: Final = Struct("!BBQ").pack


def text_frame(*parts: bytes) -> bytes:
    """One text message with the concatenation of `parts`, UTF-8, as its payload."""
    size_bytes = sum(map(len, parts))
    if size_bytes < 126:
        head = _SHORT(_TEXT, size_bytes)
    elif size_bytes < 65_536:
        head = _MEDIUM(_TEXT, 126, size_bytes)
    else:
        head = _LONG(_TEXT, 127, size_bytes)
    return b"".join((head, *parts))


def batch_frame(head: bytes, messages: Sequence[bytes]) -> bytes:
    """One text message: `head`, which opens a JSON object and a list, then the list."""
    body = b",".join(messages)
    size_bytes = len(head) + len(body) + 2
    if 126 <= size_bytes < 65_536:  # nearly every batch
        return b"".join((_MEDIUM(_TEXT, 126, size_bytes), head, body, b"]}"))
    return text_frame(head, body, b"]}")
