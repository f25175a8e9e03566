"""Messages that a program receives: quotes, order books, bars and events of the stream.

A field that is None is unknown, never zero. Times are Unix milliseconds of exchange time,
except `rt`, the time of receipt by Trade Dad in Unix microseconds.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from tradedad_client.times import in_india


class Channel(StrEnum):
    """Channels of a stream."""

    QUOTES = "quotes"
    DEPTH = "depth"
    CHAIN = "chain"
    CANDLES = "candles"
    BARS = "bars"
    ORDERS = "orders"
    STATUS = "status"


class Outcome(StrEnum):
    """Result of subscribing to a key; later versions may add others."""

    LIVE = "live"
    """The feed delivers the instrument."""
    PENDING = "pending"
    """Requested from the feed; another outcome follows."""
    NO_CAPACITY = "no_capacity"
    """The feed is full; delivery starts when capacity becomes free."""
    UNKNOWN = "unknown"
    """No such instrument."""
    NEEDS_PLUS = "needs_plus"
    """The plan of the Upstox account has no order books of 30 levels."""


DEEP_SUFFIX: Final = "|30"
"""Follows the key in a subscription to an order book of 30 levels."""
FEW_LEVELS: Final = 5
"""Levels of any other order book."""
EVERYTHING: Final = "*"
"""Wildcard key for every instrument; ``NSE_EQ|*`` stands for every instrument of a segment."""


class Quote(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Complete current state of an instrument; a later quote replaces any earlier one."""

    key: str
    """Instrument key, e.g. ``NSE_EQ|INE002A01018``."""
    epoch: int
    seq: int
    """(`epoch`, `seq`) orders the quotes of an instrument; the greater pair is the newer."""
    ts: int
    """Feed time."""
    rt: int
    """Time of receipt by Trade Dad, Unix microseconds."""
    ltt: int | None = None
    """Last trade time."""
    ltp: float | None = None
    """Last traded price."""
    ltq: int | None = None
    """Last traded quantity."""
    cp: float | None = None
    """Previous close."""
    open: float | None = None
    """The day's first price; like `high` and `low` unknown before the day's first trade."""
    high: float | None = None
    low: float | None = None
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
    iep: float | None = None
    """Indicative price of a running auction: what it would match at now. It is no trade."""
    ieq: int | None = None
    """Indicative quantity of a running auction."""
    snap: bool = False
    """True if the quote comes from a snapshot of Upstox's feed, which is not a new trade."""
    snapshot: bool = False
    """True if the quote may be of any age: it came on subscribing, after a reconnect, or
    because the gateway conflated quotes."""

    @property
    def time(self) -> datetime:
        """The feed's time, in IST."""
        return in_india(self.ts)


class Greeks(msgspec.Struct, frozen=True, kw_only=True):
    """Sensitivities of an option's price."""

    delta: float
    theta: float
    gamma: float
    vega: float
    rho: float


class Depth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Order book of an instrument; a later one replaces any earlier one."""

    key: str
    epoch: int
    seq: int
    ts: int
    rt: int
    bids: tuple[tuple[float, int], ...]
    """Price and quantity of each level, best first."""
    asks: tuple[tuple[float, int], ...]
    levels: int = 5
    """How many levels of each side the feed gives: 5, or 30 with Upstox Plus."""
    greeks: Greeks | None = None
    """Options only."""
    iv: float | None = None
    """Implied volatility of an option, as a fraction."""
    snapshot: bool = False
    """As for a quote."""


class OptionState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One option of a chain."""

    key: str
    """Instrument key."""
    ltt: int | None = None
    """Last trade time."""
    ltp: float | None = None
    """Last traded price."""
    cp: float | None = None
    """Previous close."""
    volume: int | None = None
    """Cumulative volume of the day."""
    oi: int | None = None
    """Open interest."""
    bid: float | None = None
    bid_qty: int | None = None
    ask: float | None = None
    ask_qty: int | None = None
    iv: float | None = None
    """Implied volatility, as a fraction."""
    greeks: Greeks | None = None


class ChainRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The call and the put of one strike; None if there is no such contract."""

    strike: float
    call: OptionState | None = None
    put: OptionState | None = None


class Chain(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The strikes of an option chain around the price of its underlying.

    A later one replaces any earlier one. The window moves with the price.
    """

    key: str
    """Key of the subscription, ``UNDERLYING|EXPIRY|STRIKES``."""
    epoch: int
    seq: int
    """(`epoch`, `seq`) orders the messages of a chain; the greater pair is the newer."""
    ts: int
    """Feed time of the newest price."""
    rt: int
    """When Trade Dad made this message, Unix microseconds."""
    underlying: str
    """Instrument key of the underlying."""
    expiry: str
    """``YYYY-MM-DD``."""
    ltp: float | None = None
    """Last traded price of the underlying."""
    atm: float
    """The strike at the money."""
    rows: tuple[ChainRow, ...]
    """Lowest strike first."""
    snapshot: bool = False
    """As for a quote."""


class Candle(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Completed minute of an instrument; Upstox computes it from all trades."""

    key: str
    start: int
    """Start of the minute."""
    open: float
    high: float
    low: float
    close: float
    volume: int | None = None
    """Volume traded in the minute; None for an index."""
    epoch: int
    ts: int
    """Feed time of the message that first contained it."""

    @property
    def time(self) -> datetime:
        """The minute's start, in IST."""
        return in_india(self.start)


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """Five-minute bar; a later one with the same `key` and `start` replaces it."""

    key: str
    start: int
    """Start of the window, which ends before `start` + 5 minutes."""
    open: float
    high: float
    low: float
    close: float
    ltq: int | None
    """From the last quote with a trade in the window, like `ltt`, `atp` and `oi`."""
    ltt: int | None
    volume: int | None
    """Volume traded in the window; None for an index."""
    vtt: int | None
    """Cumulative volume of the day at the last trade of the window; None for an index."""
    atp: float | None
    oi: int | None
    ticks: int
    """Number of quotes with a new trade in the window."""
    state: str
    """``complete``, ``partial`` (a trade may be missing) or ``repaired``. The window is over, so
    it is never ``forming``, the state of a 15m, 1h or 1d bar by REST before its end."""
    silent_ms: int
    """How long the feed was not live during the window, in milliseconds."""
    epoch: int

    @property
    def time(self) -> datetime:
        """The bar's start, in IST."""
        return in_india(self.start)


class FeedStatus(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """State of Trade Dad's connection to the market."""

    state: str
    """``live``, ``closed``, ``connecting``, ``stale``, ``unauthorised``, ``failing_over``."""
    since: int
    """When this state began, Unix milliseconds."""
    epoch: int
    segments: dict[str, str] = {}
    """Upstox's status of each market segment."""
    detail: str = ""
    at: int | None = None
    """When this was published, Unix milliseconds."""
    simulated: bool | None = None
    """Whether the prices come from a simulator, not from the market."""
    stale: tuple[str, ...] = ()
    """Instruments without updates for a long time while their segment trades."""


class OrderEvent(msgspec.Struct, frozen=True):
    """An event of one of this user's orders; `data` is the event as published."""

    data: dict[str, Any]


class Gap(msgspec.Struct, frozen=True):
    """Messages of this channel may be missing before the next one; fetch them by REST."""

    channel: Channel


class Connected(msgspec.Struct, frozen=True):
    """The stream is open and the token was accepted."""

    user_id: str


class Renewed(msgspec.Struct, frozen=True):
    """A newer token was accepted on the open stream."""

    expires_at: int
    """Unix seconds."""


class Disconnected(msgspec.Struct, frozen=True):
    """The stream was lost or could not be opened; the client tries again."""

    reason: str
    retry_in_secs: float


class Heartbeat(msgspec.Struct, frozen=True):
    """The gateway is alive; it reports so at an interval, by default every 10 s."""

    now: int
    """The gateway's clock, Unix milliseconds."""
    feed_is_current: bool
    """Whether the gateway receives the state of the feed. If not, prices may be outdated."""


class OutcomesChanged(msgspec.Struct, frozen=True):
    """The gateway reported the outcomes of keys."""

    channel: Channel
    results: dict[str, str]


Event = Connected | Renewed | Disconnected | OutcomesChanged | Gap | Heartbeat
