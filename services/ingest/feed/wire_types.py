"""Types of the feed's messages, as read by ingest.

The classes that protobuf generates carry no types. These Protocols describe the fields that
ingest reads; docs/upstox-feed.md has the schema. A number that was not sent reads as zero,
and a message that was not sent as an empty one (proto3).
"""

# ruff: noqa: N815  (the names are those of Upstox's schema)

from collections.abc import Mapping, Sequence
from typing import Protocol


class DoubleValue(Protocol):
    """A number whose absence is told from zero."""

    value: float


class Ltpc(Protocol):
    """The last trade and the previous close."""

    ltp: float
    """Last traded price, rupees."""
    ltt: int
    """Last trade time, epoch ms."""
    ltq: int
    """Last traded quantity."""
    cp: float
    """Previous close, rupees."""
    iep: DoubleValue
    """Indicative price of a running auction, rupees; not sent otherwise."""


class BookLevel(Protocol):
    """One level of the order book (Upstox: Quote); prices in rupees."""

    bidQ: int
    bidP: float
    askQ: int
    askP: float


class MarketLevel(Protocol):
    """The order book."""

    bidAskQuote: Sequence[BookLevel]
    """Best level first."""


class OptionGreeks(Protocol):
    """Sensitivities of an option's price."""

    delta: float
    theta: float
    gamma: float
    vega: float
    rho: float


class Ohlc(Protocol):
    """One candle; prices in rupees."""

    interval: str
    """``I1`` is a minute, ``1d`` the day."""
    open: float
    high: float
    low: float
    close: float
    vol: int
    ts: int
    """Start of the candle, epoch ms."""


class MarketOhlc(Protocol):
    """The current candles, one of each interval."""

    ohlc: Sequence[Ohlc]


class OptionBlock(Protocol):
    """The fields of an option that both a full and a partial feed have."""

    optionGreeks: OptionGreeks
    iv: float
    """Implied volatility as a fraction."""


class MarketFullFeed(OptionBlock, Protocol):
    """An instrument that is traded, in mode `full` or `full_d30`."""

    ltpc: Ltpc
    marketLevel: MarketLevel
    marketOHLC: MarketOhlc
    atp: float
    """Average traded price of the day, rupees."""
    vtt: int
    """Cumulative volume of the day."""
    oi: float
    """Open interest."""
    tbq: float
    """Total buy quantity in the order book."""
    tsq: float
    """Total sell quantity in the order book."""
    iep: float
    """Indicative price of a running auction, rupees."""
    ieq: int
    """Indicative quantity of a running auction."""


class IndexFullFeed(Protocol):
    """An index in mode `full`."""

    ltpc: Ltpc
    marketOHLC: MarketOhlc


class FullFeed(Protocol):
    """Exactly one of the two is set."""

    marketFF: MarketFullFeed
    indexFF: IndexFullFeed


class FirstLevelWithGreeks(OptionBlock, Protocol):
    """An instrument in mode `option_greeks`."""

    ltpc: Ltpc
    firstDepth: BookLevel
    vtt: int
    oi: float


class Feed(Protocol):
    """One instrument in a message; at most one of the three is set."""

    ltpc: Ltpc
    fullFeed: FullFeed
    firstLevelWithGreeks: FirstLevelWithGreeks


class MarketInfo(Protocol):
    """The status of market segments."""

    segmentStatus: Mapping[str, int]
    """MarketStatus by segment."""


class FeedResponse(Protocol):
    """One message of the feed."""

    type: int
    """``INITIAL_FEED``, ``LIVE_FEED`` or ``MARKET_INFO`` of `wire`."""
    feeds: Mapping[str, Feed]
    """By instrument key."""
    currentTs: int
    """Feed time, epoch ms."""
    marketInfo: MarketInfo
