"""Encodes the market's state as frames of the feed V3, with the SDK's protobuf classes.

PURE: no sockets. A frame is put together from entries encoded once per instrument and
mode: protobuf messages may be joined by joining their bytes, so each further client
costs a join and no encoding.
"""

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from upstox_client.feeder.proto import MarketDataFeedV3_pb2

from services.simulator.feed.subscriptions import Mode
from services.simulator.market.book import LEVELS
from services.simulator.market.market import Market
from services.simulator.market.state import Candle, InstrumentState

# The generated module builds its classes at run time; no type checker sees them.
pb: Final[Any] = MarketDataFeedV3_pb2

SEGMENTS: Final = (
    *("NSE_EQ", "NSE_FO", "NSE_INDEX", "NSE_COM", "NCD_FO"),
    *("BSE_EQ", "BSE_FO", "BSE_INDEX", "BCD_FO", "MCX_FO", "MCX_INDEX"),
)
# One in so many live entries comes without its order book, as on the real feed.
SPARSE_EVERY: Final = 5
_FULL_LEVELS: Final = 5


class Frame:
    """The market at its present moment; of use until the market advances.

    `changes` says what happened since the frame before: key to True for a trade, to
    False for the order book alone.
    """

    def __init__(self, market: Market, changes: Mapping[str, bool]) -> None:
        self.ts_ms = market.now_ms
        self._states = market.states
        self._changes = changes
        self._entries: dict[tuple[str, Mode], bytes] = {}
        self.sent_live: set[str] = set()
        """Keys that went into any client's live frame."""

    def live(self, modes: Mapping[str, Mode]) -> tuple[bytes, int] | None:
        """What changed of the subscribed instruments: a frame, and how many are in it."""
        entries: list[bytes] = []
        for key, traded in self._changes.items():
            mode = modes.get(key)
            if mode is None or (mode is Mode.LTPC and not traded):
                continue
            entry = self._entries.get((key, mode))
            if entry is None:
                whole = not traded or not self._is_sparse(key)
                entry = _entry(self._states[key], mode, self.ts_ms, whole=whole)
                self._entries[key, mode] = entry
                self.sent_live.add(key)
            entries.append(entry)
        if not entries:
            return None
        return _message(pb.live_feed, self.ts_ms, entries), len(entries)

    def _is_sparse(self, key: str) -> bool:
        return zlib.crc32(f"{key}@{self.ts_ms}".encode()) % SPARSE_EVERY == 0


def snapshot(market: Market, modes: Mapping[str, Mode]) -> bytes:
    """The whole present state of these instruments (type `initial_feed`)."""
    now_ms = market.now_ms
    entries = [_entry(market.states[key], mode, now_ms, whole=True) for key, mode in modes.items()]
    return _message(pb.initial_feed, now_ms, entries)


def market_info(now_ms: int) -> bytes:
    """The first message on a connection: the status of every segment, all open."""
    message = pb.FeedResponse(type=pb.market_info, currentTs=now_ms)
    for segment in SEGMENTS:
        message.marketInfo.segmentStatus[segment] = pb.NORMAL_OPEN
    return bytes(message.SerializeToString())


def _message(kind: int, now_ms: int, entries: Iterable[bytes]) -> bytes:
    head: bytes = pb.FeedResponse(type=kind, currentTs=now_ms).SerializeToString()
    return head + b"".join(entries)


def _entry(state: InstrumentState, mode: Mode, now_ms: int, *, whole: bool) -> bytes:
    """One instrument as a FeedResponse without a head; `whole` has the order book in it."""
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
            _put_full(feed.fullFeed, state, now_ms, _FULL_LEVELS if whole else 0)
        case Mode.FULL_D30:
            feed.requestMode = pb.full_d30
            _put_full(feed.fullFeed, state, now_ms, LEVELS if whole else 0)
    return bytes(message.SerializeToString())


def _put_ltpc(ltpc: Any, state: InstrumentState) -> None:
    ltpc.ltp = state.ltp_paise / 100
    ltpc.ltt = state.ltt_ms
    ltpc.ltq = state.ltq
    ltpc.cp = state.close_paise / 100


def _put_first_level(feed: Any, state: InstrumentState) -> None:
    _put_ltpc(feed.ltpc, state)
    if state.book is None:
        return
    _put_levels(feed.firstDepth, state.book.depth(1)[0])
    feed.optionGreeks.SetInParent()
    feed.vtt = state.vtt


def _put_full(feed: Any, state: InstrumentState, now_ms: int, levels: int) -> None:
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
    full.tbq = sum(book.bids)
    full.tsq = sum(book.asks)
    if levels:
        add = full.marketLevel.bidAskQuote.add
        for level in book.depth(levels):
            _put_levels(add(), level)
        # Present and empty, as the real feed has it for what is not an option.
        full.optionGreeks.SetInParent()


def _put_levels(quote: Any, level: tuple[int, int, int, int]) -> None:
    bid_quantity, bid_paise, ask_quantity, ask_paise = level
    quote.bidQ = bid_quantity
    quote.bidP = bid_paise / 100
    quote.askQ = ask_quantity
    quote.askP = ask_paise / 100


def _put_candles(target: Any, state: InstrumentState, now_ms: int) -> None:
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
