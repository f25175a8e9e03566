"""Puts an option chain together from its contracts, last quotes and the chain on the bus. Pure."""

from collections.abc import Callable
from typing import Final

import msgspec

from shared.contracts.messages import Price, Quote, decode_quote
from shared.contracts.option_chains import Chain, ChainRow, OptionsReply, OptionState
from shared.contracts.strict_json import decode_json

LastQuote = Callable[[str], bytes | None]
"""The last quote of an instrument, encoded; None if there is none."""

_QUOTE_FIELDS: Final = tuple(
    name for name in OptionState.__struct_fields__ if name in Quote.__struct_fields__
)


class OptionChain(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The options on an underlying that expire on one day, with what is known of their prices."""

    underlying: str
    """Instrument key."""
    expiry: str
    """`YYYY-MM-DD`."""
    expiries: list[str]
    """All days on which options on the underlying expire, the nearest first."""
    lot_size: int | None = None
    """Absent if unknown, or if the contracts differ."""
    ltp: Price | None = None
    """Last traded price of the underlying."""
    rows: list[ChainRow]
    """Lowest strike first."""


def option_chain(contracts: OptionsReply, chain: Chain | None, last_quote: LastQuote) -> bytes:
    """The chain as JSON: `chain` precedes last quotes, since it has greeks and is as new.

    An option without either has its key only.
    """
    followed: dict[str, OptionState] = {}
    for row in chain.rows if chain is not None else ():
        followed |= {side.key: side for side in (row.call, row.put) if side is not None}

    def side(key: str | None) -> OptionState | None:
        if key is None:
            return None
        return followed.get(key) or _quoted(key, last_quote(key))

    rows = [
        ChainRow(strike=strike.strike, call=side(strike.call), put=side(strike.put))
        for strike in contracts.strikes
    ]
    return msgspec.json.encode(
        OptionChain(
            underlying=contracts.underlying,
            expiry=contracts.expiry,
            expiries=contracts.expiries,
            lot_size=contracts.lot_size,
            ltp=_underlying_ltp(contracts.underlying, chain, last_quote),
            rows=rows,
        )
    )


def decode_contracts(body: bytes) -> OptionsReply:
    """The persister's reply. Raises msgspec.DecodeError."""
    return decode_json(body, OptionsReply)


def _quoted(key: str, encoded: bytes | None) -> OptionState:
    if encoded is None:
        return OptionState(key=key)
    quote = decode_quote(encoded)
    return OptionState(**{name: getattr(quote, name) for name in _QUOTE_FIELDS})


def _underlying_ltp(key: str, chain: Chain | None, last_quote: LastQuote) -> float | None:
    encoded = last_quote(key)
    if encoded is not None:
        return decode_quote(encoded).ltp
    return chain.ltp if chain is not None else None
