"""The current state of one instrument, in the very form in which a quote tells it."""

from typing import Any, Final

import msgspec

from shared.contracts.subjects import candle_subject, depth_subject, quote_subject


class QuoteState(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """A quote that changes: the fields, their order and the JSON of `shared.messages.Quote`.

    It is encoded as it stands, so a tick makes no new object. None is what the feed has
    not said.
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
    """One instrument during a term: its quote, and what is not told with every quote."""

    __slots__ = (
        "_packed",
        "book",
        "candle_subject",
        "depth_subject",
        "greeks",
        "iv",
        "key",
        "minute",
        "next_minute",
        "quote",
        "quote_subject",
        "volume_day",
    )

    def __init__(self, key: str, epoch: int) -> None:
        """Raises InvalidField if `key` is no instrument key."""
        self.key = key
        self.quote = QuoteState(key=key, epoch=epoch, seq=0, ts=0, rt=0)
        self.quote_subject = quote_subject(key).encode()
        self.candle_subject = candle_subject(key).encode()
        self.depth_subject = depth_subject(key).encode()
        self.volume_day: int | None = None
        """Trading day that volume and average price belong to."""
        self.minute = 0
        """Start of the last completed minute that was told."""
        self.next_minute = 0
        """Feed time before which no later one can be complete."""
        self.book: Any = None
        """The message with the order book as it was told last. It keeps its whole frame in
        memory, so it is packed soon."""
        self._packed: bytes | None = None
        self.greeks: bytes | None = None
        """Of an option, as the feed told them last."""
        self.iv: float | None = None

    def pack_book(self) -> None:
        """Keep the order book without its frame."""
        if self.book is not None:
            self._packed = self.book.SerializeToString()
            self.book = None

    def packed_book(self) -> bytes | None:
        """The encoded MarketLevel that was told last; None if there was none."""
        self.pack_book()
        return self._packed
