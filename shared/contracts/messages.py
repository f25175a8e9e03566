"""The messages on the bus: their fields, units and JSON form.

Absent means unknown, never zero. All times are Unix epoch milliseconds of exchange
time, except `Quote.rt`, which is our own receive time in microseconds.
"""

from enum import StrEnum
from typing import Final

import msgspec


class FeedState(StrEnum):
    """What ingest can say of its market-data connection."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    CLOSED = "closed"
    UNAUTHORISED = "unauthorised"
    FAILING_OVER = "failing_over"


class Quote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The whole current state of one instrument; a later one replaces any earlier one."""

    key: str
    """Instrument key, e.g. ``NSE_EQ|INE002A01018``."""
    epoch: int
    """Lease epoch of the ingest leader that published it."""
    seq: int
    """Counts this instrument's quotes within the epoch, from 1, without gaps."""
    ts: int
    """Feed time."""
    rt: int
    """When ingest received the frame, epoch microseconds."""
    ltt: int | None = None
    """Last trade time."""
    ltp: float | None = None
    """Last traded price."""
    ltq: int | None = None
    """Last traded quantity."""
    cp: float | None = None
    """Previous close."""
    volume: int | None = None
    """Cumulative volume of the day (Upstox: vtt)."""
    atp: float | None = None
    """Average traded price of the day."""
    oi: int | None = None
    """Open interest."""
    bid: float | None = None
    bid_qty: int | None = None
    ask: float | None = None
    ask_qty: int | None = None
    tbq: int | None = None
    """Total buy quantity in the book."""
    tsq: int | None = None
    """Total sell quantity in the book."""
    snap: bool = False
    """True if it came from a snapshot: it tells the state, and makes no trade."""


class ClockTick(msgspec.Struct, frozen=True, kw_only=True):
    """How far the stream has come in exchange time; moves time on when nobody trades."""

    ts: int
    """Exchange time; goes on with our clock while the feed is live and says nothing."""
    feed_ts: int
    """Exchange time that the feed itself has told last."""
    epoch: int
    seq: int
    """Quotes published in this epoch so far, over all instruments."""
    state: FeedState


class FeedStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The feed's state and the market segments' status, for people and programs."""

    state: FeedState
    since: int
    """When this state began, epoch ms of wall time."""
    epoch: int
    segments: dict[str, str] = {}
    """Market status by segment, as Upstox names them, e.g. ``NORMAL_OPEN``."""
    detail: str = ""
    stale: list[str] = []
    """Live instruments whose segment trades and that have been silent for long, by key; the
    longest silent first, and not more than fit in a message."""


class Candle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A completed minute of one instrument, as Upstox made it of every trade in it."""

    key: str
    start: int
    """Start of the minute."""
    open: float
    high: float
    low: float
    close: float
    volume: int | None = None
    """Traded in the minute; None for an index."""
    epoch: int
    ts: int
    """Feed time at which it was told first."""


class Greeks(msgspec.Struct, frozen=True, kw_only=True):
    """Sensitivities of an option's price, as Upstox computes them."""

    delta: float
    theta: float
    gamma: float
    vega: float
    rho: float


Levels = list[tuple[float, int]]
"""Price and quantity, best first."""


class Depth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The order book of one instrument; a later one replaces any earlier one."""

    key: str
    epoch: int
    seq: int
    """Of the quote that tells the same moment."""
    ts: int
    """Feed time at which the book was told."""
    rt: int
    """When ingest received it, epoch microseconds."""
    bids: Levels
    asks: Levels
    greeks: Greeks | None = None
    """Of an option only."""
    iv: float | None = None
    """Implied volatility of an option, as a fraction."""


class BarState(StrEnum):
    """How far a bar can be trusted."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    REPAIRED = "repaired"


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A five-minute bar of one instrument."""

    key: str
    start: int
    """Start of the window; it holds trades from `start` until before `start` + 5 min."""
    open: float
    high: float
    low: float
    close: float
    """Last traded price in the window."""
    ltq: int | None
    """As the window's last quote with a trade told it, like `ltt`, `atp` and `oi`; the feed
    may have hidden a later trade. None for an index, or if no quote showed a trade."""
    ltt: int | None
    volume: int | None
    """Traded in the window; None for an index."""
    vtt: int | None
    """Cumulative volume of the day at the window's last trade; None for an index."""
    atp: float | None
    oi: int | None
    ticks: int
    """Quotes with a new trade that were seen in the window."""
    state: BarState
    """`partial` if some trade of the window may be missing in it."""
    silent_ms: int
    """Exchange time in the window for which the feed was not live. What was traded then may
    still be known, from candles or because the volume did not rise."""
    epoch: int
    """Lease epoch of the ingest leader whose quotes closed the bar."""


_encoder: Final = msgspec.json.Encoder()
_quote_decoder: Final = msgspec.json.Decoder(Quote)
_clock_decoder: Final = msgspec.json.Decoder(ClockTick)
# A quote's first fields are key, epoch and seq; within the key a quote mark is escaped.
_EPOCH: Final = b'"epoch":'
_SEQ: Final = b',"seq":'
_status_decoder: Final = msgspec.json.Decoder(FeedStatus)
_candle_decoder: Final = msgspec.json.Decoder(Candle)
_depth_decoder: Final = msgspec.json.Decoder(Depth)


def encode(message: Quote | ClockTick | FeedStatus | Candle | Depth | Bar) -> bytes:
    """A message as JSON; numbers keep every digit the feed gave."""
    return _encoder.encode(message)


def decode_quote(data: bytes) -> Quote:
    """Raises msgspec.DecodeError (of which ValidationError is one) if `data` is no quote."""
    return _quote_decoder.decode(data)


def order_of(encoded_quote: bytes) -> tuple[int, int]:
    """(epoch, seq) of a quote, read from its bytes without decoding the rest.

    Of two quotes of one instrument the greater is the newer. Raises ValueError if the
    bytes are not of our encoding.
    """
    at = encoded_quote.index(_EPOCH) + len(_EPOCH)
    comma = encoded_quote.index(b",", at)
    if not encoded_quote.startswith(_SEQ, comma):
        raise ValueError("seq does not follow epoch")
    end = encoded_quote.index(b",", comma + 1)
    return int(encoded_quote[at:comma]), int(encoded_quote[comma + len(_SEQ) : end])


def decode_clock(data: bytes) -> ClockTick:
    """Raises msgspec.DecodeError if `data` is no clock tick."""
    return _clock_decoder.decode(data)


def decode_status(data: bytes) -> FeedStatus:
    """Raises msgspec.DecodeError if `data` is no feed status."""
    return _status_decoder.decode(data)


def decode_candle(data: bytes) -> Candle:
    """Raises msgspec.DecodeError if `data` is no candle."""
    return _candle_decoder.decode(data)


def decode_depth(data: bytes) -> Depth:
    """Raises msgspec.DecodeError if `data` is no order book."""
    return _depth_decoder.decode(data)
