"""What a program gets: quotes, order books, bars, and news of the stream itself.

Absent means unknown, never zero: such a field is None. Times are Unix milliseconds of
exchange time, except `rt`, which is when Trade Dad received it, in microseconds.
"""

from enum import StrEnum
from typing import Any, Final

import msgspec


class Channel(StrEnum):
    """What a stream can carry."""

    QUOTES = "quotes"
    DEPTH = "depth"
    BARS = "bars"
    ORDERS = "orders"
    STATUS = "status"


class Outcome(StrEnum):
    """What became of a key that was subscribed to; another may be added some day."""

    LIVE = "live"
    """The feed carries it."""
    PENDING = "pending"
    """Asked of the feed; another outcome follows."""
    NO_CAPACITY = "no_capacity"
    """The feed is full; it begins by itself when there is room."""
    UNKNOWN = "unknown"
    """No such instrument."""


EVERYTHING: Final = "*"
"""As a key: every instrument that the feed carries; ``NSE_EQ|*``: every one of the segment."""


class Quote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The whole current state of an instrument; a later one replaces any earlier one."""

    key: str
    """Instrument key, e.g. ``NSE_EQ|INE002A01018``."""
    epoch: int
    seq: int
    """With `epoch`, the order of an instrument's quotes; the greater pair is the newer."""
    ts: int
    """Feed time."""
    rt: int
    """When Trade Dad received it, epoch microseconds."""
    ltt: int | None = None
    """Last trade time."""
    ltp: float | None = None
    """Last traded price."""
    ltq: int | None = None
    """Last traded quantity."""
    cp: float | None = None
    """Previous close."""
    volume: int | None = None
    """Cumulative volume of the day."""
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
    """It comes from a snapshot of Upstox's feed, which makes no trade."""
    snapshot: bool = False
    """It tells where things stand, and may be of any age: it came on subscribing, after a
    reconnect, or because newer ones took the place of others on the way."""


class Greeks(msgspec.Struct, frozen=True, kw_only=True):
    """Sensitivities of an option's price."""

    delta: float
    theta: float
    gamma: float
    vega: float
    rho: float


class Depth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The order book of an instrument; a later one replaces any earlier one."""

    key: str
    epoch: int
    seq: int
    ts: int
    rt: int
    bids: tuple[tuple[float, int], ...]
    """Price and quantity, the best first."""
    asks: tuple[tuple[float, int], ...]
    greeks: Greeks | None = None
    """Of an option."""
    iv: float | None = None
    """Implied volatility of an option, as a fraction."""
    snapshot: bool = False
    """As of a quote."""


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """Five minutes of an instrument; one that comes again with the same `start` amends it."""

    key: str
    start: int
    """Start of the window; it holds trades from `start` until before `start` + 5 min."""
    open: float
    high: float
    low: float
    close: float
    ltq: int | None
    """As the window's last quote with a trade told it, like `ltt`, `atp` and `oi`."""
    ltt: int | None
    volume: int | None
    """Traded in the window; None for an index."""
    vtt: int | None
    """Cumulative volume of the day at the window's last trade; None for an index."""
    atp: float | None
    oi: int | None
    ticks: int
    """Quotes with a new trade that were seen in the window."""
    state: str
    """``complete``, ``partial`` (a trade may be missing) or ``repaired``."""
    silent_ms: int
    """How long the feed was not live within the window."""
    epoch: int


class FeedStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What Trade Dad can say of its connection to the market."""

    state: str
    """``live``, ``closed``, ``connecting``, ``stale``, ``unauthorised``, ``failing_over``."""
    since: int
    """When this state began, epoch ms."""
    epoch: int
    segments: dict[str, str] = {}
    """Status of each market segment, in Upstox's words."""
    detail: str = ""
    stale: tuple[str, ...] = ()
    """Instruments that have been silent for long while their segment trades."""


class OrderEvent(msgspec.Struct, frozen=True):
    """Something happened to an order of this user; `data` is as Trade Dad told it."""

    data: dict[str, Any]


class Gap(msgspec.Struct, frozen=True):
    """Messages of this channel may be missing before what follows: ask for them by REST."""

    channel: Channel


class Connected(msgspec.Struct, frozen=True):
    """The stream is open and the token was accepted."""

    user_id: str


class Renewed(msgspec.Struct, frozen=True):
    """A new token was accepted, and the stream goes on."""

    expires_at: int
    """Unix seconds."""


class Disconnected(msgspec.Struct, frozen=True):
    """The stream was lost, or could not be opened; the next attempt follows."""

    reason: str
    retry_in_secs: float


class OutcomesChanged(msgspec.Struct, frozen=True):
    """What became of keys that were subscribed to."""

    channel: Channel
    results: dict[str, str]


Event = Connected | Renewed | Disconnected | OutcomesChanged | Gap
