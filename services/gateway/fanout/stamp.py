"""Decodes the few fields of an encoded message that the fan-out needs."""

from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from shared.contracts.messages import TimeMs

T = TypeVar("T")


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """Order and age of a quote or an order book.

    Of two messages of one instrument the one with the greater (epoch, seq) is the newer.
    """

    epoch: int
    """Lease epoch of the ingest leader."""
    seq: int
    """Number of the message within the instrument and the epoch."""
    rt: int
    """Time at which ingest received it, epoch microseconds."""


class MinuteStamp(msgspec.Struct, frozen=True, gc=False):
    """Order of a one-minute candle among those of its instrument."""

    start: TimeMs
    """Start of the minute."""


class _JsonObject(msgspec.Struct, frozen=True, gc=False):
    """A message of which no field is needed."""


def _decoder(message_type: type[T]) -> Callable[[bytes], T]:
    """A function that decodes one type, and checks that clients receive valid JSON.

    msgspec checks the JSON of all fields that it skips, but not that their texts are UTF-8.
    """
    decode = msgspec.json.Decoder(message_type).decode

    def strict(data: bytes) -> T:
        try:
            if not data.isascii():
                data.decode()
            return decode(data)
        except (UnicodeDecodeError, RecursionError) as error:
            raise msgspec.DecodeError(str(error)) from None

    return strict


stamp_of: Final = _decoder(Stamp)
"""The stamp of a quote or an order book. Raises msgspec.DecodeError for anything else."""
minute_of: Final = _decoder(MinuteStamp)
"""The stamp of a one-minute candle. Raises as `stamp_of`."""
check_object: Final = _decoder(_JsonObject)
"""Raises msgspec.DecodeError for anything that is no JSON object."""
