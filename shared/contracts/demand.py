"""Messages to and from ingest about the instruments to subscribe to at Upstox.

Gateways and the owners of trading's partitions have a demand; both are called gateways here. A
gateway publishes its complete demand on every change and every few seconds. A later demand
replaces the earlier one, and the demand of a gateway that stops publishing expires. Ingest
publishes which of the demanded instruments are *not* live. Both messages describe a complete
state, so a lost message is repaired by the next one. A demand is limited to one message; a coverage
that is larger than one message is published in parts.
"""

from collections.abc import Collection, Container, Iterator
from itertools import chain
from typing import Final

import msgspec

from shared.contracts.strict_json import json_decoder

DEMAND_INTERVAL_SECS: Final = 3.0
"""The longest time between two publications of a demand."""
DEMAND_TTL_SECS: Final = 10.0
"""A demand expires if its gateway publishes nothing for this long."""
MAX_KEYS: Final = 10_000
"""Limit for one gateway."""
MAX_CHAINS: Final = 50
"""Limit for the option chains of one gateway."""
DEEP_SUFFIX: Final = "|30"
"""Follows the instrument key where an order book of 30 levels is meant."""
MAX_KEYS_BYTES: Final = 900_000
"""Limit for the encoded keys of one message: NATS takes messages of 1 MiB."""


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """All instruments that one gateway needs; published on ``demand.<gateway>``."""

    gateway: str
    rev: int
    """Revision; rises with each change of the demand."""
    quotes: list[str]
    """Instrument keys."""
    depth: list[str] = []
    """Instrument keys whose order book is needed as well; with `DEEP_SUFFIX`, 30 levels of it."""
    chains: list[str] = []
    """Keys of option chains (`ChainKey`)."""


class ModeUse(msgspec.Struct, frozen=True):
    """How much of one of Upstox's subscription modes is used."""

    subscribed: int
    """Instruments that are subscribed in this mode."""
    limit: int
    """Upstox's limit for one connection, beside the other modes that are in use."""


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
    needs_plus: list[str] = []
    """Order books of 30 levels, which the plan of the Upstox account does not have."""
    modes: dict[str, ModeUse] = {}
    """By Upstox's name of the mode, for the whole connection; empty without one."""
    number: int = 0
    """Number of the publication within the epoch; all its parts have it."""
    part: int = 0
    """Number of this part, from 0."""
    parts: int = 1
    """How many parts this publication has."""


_DEEP_SEPARATORS: Final = 2
_NOT_LIVE: Final = ("pending", "no_capacity", "unknown", "needs_plus")
_MAX_PARTS: Final = 1_000

_encoder: Final = msgspec.json.Encoder()
_demand_decoder: Final = json_decoder(Demand)
_coverage_decoder: Final = json_decoder(Coverage)


def encode(message: Demand | Coverage) -> bytes:
    """The message as JSON."""
    return _encoder.encode(message)


def is_deep_key(depth_key: str) -> bool:
    """Whether a key in `Demand.depth` means 30 levels. ``NSE_FO|30`` is an instrument."""
    return depth_key.endswith(DEEP_SUFFIX) and depth_key.count("|") == _DEEP_SEPARATORS


def instrument_of(depth_key: str) -> str:
    """The instrument key of a key in `Demand.depth`."""
    return depth_key.removesuffix(DEEP_SUFFIX) if is_deep_key(depth_key) else depth_key


def key_bytes(key: str) -> int:
    """The size of a key in a list of an encoded message."""
    return len(_encoder.encode(key)) + 1


def fitting_keys(
    keys: Collection[str],
    limit: int,
    *,
    preferred: Container[str] = (),
    last: Container[str] = (),
) -> list[str]:
    """At most `limit` of `keys` with at most half the bytes of a demand, sorted.

    Two such lists fit into one message. Keys in `preferred` come first, keys in `last` last, and
    otherwise shorter keys, so that overlong ones, which no instrument has, displace nothing.
    """
    sizes = {key: key_bytes(key) for key in keys}
    left_bytes = MAX_KEYS_BYTES // 2
    if len(sizes) <= limit and sum(sizes.values()) <= left_bytes:
        return sorted(sizes)
    chosen = []
    by_rank = sorted(sizes, key=lambda key: (key in last, key not in preferred, sizes[key], key))
    for key in by_rank[:limit]:
        left_bytes -= sizes[key]
        if left_bytes < 0:
            break
        chosen.append(key)
    return sorted(chosen)


def split_coverage(coverage: Coverage, max_bytes: int = MAX_KEYS_BYTES) -> list[Coverage]:
    """The coverage in parts whose keys take at most `max_bytes` each; at least one part."""
    pages = list(_pages(coverage, max_bytes)) or [[]]
    return [
        msgspec.structs.replace(
            coverage,
            **{name: [key for key_name, key in page if key_name == name] for name in _NOT_LIVE},
            part=part,
            parts=len(pages),
        )
        for part, page in enumerate(pages)
    ]


def _pages(coverage: Coverage, max_bytes: int) -> Iterator[list[tuple[str, str]]]:
    page: list[tuple[str, str]] = []
    size_bytes = 0
    for name, key in chain.from_iterable(
        ((name, key) for key in getattr(coverage, name)) for name in _NOT_LIVE
    ):
        size_bytes += key_bytes(key)
        if page and size_bytes > max_bytes:
            yield page
            page, size_bytes = [], key_bytes(key)
        page.append((name, key))
    if page:
        yield page


class CoverageParts:
    """Puts the parts of a coverage together. An incomplete one is dropped by the next."""

    def __init__(self) -> None:
        self._place: tuple[int, int, int] | None = None
        self._received: dict[int, Coverage] = {}

    def add(self, part: Coverage) -> Coverage | None:
        """The complete coverage if `part` was its last missing part, else None."""
        place = part.epoch, part.number, part.parts
        if place != self._place:
            self._place, self._received = place, {}
        self._received[part.part] = part
        if len(self._received) < part.parts:
            return None
        parts = [self._received[number] for number in sorted(self._received)]
        self._place, self._received = None, {}
        joined = {name: [key for one in parts for key in getattr(one, name)] for name in _NOT_LIVE}
        return msgspec.structs.replace(part, **joined, part=0, parts=1)


def decode_demand(data: bytes) -> Demand:
    """Raises msgspec.DecodeError if `data` is not a demand or names too many keys or chains."""
    demand = _demand_decoder(data)
    if len(demand.quotes) + len(demand.depth) > MAX_KEYS:
        raise msgspec.ValidationError(f"more than {MAX_KEYS} keys in one demand")
    if len(demand.chains) > MAX_CHAINS:
        raise msgspec.ValidationError(f"more than {MAX_CHAINS} chains in one demand")
    return demand


def decode_coverage(data: bytes) -> Coverage:
    """One part of a coverage. Raises msgspec.DecodeError if `data` is none."""
    coverage = _coverage_decoder(data)
    if not 0 <= coverage.part < coverage.parts <= _MAX_PARTS:
        raise msgspec.ValidationError(f"part {coverage.part} of {coverage.parts}")
    return coverage
