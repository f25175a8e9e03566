"""Option chains: the contracts of an underlying and expiry, and their last prices.

The persister tells the contracts. Ingest publishes a window of strikes of each demanded chain on
``md.chain.>``, with all prices: a later message replaces any earlier one.
"""

import re
from datetime import date
from typing import Annotated, Final, NamedTuple

import msgspec

from shared.contracts.messages import Greeks, Number, Price, Quantity, TimeMs
from shared.contracts.strict_json import json_decoder
from shared.contracts.subjects import MAX_KEY_CHARS, key_to_tokens
from shared.errors import InvalidField

INSTRUMENTS_OPTIONS: Final = "instruments.options"
ALL_CHAINS: Final = "md.chain.>"
CHAIN_PREFIX: Final = "md.chain."

MAX_STRIKES_EACH_SIDE: Final = 50
MAX_CONTRACTS: Final = 4_000
"""Options of one underlying and expiry."""

_EXPIRY_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z"
_CHAIN_KEY: Final = re.compile(
    r"(?P<underlying>.+)\|(?P<expiry>[0-9]{4}-[0-9]{2}-[0-9]{2})\|(?P<strikes>[1-9][0-9]?)"
)
_RULE: Final = (
    "the key of a chain is UNDERLYING|YYYY-MM-DD|STRIKES, with the number of strikes on each side"
    f" of the underlying's price, 1 to {MAX_STRIKES_EACH_SIDE}"
)

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_KEY_CHARS)]
Expiry = Annotated[str, msgspec.Meta(pattern=_EXPIRY_PATTERN)]


class ChainKey(NamedTuple):
    """A window of an option chain that clients follow."""

    underlying: str
    """Instrument key."""
    expiry: str
    """``YYYY-MM-DD``."""
    strikes: int
    """Number of strikes on each side of the one at the money."""

    @classmethod
    def parse(cls, text: str) -> "ChainKey":
        """The key that `str` writes. Raises InvalidField for any other text."""
        match = _CHAIN_KEY.fullmatch(text)
        if match is None or int(match["strikes"]) > MAX_STRIKES_EACH_SIDE:
            raise InvalidField(_RULE, field="keys")
        try:
            key_to_tokens(match["underlying"])
            date.fromisoformat(match["expiry"])
        except (InvalidField, ValueError):
            raise InvalidField(_RULE, field="keys") from None
        return cls(match["underlying"], match["expiry"], int(match["strikes"]))

    def __str__(self) -> str:
        return f"{self.underlying}|{self.expiry}|{self.strikes}"

    @property
    def subject(self) -> str:
        """The subject of the chain's messages."""
        return f"{CHAIN_PREFIX}{key_to_tokens(self.underlying)}.{self.expiry}.{self.strikes}"


class OptionsRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests the options on an underlying that expire on one day, by default the nearest."""

    underlying: Key
    expiry: Expiry | None = None


class StrikeContracts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The call and the put of one strike, by instrument key."""

    strike: Price
    call: Key | None = None
    put: Key | None = None


class OptionsReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The options on an underlying that expire on one day."""

    underlying: Key
    expiry: Expiry
    expiries: list[Expiry]
    """All days on which options on the underlying expire, the nearest first."""
    lot_size: int | None = None
    """None if unknown, or if the contracts differ."""
    strikes: Annotated[list[StrikeContracts], msgspec.Meta(max_length=MAX_CONTRACTS)]
    """Lowest first."""


class OptionState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One option of a chain; without prices if the feed does not carry it."""

    key: Key
    """Instrument key."""
    ltt: TimeMs | None = None
    """Last trade time."""
    ltp: Price | None = None
    """Last traded price."""
    cp: Price | None = None
    """Previous close."""
    volume: Quantity | None = None
    """The day's cumulative volume."""
    oi: Quantity | None = None
    """Open interest."""
    bid: Price | None = None
    """Best bid price."""
    bid_qty: Quantity | None = None
    """Quantity at the best bid."""
    ask: Price | None = None
    """Best ask price."""
    ask_qty: Quantity | None = None
    """Quantity at the best ask."""
    iv: float | None = None
    """Implied volatility, as a fraction."""
    greeks: Greeks | None = None


class ChainRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The call and the put of one strike."""

    strike: Price
    call: OptionState | None = None
    """Absent if there is no such contract, like `put`."""
    put: OptionState | None = None


class Chain(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The strikes of an option chain around the price of its underlying."""

    key: str
    """Key of the subscription: underlying, expiry and number of strikes."""
    epoch: Number
    """Term of the ingest leader; a later leader has a higher epoch."""
    seq: Number
    """Rises with each message of the chain in the epoch."""
    ts: TimeMs
    """Time of the newest message of the feed that the prices are of."""
    rt: Number
    """Time at which ingest made this message, Unix microseconds."""
    underlying: str
    """Instrument key of the underlying."""
    expiry: str
    """`YYYY-MM-DD`."""
    ltp: Price | None = None
    """Last traded price of the underlying."""
    atm: Price
    """The strike at the money, which the window is around."""
    rows: list[ChainRow]
    """Lowest strike first. The window moves with the price of the underlying."""


_encode: Final = msgspec.json.Encoder().encode
_decode_chain: Final = json_decoder(Chain)


def encode_chain(chain: Chain) -> bytes:
    """The chain as JSON."""
    return _encode(chain)


def decode_chain(data: bytes) -> Chain:
    """Raises msgspec.DecodeError if `data` is not a chain."""
    return _decode_chain(data)
