"""Decodes the few fields of an encoded message that the fan-out needs."""

from typing import Final

import msgspec

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


# The decoder skips all other fields, and thereby checks that clients receive valid JSON.
stamp_of: Final = json_decoder(Stamp)
"""The stamp of a quote or an order book. Raises msgspec.DecodeError for anything else."""
