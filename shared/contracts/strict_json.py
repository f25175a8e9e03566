"""Decodes JSON from outside: whatever is wrong with it, the exception is msgspec.DecodeError.

msgspec itself raises UnicodeDecodeError for a text that is not UTF-8, and RecursionError for very deep
nesting.
"""

from collections.abc import Callable
from typing import TypeVar

import msgspec

T = TypeVar("T")


def json_decoder(message_type: type[T]) -> Callable[[bytes], T]:
    """A function that decodes one type. It raises msgspec.DecodeError."""
    decode = msgspec.json.Decoder(message_type).decode

    def strict(data: bytes) -> T:
        try:
            return decode(data)
        except (UnicodeDecodeError, RecursionError) as error:
            raise msgspec.DecodeError(str(error)) from None

    return strict


def decode_json(data: bytes, message_type: type[T]) -> T:
    """Decode a message of a type that is not known in advance. Raises msgspec.DecodeError."""
    try:
        return msgspec.json.decode(data, type=message_type)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from None
