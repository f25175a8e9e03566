"""Questions on the bus about instruments, and their answers."""

from typing import Annotated, Final

import msgspec

from shared.contracts.subjects import MAX_KEY_CHARS

INSTRUMENTS_SEARCH: Final = "instruments.search"
INSTRUMENTS_GET: Final = "instruments.get"

MOST_FOUND: Final = 50
MOST_KEYS: Final = 200

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_KEY_CHARS)]


class Instrument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One instrument of Upstox's master; prices in rupees. Absent means unknown."""

    key: str
    symbol: str
    """Trading symbol, e.g. ``RELIANCE``, ``NIFTY 24000 CE 26 NOV 26``."""
    name: str
    segment: str
    """``NSE_EQ``, ``NSE_FO``, ``NSE_INDEX``, ``MCX_FO``, ..."""
    exchange: str
    type: str
    """``EQ``, ``INDEX``, ``FUT``, ``CE``, ``PE`` and others, as Upstox has it."""
    isin: str | None = None
    lot_size: int | None = None
    tick_size: float | None = None
    freeze_quantity: float | None = None
    expiry: str | None = None
    """``YYYY-MM-DD``."""
    strike: float | None = None
    underlying_key: str | None = None
    underlying_symbol: str | None = None


class SearchRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Instruments that fit `query` (symbol, name, key, ISIN, ``nifty 24000 ce``), best first."""

    query: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    types: Annotated[list[Word], msgspec.Meta(max_length=16)] = []
    """Only of these types, if any are named."""
    segments: Annotated[list[Word], msgspec.Meta(max_length=16)] = []
    expiry: Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_FOUND)] = 20


class SearchReply(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, best first."""

    instruments: list[Instrument]


class GetRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Instruments by their keys."""

    keys: Annotated[list[Key], msgspec.Meta(min_length=1, max_length=MOST_KEYS)]


class GetReply(msgspec.Struct, frozen=True, kw_only=True):
    """Those that exist, in the order asked for, and the keys of those that do not."""

    instruments: list[Instrument]
    unknown: list[str]
