"""The current state of one instrument, laid out as the quote that is published."""

from typing import Final

import msgspec

from services.ingest.feed.wire import encode_levels
from services.ingest.feed.wire_types import MarketLevel
from shared.contracts.messages import QuoteState
from shared.contracts.subjects import candle_subject, depth_subject, quote_subject

encode_quote: Final = msgspec.json.Encoder().encode
"""A state as the JSON of its quote. It is encoded in place, so a tick allocates no new quote."""


class InstrumentState:
    """One instrument during a term: its quote, and the values that a quote does not carry."""

    __slots__ = (
        "_packed_book",
        "book",
        "candle_subject",
        "day",
        "depth_subject",
        "greeks",
        "iv",
        "key",
        "last_minute_ms",
        "next_minute_ms",
        "quote",
        "quote_subject",
    )

    def __init__(self, key: str, epoch: int) -> None:
        """Raises InvalidField if `key` is not an instrument key."""
        self.key = key
        self.quote = QuoteState(key=key, epoch=epoch, seq=0, ts=0, rt=0)
        self.quote_subject = quote_subject(key).encode()
        self.candle_subject = candle_subject(key).encode()
        self.depth_subject = depth_subject(key).encode()
        self.day: int | None = None
        """The trading day (`trading_day`) of the last message."""
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

    def begin_day(self, day: int) -> None:
        """Forget the values of the day before: they are not those of `day`."""
        self.day = day
        quote = self.quote
        quote.volume = quote.atp = quote.open = quote.high = quote.low = None

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
