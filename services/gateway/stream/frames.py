"""Writes WebSocket text frames of a server (RFC 6455), to be sent together in one write."""

from collections.abc import Sequence
from struct import Struct
from typing import Final

_TEXT: Final = 0x81  # final fragment, opcode 1; a server does not mask
_SHORT: Final = Struct("!BB").pack
_MEDIUM: Final = Struct("!BBH").pack
_LONG: Final = Struct("!BBQ").pack


def text_frame(*parts: bytes) -> bytes:
    """One message, its payload being `parts` one after the other, in UTF-8."""
    size = sum(map(len, parts))
    if size < 126:
        head = _SHORT(_TEXT, size)
    elif size < 65_536:
        head = _MEDIUM(_TEXT, 126, size)
    else:
        head = _LONG(_TEXT, 127, size)
    return b"".join((head, *parts))


def batch_frame(head: bytes, messages: Sequence[bytes]) -> bytes:
    """One message, its payload being `head`, which opens an object and a list, and the list."""
    body = b",".join(messages)
    size = len(head) + len(body) + 2
    if 126 <= size < 65_536:  # as nearly always
        return b"".join((_MEDIUM(_TEXT, 126, size), head, body, b"]}"))
    return text_frame(head, body, b"]}")
