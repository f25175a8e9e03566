"""The messages on the bus: their fields, units and JSON encoding.

An absent field means unknown, never zero. Prices are in rupees. Times are Unix epoch
milliseconds of exchange time, except `rt`, the time of receipt in epoch microseconds.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from shared.contracts.strict_json import json_decoder

# The ranges that every reader can rely on. JSON has no NaN and no infinity.
Price = Annotated[float, msgspec.Meta(gt=0, lt=1e9)]
Quantity = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
TimeMs = Annotated[int, msgspec.Meta(ge=0, lt=100_000_000_000_000)]
"""Epoch milliseconds before the year 5138: microseconds and nanoseconds are refused."""
Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""An epoch or a count."""


class FeedState(StrEnum):
    """State of ingest's market-data connection; docs/bus.md defines each state."""

    CONNECTING = "connecting"
    LIVE = "live"
    STALE = "stale"
    CLOSED = "closed"
    UNAUTHORISED = "unauthorised"
    FAILING_OVER = "failing_over"


class QuoteState(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """The fields of a quote, in the order of its JSON.

    Mutable, so that ingest can keep the state of an instrument in it and encode it in place.
    """

    key: str
    """Instrument key, e.g. `NSE_EQ|INE002A01018`."""
    epoch: Number
    """Term of the ingest leader; a later leader has a higher epoch."""
    seq: Number
    """Count of this instrument's quotes in the epoch, from 1. It rises, and skips numbers when
    quotes were replaced by newer ones or lost with a connection."""
    ts: TimeMs
    """Time of the feed's message."""
    rt: Number
    """Time of receipt by Trade Dad, Unix microseconds."""
    ltt: TimeMs | None = None
    """Last trade time."""
    ltp: Price | None = None
    """Last traded price."""
    ltq: Quantity | None = None
    """Last traded quantity."""
    cp: Price | None = None
    """Previous close."""
    open: Price | None = None
    """The day's first price; like `high` and `low` unknown before the day's first trade."""
    high: Price | None = None
    """The day's highest price."""
    low: Price | None = None
    """The day's lowest price."""
    volume: Quantity | None = None
    """The day's cumulative volume."""
    atp: Price | None = None
    """The day's average traded price."""
    oi: Quantity | None = None
    """Open interest."""
    bid: Price | None = None
    """Best bid price in the order book."""
    bid_qty: Quantity | None = None
    """Quantity at the best bid."""
    ask: Price | None = None
    """Best ask price in the order book."""
    ask_qty: Quantity | None = None
    """Quantity at the best ask."""
    tbq: Quantity | None = None
    """Total buy quantity in the order book."""
    tsq: Quantity | None = None
    """Total sell quantity in the order book."""
    iep: Price | None = None
    """Indicative price of a running auction: what it would match at now. It is no trade."""
    ieq: Quantity | None = None
    """Indicative quantity of a running auction: what it would match now. It is no trade."""
    snap: bool = False
    """True if the quote comes from a snapshot of the feed, which is not a new trade."""


# A frozen class may not inherit from a mutable one, since code that has a QuoteState could then
# change a Quote. Only ingest has states, and it gives none of them away.
class Quote(  # type: ignore[misc]
    QuoteState, frozen=True, kw_only=True, omit_defaults=True, gc=False
):
    """The complete current state of an instrument; a later quote replaces any earlier one."""


class ClockTick(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The exchange time that the stream has reached; advances also when nothing trades."""

    ts: TimeMs
    """Exchange time; advances with ingest's clock while the feed is live and sends nothing."""
    feed_ts: TimeMs
    """The last exchange time that the feed itself sent."""
    epoch: Number
    seq: Number
    """Number of quotes published in this epoch so far, over all instruments."""
    state: FeedState
    unsubscribed: tuple[str, ...] = ()
    """Keys without quotes from now on, which no tick before has named: their subscription ended."""


class FeedStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The feed's state and the status of the market segments."""

    state: FeedState
    since: int
    """When this state began, epoch ms of ingest's clock."""
    epoch: int
    segments: dict[str, str] = {}
    """Upstox's market status by segment, e.g. ``NORMAL_OPEN``."""
    detail: str = ""
    """The reason for the state, for people."""
    at: int | None = None
    """When ingest published this message, epoch ms of ingest's clock."""
    simulated: bool | None = None
    """Whether the feed comes from a simulator, so that no price is of the real market."""
    stale: list[str] = []
    """Keys of live instruments without data for long while their segment trades; the longest
    silence first, at most as many as fit in a message."""


class Candle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A completed minute of one instrument; Upstox computes it from all trades."""

    key: str
    start: TimeMs
    """Start of the minute."""
    open: Price
    high: Price
    low: Price
    close: Price
    volume: Quantity | None = None
    """Quantity traded in the minute; None for an index."""
    epoch: Number
    """Lease epoch of the ingest leader that published it."""
    ts: TimeMs
    """Time of the first frame that contained it."""


class Greeks(msgspec.Struct, frozen=True, kw_only=True):
    """Sensitivities of an option's price, as Upstox computes them."""

    delta: float
    theta: float
    gamma: float
    vega: float
    rho: float


Levels = list[tuple[float, int]]
"""Price and quantity, best first."""
MAX_LEVELS: Final = 30
"""Levels of an order book with Upstox Plus."""


class Depth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The order book of one instrument; a later one replaces an earlier one."""

    key: str
    epoch: Number
    """Lease epoch of the ingest leader that published it."""
    seq: Number
    """`seq` of the quote for the same moment."""
    ts: TimeMs
    """Time of the feed's frame."""
    rt: Number
    """When ingest received the frame, epoch microseconds."""
    bids: Levels
    asks: Levels
    levels: Number = 5
    """How many levels of each side the feed gives: 5, or 30 with Upstox Plus."""
    greeks: Greeks | None = None
    """For an option only."""
    iv: float | None = None
    """Implied volatility of an option, as a fraction."""


class BarState(StrEnum):
    """How complete a bar is; docs/bars.md defines each state."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    REPAIRED = "repaired"


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A five-minute bar of one instrument."""

    key: str
    start: int
    """Start of the window; the bar holds trades from `start` to before `start` + 5 min."""
    open: float
    high: float
    low: float
    close: float
    """Last traded price in the window."""
    ltq: int | None
    """From the window's last quote with a trade, like `ltt`, `atp` and `oi`; the feed may have
    omitted a later trade. None for an index, or if no quote showed a trade."""
    ltt: int | None
    volume: int | None
    """Quantity traded in the window; None for an index."""
    vtt: int | None
    """Cumulative volume of the day at the window's last trade; None for an index."""
    atp: float | None
    oi: int | None
    ticks: int
    """Number of quotes in the window that showed a new trade."""
    state: BarState
    """`partial` if a trade of the window may be missing in the bar."""
    silent_ms: int
    """Exchange time in the window during which the feed was not live. The bar can be complete
    nevertheless: from candles, or because the volume did not rise."""
    epoch: int
    """Lease epoch of the ingest leader whose quotes closed the bar."""


_encoder: Final = msgspec.json.Encoder()
_quote_decoder: Final = json_decoder(Quote)
_clock_decoder: Final = json_decoder(ClockTick)
_status_decoder: Final = json_decoder(FeedStatus)
_candle_decoder: Final = json_decoder(Candle)
_depth_decoder: Final = json_decoder(Depth)


def encode(message: Quote | ClockTick | FeedStatus | Candle | Depth | Bar) -> bytes:
    """A message as JSON; numbers keep every digit that the feed sent."""
    return _encoder.encode(message)


def decode_quote(data: bytes) -> Quote:
    """Raises msgspec.DecodeError (ValidationError is a subclass) if `data` is not a quote."""
    return _quote_decoder(data)


def decode_clock(data: bytes) -> ClockTick:
    """Raises msgspec.DecodeError if `data` is not a clock tick."""
    return _clock_decoder(data)


def decode_status(data: bytes) -> FeedStatus:
    """Raises msgspec.DecodeError if `data` is not a feed status."""
    return _status_decoder(data)


def decode_candle(data: bytes) -> Candle:
    """Raises msgspec.DecodeError if `data` is not a candle."""
    return _candle_decoder(data)


def decode_depth(data: bytes) -> Depth:
    """Raises msgspec.DecodeError if `data` is not an order book."""
    return _depth_decoder(data)
