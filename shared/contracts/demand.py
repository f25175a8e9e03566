"""What gateways ask of ingest, and what ingest says of it.

A gateway tells its whole interest, every few seconds and on change: any later demand
replaces any earlier one, and a gateway that falls silent is forgotten. Ingest tells of
all that is demanded what is *not* live, by name, so both ends heal by themselves.
"""

from typing import Final

import msgspec

REPEAT_SECS: Final = 3.0
"""How often a demand is told again, at least."""
FORGET_SECS: Final = 10.0
"""A gateway that has been silent for so long wants nothing any more."""
MOST_KEYS: Final = 10_000
"""That one gateway can demand: a demand stays well below the bus's largest message."""


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one gateway needs; published on ``demand.<gateway>``."""

    gateway: str
    rev: int
    """Rises whenever what is demanded changes."""
    quotes: list[str]
    """Instrument keys."""
    depth: list[str] = []
    """Instrument keys whose order book is wanted as well."""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """What is not live of all that is wanted; whatever is not named here is live."""

    epoch: int
    """Lease epoch of the ingest leader."""
    seen: dict[str, int]
    """By gateway, up to which `rev` its demand is considered here."""
    pending: list[str]
    """Being subscribed; nothing was heard of them yet."""
    no_capacity: list[str]
    """Beyond what Upstox allows one connection."""
    unknown: list[str]
    """Asked for, and Upstox says nothing of them: most likely no instrument."""


_encoder: Final = msgspec.json.Encoder()
_demand_decoder: Final = msgspec.json.Decoder(Demand)
_coverage_decoder: Final = msgspec.json.Decoder(Coverage)


def encode(message: Demand | Coverage) -> bytes:
    """As JSON."""
    return _encoder.encode(message)


def decode_demand(data: bytes) -> Demand:
    """Raises msgspec.DecodeError if `data` is no demand, or one for too much."""
    demand = _demand_decoder.decode(data)
    if len(demand.quotes) + len(demand.depth) > MOST_KEYS:
        raise msgspec.ValidationError(f"more than {MOST_KEYS} keys in one demand")
    return demand


def decode_coverage(data: bytes) -> Coverage:
    """Raises msgspec.DecodeError if `data` is no coverage."""
    return _coverage_decoder.decode(data)
