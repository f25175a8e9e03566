"""Messages between gateways and ingest about the instruments to subscribe to at Upstox.

A gateway publishes its complete demand on every change and every few seconds. A later demand
replaces the earlier one, and the demand of a gateway that stops publishing expires. Ingest
publishes which of the demanded instruments are *not* live. Both messages describe a complete
state, so a lost message is repaired by the next one.
"""

from typing import Final

import msgspec

DEMAND_INTERVAL_SECS: Final = 3.0
"""The longest time between two publications of a demand."""
DEMAND_TTL_SECS: Final = 10.0
"""A demand expires if its gateway publishes nothing for this long."""
MAX_KEYS: Final = 10_000
"""Limit for one gateway; keeps a demand well below the largest message of NATS."""


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """All instruments that one gateway needs; published on ``demand.<gateway>``."""

    gateway: str
    rev: int
    """Revision; rises with each change of the demand."""
    quotes: list[str]
    """Instrument keys."""
    depth: list[str] = []
    """Instrument keys whose order book is needed as well."""


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """The demanded instruments that are not live; all others are live."""

    epoch: int
    """Lease epoch of the ingest leader."""
    seen: dict[str, int]
    """By gateway, the `rev` of the demand that this coverage reflects."""
    pending: list[str]
    """Being subscribed; no data received yet."""
    no_capacity: list[str]
    """Above Upstox's limit for one connection."""
    unknown: list[str]
    """Subscribed, but Upstox sends nothing: most likely not an instrument."""


_encoder: Final = msgspec.json.Encoder()
_demand_decoder: Final = msgspec.json.Decoder(Demand)
_coverage_decoder: Final = msgspec.json.Decoder(Coverage)


def encode(message: Demand | Coverage) -> bytes:
    """The message as JSON."""
    return _encoder.encode(message)


def decode_demand(data: bytes) -> Demand:
    """Raises msgspec.DecodeError if `data` is not a demand or names over `MAX_KEYS` keys."""
    demand = _demand_decoder.decode(data)
    if len(demand.quotes) + len(demand.depth) > MAX_KEYS:
        raise msgspec.ValidationError(f"more than {MAX_KEYS} keys in one demand")
    return demand


def decode_coverage(data: bytes) -> Coverage:
    """Raises msgspec.DecodeError if `data` is not a coverage."""
    return _coverage_decoder.decode(data)
