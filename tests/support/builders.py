"""Builds messages for tests, with defaults for the fields that a test does not set."""

import time
from typing import Any

from upstox_client.feeder.proto import MarketDataFeedV3_pb2 as pb

from services.persister.aggregation.quoted_trade import QuotedTrade, decode_quoted_trade
from shared.contracts.messages import Quote, encode

KEY = "NSE_EQ|INE002A01018"
OTHER_KEY = "NSE_INDEX|Nifty 50"
MONDAY_10_00 = 1_795_408_200_000
"""2026-11-23 10:00:00 IST, a Monday, and the start of a five-minute window."""


def quote(**fields: Any) -> Quote:
    """A quote of `KEY` at `MONDAY_10_00`."""
    defaults: dict[str, Any] = {
        "key": KEY,
        "epoch": 1,
        "seq": 1,
        "ts": MONDAY_10_00,
        "rt": 1_795_408_200_000_000,
        "ltt": MONDAY_10_00,
        "ltp": 1_400.0,
        "ltq": 10,
        "volume": 1_000,
    }
    return Quote(**(defaults | fields))


def quoted_trade(**fields: Any) -> QuotedTrade:
    """The same quote as the persister decodes it."""
    return decode_quoted_trade(encode(quote(**fields)))


def fresh_quote(**fields: Any) -> Quote:
    """A quote that ingest has received just now, by the clock of this machine."""
    return quote(rt=time.time_ns() // 1_000, **fields)


def full_feed(
    *,
    ltp: float = 0.0,
    ltt: int = 0,
    ltq: int = 0,
    cp: float = 0.0,
    vtt: int = 0,
    atp: float = 0.0,
    oi: float = 0.0,
    tbq: float = 0.0,
    tsq: float = 0.0,
    book: list[tuple[float, int, float, int]] | None = None,
    minute: tuple[int, float, float, float, float, int] | None = None,
    day: tuple[int, float, float, float] | None = None,
    iep: float = 0.0,
    ieq: int = 0,
    iv: float = 0.0,
    delta: float = 0.0,
) -> Any:
    """A `Feed` in full mode.

    `book` holds levels of (bid, bid quantity, ask, ask quantity). `minute` is a completed candle:
    start, open, high, low, close, volume. `day` is the running day: start, open, high, low.
    """
    feed = pb.Feed()
    market = feed.fullFeed.marketFF
    market.SetInParent()
    if ltp or ltt or ltq or cp:
        market.ltpc.ltp, market.ltpc.ltt, market.ltpc.ltq, market.ltpc.cp = ltp, ltt, ltq, cp
    market.vtt, market.atp, market.oi, market.tbq, market.tsq = vtt, atp, oi, tbq, tsq
    market.iep, market.ieq = iep, ieq
    for bid, bid_qty, ask, ask_qty in book or []:
        market.marketLevel.bidAskQuote.add(bidP=bid, bidQ=bid_qty, askP=ask, askQ=ask_qty)
    _add_candles(market.marketOHLC, minute, day)
    if iv or delta:
        market.iv, market.optionGreeks.delta = iv, delta
    return feed


def _add_candles(
    block: Any,
    minute: tuple[int, float, float, float, float, int] | None,
    day: tuple[int, float, float, float] | None,
) -> None:
    """The candles of the feed; without `day`, that of the day is of 1970."""
    if minute is None and day is None:
        return
    start, opened, high, low = day or (1, 1.0, 9_999.0, 1.0)
    block.ohlc.add(interval="1d", open=opened, high=high, low=low, close=2.0, ts=start, vol=99)
    if minute is not None:
        start, opened, high, low, close, volume = minute
        block.ohlc.add(
            interval="I1", open=opened, high=high, low=low, close=close, ts=start, vol=volume
        )


def index_feed(
    *,
    ltp: float,
    ltt: int,
    cp: float = 0.0,
    minute: tuple[int, float, float, float, float, int] | None = None,
    day: tuple[int, float, float, float] | None = None,
) -> Any:
    """A `Feed` of an index in full mode; `minute` and `day` as in `full_feed`."""
    feed = pb.Feed()
    _add_candles(feed.fullFeed.indexFF.marketOHLC, minute, day)
    ltpc = feed.fullFeed.indexFF.ltpc
    ltpc.ltp, ltpc.ltt, ltpc.cp = ltp, ltt, cp
    return feed


def ltpc_feed(
    *, ltp: float = 0.0, ltt: int = 0, ltq: int = 0, cp: float = 0.0, iep: float = 0.0
) -> Any:
    """A `Feed` in mode ltpc."""
    feed = pb.Feed()
    feed.ltpc.ltp, feed.ltpc.ltt, feed.ltpc.ltq, feed.ltpc.cp = ltp, ltt, ltq, cp
    if iep:
        feed.ltpc.iep.value = iep
    return feed


def greeks_feed(
    *,
    vtt: int = 0,
    oi: float = 0.0,
    iv: float = 0.0,
    delta: float = 0.0,
    first: tuple[float, int, float, int] | None = None,
    **ltpc: Any,
) -> Any:
    """A `Feed` in mode option_greeks; `first` is the best level of the book."""
    feed = pb.Feed()
    block = feed.firstLevelWithGreeks
    block.vtt, block.oi, block.iv = vtt, oi, iv
    if delta:
        block.optionGreeks.delta = delta
    if ltpc:
        block.ltpc.CopyFrom(ltpc_feed(**ltpc).ltpc)
    if first is not None:
        depth = block.firstDepth
        depth.bidP, depth.bidQ, depth.askP, depth.askQ = first
    return feed
