"""Requests over the bus for instruments, and their replies."""

from typing import Annotated, Final

import msgspec

from shared.contracts.subjects import MAX_KEY_CHARS

INSTRUMENTS_SEARCH: Final = "instruments.search"
INSTRUMENTS_GET: Final = "instruments.get"
INSTRUMENTS_DETAIL: Final = "instruments.detail"

MAX_RESULTS: Final = 50
MAX_KEYS: Final = 200

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_KEY_CHARS)]


class Instrument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One instrument of Upstox's instrument master; prices in rupees. None means unknown."""

    key: str
    symbol: str
    """Trading symbol, e.g. ``RELIANCE``, ``NIFTY 24000 CE 26 NOV 26``."""
    name: str
    segment: str
    """``NSE_EQ``, ``NSE_FO``, ``NSE_INDEX``, ``MCX_FO``, ..."""
    exchange: str
    type: str
    """Upstox's type: ``EQ``, ``INDEX``, ``FUT``, ``CE``, ``PE`` and others."""
    isin: str | None = None
    lot_size: int | None = None
    tick_size: float | None = None
    freeze_quantity: float | None = None
    expiry: str | None = None
    """``YYYY-MM-DD``."""
    strike: float | None = None
    underlying_key: str | None = None
    underlying_symbol: str | None = None
    multiplier: int | None = None
    """Price units in one unit of quantity; above 1 for commodities, whose unit is a lot."""
    has_derivatives: bool = False
    """Whether the master has futures or options on this instrument."""


class SearchRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Searches instruments by symbol, name, key or ISIN, such as ``nifty 24000 ce``."""

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    types: Annotated[list[Word], msgspec.Meta(max_length=16)] = []
    """Restricts the search to these types; empty means all types."""
    segments: Annotated[list[Word], msgspec.Meta(max_length=16)] = []
    """Restricts the search to these segments; empty means all segments."""
    expiry: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}\Z")] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_RESULTS)] = 20


class SearchReply(msgspec.Struct, frozen=True, kw_only=True):
    """The matching instruments, best match first."""

    instruments: list[Instrument]


class GetRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests instruments by their keys."""

    keys: Annotated[list[Key], msgspec.Meta(min_length=1, max_length=MAX_KEYS)]


class GetReply(msgspec.Struct, frozen=True, kw_only=True):
    """The instruments that exist, in the order of the request, and the unknown keys."""

    instruments: list[Instrument]
    unknown: list[str]


class DetailRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests one instrument with its reference data of the day. Only the leader replies, since all
    calls to Upstox share its limits."""

    key: Key
    newer_than_ms: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Reference data that is older is read again, once a minute at most. Unix milliseconds."""


class Reference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An instrument's day by Upstox's full quote; prices in rupees. None means unknown."""

    taken_at: int
    """When it was read, Unix milliseconds. It is read once a day, and again before the price of an
    order is refused."""
    lower_circuit: float | None = None
    """Lower end of the price band."""
    upper_circuit: float | None = None
    """Upper end of the price band."""
    previous_close: float | None = None
    year_high: float | None = None
    year_low: float | None = None


class DetailReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One instrument."""

    instrument: Instrument
    reference: Reference | None = None
    """None if Upstox does not tell it at the moment."""
