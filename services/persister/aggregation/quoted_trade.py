"""The fields of a quote that bars are made of.

Half of a quote's fields concern the order book and the day. Without them decoding takes two thirds
of the time, and a value out of range in them costs no trade.
"""

from typing import Final

import msgspec

from shared.contracts.messages import Number, Price, Quantity, TimeMs
from shared.contracts.strict_json import json_decoder


class QuotedTrade(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The last trade that a quote shows. The fields are those of `shared.contracts.messages.Quote`.

    Decoding ignores the other fields of the quote.
    """

    key: str
    epoch: Number
    ts: TimeMs
    ltt: TimeMs | None = None
    ltp: Price | None = None
    ltq: Quantity | None = None
    volume: Quantity | None = None
    atp: Price | None = None
    oi: Quantity | None = None
    snap: bool = False


decode_quoted_trade: Final = json_decoder(QuotedTrade)
"""Decodes the trade of an encoded quote. Raises msgspec.DecodeError if the bytes are no quote."""
