"""Decodes the few fields of an encoded message that the fan-out needs."""

from typing import Final

import msgspec

from shared.contracts.messages import TimeMs
from shared.contracts.strict_json import json_decoder


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


# The decoder skips all other fields, and thereby checks that clients receive valid JSON.
stamp_of: Final = json_decoder(Stamp)
"""The stamp of a quote or an order book. Raises msgspec.DecodeError for anything else."""
minute_of: Final = json_decoder(MinuteStamp)
"""The stamp of a one-minute candle. Raises as `stamp_of`."""
