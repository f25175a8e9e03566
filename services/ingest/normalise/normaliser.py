"""Merges feed messages, block by block, into the state of each instrument.

A frame may leave out any block: what is absent keeps its last value. proto3 does not
send zeros, so a zero in a block means "not said" wherever the market knows no zero.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from services.ingest.normalise.instrument_state import InstrumentState, QuoteState
from shared.contracts.messages import Candle
from shared.errors import InvalidField
from shared.market.exchange_time import MINUTE_MS, trading_day

_MINUTE: Final = "I1"


@dataclass(slots=True)
class Merged:
    """What one message has changed."""

    touched: list[InstrumentState] = field(default_factory=list)
    candles: list[tuple[bytes, Candle]] = field(default_factory=list)
    """Completed minutes that are new, each with its subject."""
    refused: int = 0
    """Instruments that made no sense, and were passed over."""
    missed: bool = False
    """A snapshot told trades of which we had not heard, of an instrument that we knew."""


class Normaliser:
    """The state of every instrument of which the feed has spoken during one term."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self.instruments: dict[str, InstrumentState] = {}

    def apply(self, feeds: Any, *, ts: int, received_us: int, snapshot: bool) -> Merged:
        """Merge the `feeds` of one message with time `ts`.

        A message that says nothing of an instrument but its key touches nothing. What
        cannot be (a key without a segment, a quantity that is no number) is passed over.
        """
        merged = Merged()
        touched = merged.touched
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
                merged.refused += 1
                continue
            quote.ts = ts
            quote.rt = received_us
            quote.snap = snapshot
            touched.append(instrument)
            if before is not None and before[0] is not None:
                merged.missed |= before != (quote.ltt, quote.volume)
        return merged

    def pack_books(self) -> None:
        """Free the frames that order books were read from; to be called every second or so."""
        for instrument in self.instruments.values():
            instrument.pack_book()


def _merge(instrument: InstrumentState, feed: Any, day: int, ts: int, merged: Merged) -> bool:
    full = feed.fullFeed
    market = full.marketFF
    # Nearly always; a volume is nowhere but there, so there is no need to ask what is set.
    if market.vtt or full.HasField("marketFF"):
        _merge_market(instrument, market, day, ts, merged)
        return True
    if feed.HasField("fullFeed"):
        if full.HasField("indexFF"):
            index = full.indexFF
            _merge_ltpc(instrument.quote, index.ltpc)
            _merge_minute(instrument, index.marketOHLC, ts, merged)
            return True
        return False
    if feed.HasField("firstLevelWithGreeks"):
        first = feed.firstLevelWithGreeks
        _merge_ltpc(instrument.quote, first.ltpc)
        _begin_day(instrument, day)
        instrument.quote.volume = first.vtt or instrument.quote.volume
        instrument.quote.oi = int(first.oi) or instrument.quote.oi
        _merge_option(instrument, first)
        if first.HasField("firstDepth"):
            _merge_best(instrument.quote, first.firstDepth)
        return True
    if feed.HasField("ltpc"):
        _merge_ltpc(instrument.quote, feed.ltpc)
        return True
    return False


def _merge_market(
    instrument: InstrumentState, market: Any, day: int, ts: int, merged: Merged
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
        # With the book at hand, zero is an empty side: at a circuit limit there is one.
        quote.tbq = int(market.tbq)
        quote.tsq = int(market.tsq)
    else:
        quote.tbq = int(market.tbq) or quote.tbq
        quote.tsq = int(market.tsq) or quote.tsq
    if market.iv:
        _merge_option(instrument, market)
    if ts >= instrument.next_minute:
        _merge_minute(instrument, market.marketOHLC, ts, merged)


def _merge_ltpc(quote: QuoteState, ltpc: Any) -> None:
    # A block that is absent reads as all zeros, and changes nothing.
    quote.ltp = ltpc.ltp or quote.ltp
    quote.ltt = ltpc.ltt or quote.ltt
    quote.ltq = ltpc.ltq or quote.ltq
    quote.cp = ltpc.cp or quote.cp


def _begin_day(instrument: InstrumentState, day: int) -> None:
    """What counts from the day's start: at a new day, the old day's is forgotten."""
    if instrument.volume_day != day:
        instrument.volume_day = day
        instrument.quote.volume = instrument.quote.atp = None


def _merge_option(instrument: InstrumentState, block: Any) -> None:
    if block.iv:  # of options only
        instrument.iv = block.iv
        if block.HasField("optionGreeks"):
            instrument.greeks = block.optionGreeks.SerializeToString()


def _merge_best(quote: QuoteState, level: Any) -> None:
    quote.bid = level.bidP or None
    quote.bid_qty = level.bidQ or None
    quote.ask = level.askP or None
    quote.ask_qty = level.askQ or None


def _merge_minute(instrument: InstrumentState, block: Any, ts: int, merged: Merged) -> None:
    """Note the last completed minute, if it is later than the one that we know."""
    for told in block.ohlc:
        if told.interval != _MINUTE or told.ts <= instrument.minute:
            continue
        instrument.minute = told.ts
        # The minute after it cannot be complete before.
        instrument.next_minute = told.ts + 2 * MINUTE_MS
        candle = Candle(
            key=instrument.key,
            start=told.ts,
            open=told.open,
            high=told.high,
            low=told.low,
            close=told.close,
            volume=told.vol or None,
            epoch=instrument.quote.epoch,
            ts=ts,
        )
        merged.candles.append((instrument.candle_subject, candle))
