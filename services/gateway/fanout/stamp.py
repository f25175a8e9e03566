"""Reads from an encoded message the little that the gateway needs to know of it."""

from typing import Final

import msgspec


class Stamp(msgspec.Struct, frozen=True, gc=False):
    """Of two messages of one instrument the one with the greater (epoch, seq) is the newer."""

    epoch: int
    """Lease epoch of the ingest leader."""
    seq: int
    """Counts the instrument's messages within the epoch."""
    rt: int
    """When ingest received it, epoch microseconds."""


# Passes over all other fields, and makes sure on the way that clients get valid JSON.
stamp_of: Final = msgspec.json.Decoder(Stamp).decode
"""The stamp of a quote or an order book; raises msgspec.DecodeError if the bytes are neither."""
