"""Encodes the state of one instrument as an entry of a frame, with the SDK's protobuf classes."""

from typing import Any, Final

from upstox_client.feeder.proto import MarketDataFeedV3_pb2

from services.simulator.feed.modes import Mode
from services.simulator.market.book import LEVELS, Level, OrderBook
from services.simulator.market.state import Candle, SimulatedState

# The generated module creates its classes at run time, so type checkers cannot check them.
pb: Final[Any] = MarketDataFeedV3_pb2
_FULL_LEVELS: Final = 5


def entry(state: SimulatedState, mode: Mode, now_ms: int, *, with_book: bool) -> bytes:
    """One instrument as a FeedResponse without type and time.

    Without `with_book` the modes `full` and `full_d30` omit the order book and the greeks.
    """
    message = pb.FeedResponse()
    feed = message.feeds[state.instrument.key]
    match mode:
        case Mode.LTPC:
            feed.requestMode = pb.ltpc
            _put_ltpc(feed.ltpc, state)
        case Mode.OPTION_GREEKS:
            feed.requestMode = pb.option_greeks
            _put_first_level(feed.firstLevelWithGreeks, state)
        case Mode.FULL:
            feed.requestMode = pb.full_d5
            _put_full(feed.fullFeed, state, now_ms, _FULL_LEVELS if with_book else 0)
        case Mode.FULL_D30:
            feed.requestMode = pb.full_d30
            _put_full(feed.fullFeed, state, now_ms, LEVELS if with_book else 0)
    return bytes(message.SerializeToString())


def _put_ltpc(ltpc: Any, state: SimulatedState) -> None:
    ltpc.ltp = state.ltp_paise / 100
    ltpc.ltt = state.ltt_ms
    ltpc.ltq = state.ltq
    ltpc.cp = state.close_paise / 100
    if state.indicative_paise:
        ltpc.iep.value = state.indicative_paise / 100


def _put_first_level(feed: Any, state: SimulatedState) -> None:
    _put_ltpc(feed.ltpc, state)
    if state.book is None:
        return
    _put_first(feed.firstDepth, state.book.depth(1)[0])
    _put_greeks(feed.optionGreeks, state)
    feed.vtt = state.vtt
    feed.oi = state.oi
    feed.iv = state.iv


def _put_full(feed: Any, state: SimulatedState, now_ms: int, levels: int) -> None:
    book = state.book
    if book is None:
        _put_ltpc(feed.indexFF.ltpc, state)
        _put_candles(feed.indexFF.marketOHLC, state, now_ms)
        return
    full = feed.marketFF
    _put_ltpc(full.ltpc, state)
    _put_candles(full.marketOHLC, state, now_ms)
    full.vtt = state.vtt
    full.atp = (state.atp_paise() or 0) / 100
    full.oi = state.oi
    full.iv = state.iv
    full.tbq = sum(book.bids)
    full.tsq = sum(book.asks)
    if state.indicative_paise:
        full.iep = state.indicative_paise / 100
        full.ieq = state.indicative_quantity
        full.rp = state.ltp_paise / 100
    full.casEligible = state.has_closing_auction
    if levels:
        _put_levels(full.marketLevel.bidAskQuote.add, book, levels)
        _put_greeks(full.optionGreeks, state)


def _put_greeks(target: Any, state: SimulatedState) -> None:
    # As in the real feed, the block is present and empty for instruments that are not options.
    target.SetInParent()
    greeks = state.greeks
    if greeks is not None:
        target.delta = greeks.delta
        target.theta = greeks.theta
        target.gamma = greeks.gamma
        target.vega = greeks.vega
        target.rho = greeks.rho


def _put_levels(add: Any, book: OrderBook, levels: int) -> None:
    """`add` creates a Quote. Faster than the book's `depth`, which creates a tuple per level."""
    if book.is_empty:
        for _ in range(levels):
            add()
        return
    tick_paise = book.tick_paise
    bid_paise = book.best_bid_paise
    ask_paise = bid_paise + tick_paise
    for level in range(levels):
        add(
            bidQ=book.bids[level],
            bidP=bid_paise / 100,
            askQ=book.asks[level],
            askP=ask_paise / 100,
        )
        bid_paise -= tick_paise
        ask_paise += tick_paise


def _put_first(quote: Any, level: Level) -> None:
    quote.bidQ = level.bid_quantity
    quote.bidP = level.bid_paise / 100
    quote.askQ = level.ask_quantity
    quote.askP = level.ask_paise / 100


def _put_candles(target: Any, state: SimulatedState, now_ms: int) -> None:
    _put_candle(target, "1d", state.day)
    _put_candle(target, "I1", state.last_minute(now_ms))


def _put_candle(target: Any, interval: str, candle: Candle | None) -> None:
    if candle is None:
        return
    target.ohlc.add(
        interval=interval,
        open=candle.open / 100,
        high=candle.high / 100,
        low=candle.low / 100,
        close=candle.close / 100,
        vol=candle.volume,
        ts=candle.start_ms,
    )
