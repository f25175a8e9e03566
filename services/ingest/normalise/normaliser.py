"""Merging of feed messages, block by block, into the state of each instrument.

A message may leave out any block; an absent block keeps its last value. proto3 does not
send zeros. So a zero in a block means "not sent", except where the market has zeros.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.ingest.feed.wire import encode_greeks, has_field
from services.ingest.feed.wire_types import (
    BookLevel,
    Feed,
    Ltpc,
    MarketFullFeed,
    MarketOhlc,
    OptionBlock,
)
from services.ingest.normalise.instrument_state import InstrumentState, QuoteState
from shared.contracts.messages import Candle
from shared.errors import InvalidField
from shared.market.exchange_time import MINUTE_MS, trading_day

_MINUTE: Final = "I1"


@dataclass(slots=True)
class MergeResult:
    """The changes that one message has made."""

    updated: list[InstrumentState] = field(default_factory=list)
    candles: list[tuple[bytes, Candle]] = field(default_factory=list)
    """New completed minutes, each with its subject."""
    rejected: int = 0
    """Instruments with invalid data, which were skipped."""
    missed_trades: bool = False
    """Whether a snapshot shows that trades were missed since the instrument's last update."""


class Normaliser:
    """The state of every instrument for which the feed has sent data during one term."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self.instruments: dict[str, InstrumentState] = {}

    def apply(
        self, feeds: Mapping[str, Feed], *, ts: int, received_us: int, snapshot: bool
    ) -> MergeResult:
        """Merge the `feeds` of one message with the feed time `ts` (epoch ms).

        A feed without any block changes nothing. An instrument with invalid data (a key
        without a segment, a quantity that is not a number) is skipped.
        """
        merged = MergeResult()
        updated = merged.updated
        instruments = self.instruments
        day = trading_day(ts)
        for key, feed in feeds.items():
            try:
                instrument = instruments.get(key)
                if instrument is None:
                    instrument = instruments[key] = InstrumentState(key, self._epoch)
                quote = instrument.quote
                before = (quote.ltt, quote.volume) if snapshot else None
                if not _merge(instrument, feed, day, ts, merged):
                    continue
            except (ValueError, OverflowError, InvalidField):
                merged.rejected += 1
                continue
            quote.ts = ts
            quote.rt = received_us
            quote.snap = snapshot
            updated.append(instrument)
            if before is not None and before[0] is not None:
                merged.missed_trades |= before != (quote.ltt, quote.volume)
        return merged

    def pack_books(self) -> None:
        """Free the frames that hold order books; to be called about once a second."""
        for instrument in self.instruments.values():
            instrument.pack_book()


def _merge(instrument: InstrumentState, feed: Feed, day: int, ts: int, merged: MergeResult) -> bool:
    full = feed.fullFeed
    market = full.marketFF
    # Almost every feed has marketFF. Reading its volume costs less than has_field does.
    if market.vtt or has_field(full, "marketFF"):
        _merge_market(instrument, market, day, ts, merged)
        return True
    if has_field(feed, "fullFeed"):
        if has_field(full, "indexFF"):
            index = full.indexFF
            _merge_ltpc(instrument.quote, index.ltpc)
            _merge_minute(instrument, index.marketOHLC, ts, merged)
            return True
        return False
    if has_field(feed, "firstLevelWithGreeks"):
        first = feed.firstLevelWithGreeks
        _merge_ltpc(instrument.quote, first.ltpc)
        _begin_day(instrument, day)
        instrument.quote.volume = first.vtt or instrument.quote.volume
        instrument.quote.oi = int(first.oi) or instrument.quote.oi
        _merge_option(instrument, first)
        if has_field(first, "firstDepth"):
            _merge_best(instrument.quote, first.firstDepth)
        return True
    if has_field(feed, "ltpc"):
        _merge_ltpc(instrument.quote, feed.ltpc)
        return True
    return False


def _merge_market(
    instrument: InstrumentState, market: MarketFullFeed, day: int, ts: int, merged: MergeResult
) -> None:
    quote = instrument.quote
    _merge_ltpc(quote, market.ltpc)
    if instrument.volume_day != day:
        _begin_day(instrument, day)
    quote.volume = market.vtt or quote.volume
    quote.atp = market.atp or quote.atp
    oi = market.oi
    if oi:
        quote.oi = int(oi)
    level = market.marketLevel
    book = level.bidAskQuote
    if book:
        _merge_best(quote, book[0])
        instrument.book = level
        # Beside the book, zero is an empty side, as at a circuit limit.
        quote.tbq = int(market.tbq)
        quote.tsq = int(market.tsq)
    else:
        quote.tbq = int(market.tbq) or quote.tbq
        quote.tsq = int(market.tsq) or quote.tsq
    if market.iv:
        _merge_option(instrument, market)
    if ts >= instrument.next_minute_ms:
        _merge_minute(instrument, market.marketOHLC, ts, merged)


def _merge_ltpc(quote: QuoteState, ltpc: Ltpc) -> None:
    # An absent block reads as zeros, so it changes nothing.
    quote.ltp = ltpc.ltp or quote.ltp
    quote.ltt = ltpc.ltt or quote.ltt
    quote.ltq = ltpc.ltq or quote.ltq
    quote.cp = ltpc.cp or quote.cp


def _begin_day(instrument: InstrumentState, day: int) -> None:
    """On a new trading day, clear the values that are cumulative over a day."""
    if instrument.volume_day != day:
        instrument.volume_day = day
        instrument.quote.volume = instrument.quote.atp = None


def _merge_option(instrument: InstrumentState, block: OptionBlock) -> None:
    if block.iv:  # only options have one
        instrument.iv = block.iv
        if has_field(block, "optionGreeks"):
            instrument.greeks = encode_greeks(block.optionGreeks)


def _merge_best(quote: QuoteState, level: BookLevel) -> None:
    quote.bid = level.bidP or None
    quote.bid_qty = level.bidQ or None
    quote.ask = level.askP or None
    quote.ask_qty = level.askQ or None


def _merge_minute(
    instrument: InstrumentState, block: MarketOhlc, ts: int, merged: MergeResult
) -> None:
    """Add the last completed minute if it is later than the last one received."""
    for ohlc in block.ohlc:
        if ohlc.interval != _MINUTE or ohlc.ts <= instrument.last_minute_ms:
            continue
        instrument.last_minute_ms = ohlc.ts
        # The following minute cannot be complete before it has ended.
        instrument.next_minute_ms = ohlc.ts + 2 * MINUTE_MS
        candle = Candle(
            key=instrument.key,
            start=ohlc.ts,
            open=ohlc.open,
            high=ohlc.high,
            low=ohlc.low,
            close=ohlc.close,
            volume=ohlc.vol or None,
            epoch=instrument.quote.epoch,
            ts=ts,
        )
        merged.candles.append((instrument.candle_subject, candle))
