"""The current state of one instrument, laid out as the quote that is published."""

from typing import Final

import msgspec

from services.ingest.feed.wire import encode_levels
from services.ingest.feed.wire_types import MarketLevel
from shared.contracts.subjects import candle_subject, depth_subject, quote_subject


class QuoteState(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """A mutable quote: same fields, field order and JSON as `shared.contracts.messages.Quote`.

    It is encoded in place, so a tick allocates no new quote. None means not received yet.
    """

    key: str
    epoch: int
    seq: int
    ts: int
    rt: int
    ltt: int | None = None
    ltp: float | None = None
    ltq: int | None = None
    cp: float | None = None
    volume: int | None = None
    atp: float | None = None
    oi: int | None = None
    bid: float | None = None
    bid_qty: int | None = None
    ask: float | None = None
    ask_qty: int | None = None
    tbq: int | None = None
    tsq: int | None = None
    snap: bool = False


encode_quote: Final = msgspec.json.Encoder().encode


class InstrumentState:
    """One instrument during a term: its quote, and the values that a quote does not carry."""

    __slots__ = (
        "_packed_book",
        "book",
        "candle_subject",
        "depth_subject",
        "greeks",
        "iv",
        "key",
        "last_minute_ms",
        "next_minute_ms",
        "quote",
        "quote_subject",
        "volume_day",
    )

    def __init__(self, key: str, epoch: int) -> None:
        """Raises InvalidField if `key` is not an instrument key."""
        self.key = key
        self.quote = QuoteState(key=key, epoch=epoch, seq=0, ts=0, rt=0)
        self.quote_subject = quote_subject(key).encode()
        self.candle_subject = candle_subject(key).encode()
        self.depth_subject = depth_subject(key).encode()
        self.volume_day: int | None = None
        """Trading day (`trading_day`) of the volume and the average price."""
        self.last_minute_ms = 0
        """Start of the last completed minute that was received, epoch ms."""
        self.next_minute_ms = 0
        """Feed time before which no later minute can be complete, epoch ms."""
        self.book: MarketLevel | None = None
        """The last received order book, until it is packed.

        The message keeps its whole frame in memory, so it is packed soon.
        """
        self._packed_book: bytes | None = None
        self.greeks: bytes | None = None
        """The last received OptionGreeks message, encoded; None except for an option."""
        self.iv: float | None = None
        """Implied volatility as a fraction; None except for an option."""

    def clear_book(self) -> None:
        """Forget the order book: the last received one cannot be used."""
        self.book = self._packed_book = None

    def pack_book(self) -> None:
        """Replace the order book by its encoding, which frees the frame."""
        if self.book is not None:
            self._packed_book = encode_levels(self.book)
            self.book = None

    def packed_book(self) -> bytes | None:
        """The last received order book as an encoded MarketLevel; None if there was none."""
        self.pack_book()
        return self._packed_book
