"""Merging of feed messages, block by block, into the state of each instrument.

A message may leave out any block; an absent block keeps its last value. proto3 does not
send zeros. So a zero in a block means "not sent", except where the market has zeros.

Every field is checked against the ranges of `ranges`. A value out of range costs this field only:
it is reported in `MergeResult.bad_fields`, and the field keeps its last value. The last trade
(`ltp`, `ltt`, `ltq`) is one unit, because the price of one trade at the time of another would be a
trade that never happened.
"""

from collections.abc import Mapping

from services.ingest.feed.wire import encode_greeks, has_field
from services.ingest.feed.wire_types import (
    BookLevel,
    Feed,
    Ltpc,
    MarketFullFeed,
    OptionBlock,
)
from services.ingest.normalise.candles import merge_candles
from services.ingest.normalise.instrument_state import InstrumentState
from services.ingest.normalise.merge_result import MergeResult
from services.ingest.normalise.ranges import (
    MAX_LATE_MS,
    MAX_PRICE_RUPEES,
    MAX_QUANTITY,
    MIN_TIME_MS,
    are_greeks_in_range,
)
from shared.contracts.messages import QuoteState
from shared.errors import InvalidField
from shared.market.exchange_time import trading_day


class Normaliser:
    """The state of every instrument for which the feed has sent data during one term."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self.instruments: dict[str, InstrumentState] = {}

    def apply(
        self, feeds: Mapping[str, Feed], *, ts: int, received_us: int, snapshot: bool
    ) -> MergeResult:
        """Merge the `feeds` of one message with the feed time `ts` (epoch ms).

        A feed without any block changes nothing. A feed whose key is no instrument key is
        skipped.
        """
        merged = MergeResult()
        updated = merged.updated
        instruments = self.instruments
        day = trading_day(ts)
        for key in feeds:  # protobuf's `items` is in Python and takes longer
            feed = feeds[key]
            instrument = instruments.get(key)
            if instrument is None:
                try:
                    instrument = instruments[key] = InstrumentState(key, self._epoch)
                except InvalidField:
                    merged.bad_fields.append((key, "key", key))
                    continue
            quote = instrument.quote
            before = (quote.ltt, quote.volume) if snapshot else None
            if instrument.day != day:
                instrument.begin_day(day)
            if not _merge(instrument, feed, ts, merged):
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


def _merge(instrument: InstrumentState, feed: Feed, ts: int, merged: MergeResult) -> bool:
    full = feed.fullFeed
    market = full.marketFF
    # Almost every feed has marketFF. Reading its volume costs less than has_field does.
    volume = market.vtt
    if volume or has_field(full, "marketFF"):
        _merge_market(instrument, market, volume, ts, merged)
        return True
    quote = instrument.quote
    if has_field(feed, "fullFeed"):
        if has_field(full, "indexFF"):
            index = full.indexFF
            _merge_ltpc(quote, index.ltpc, ts, merged)
            merge_candles(instrument, index.marketOHLC, ts, merged)
            return True
        return False
    if has_field(feed, "firstLevelWithGreeks"):
        first = feed.firstLevelWithGreeks
        _merge_ltpc(quote, first.ltpc, ts, merged)
        _merge_auction(quote, first.ltpc.iep.value, 0, merged)
        _merge_volume(quote, first.vtt, merged)
        _merge_oi(quote, first.oi, merged)
        _merge_option(instrument, first, merged)
        if has_field(first, "firstDepth"):
            _merge_best(quote, first.firstDepth, merged)
        return True
    if has_field(feed, "ltpc"):
        _merge_ltpc(quote, feed.ltpc, ts, merged)
        _merge_auction(quote, feed.ltpc.iep.value, 0, merged)
        return True
    return False


def _merge_market(
    instrument: InstrumentState, market: MarketFullFeed, volume: int, ts: int, merged: MergeResult
) -> None:
    quote = instrument.quote
    ltpc = market.ltpc
    _merge_ltpc(quote, ltpc, ts, merged)
    iep = market.iep
    if not iep and (quote.volume is None or volume == quote.volume):
        # Nothing trades while an auction collects orders. So `iep` of the last trade's block,
        # which takes longer to read, is not needed in a tick with a trade.
        iep = ltpc.iep.value
    if iep or quote.iep is not None:
        _merge_auction(quote, iep, market.ieq, merged)
    atp = market.atp
    if 0 < volume <= MAX_QUANTITY and 0.0 < atp < MAX_PRICE_RUPEES:
        quote.volume, quote.atp = volume, atp
    else:
        _merge_unusual_volume(quote, volume, atp, merged)
    if market.oi:
        _merge_oi(quote, market.oi, merged)
    level = market.marketLevel
    book = level.bidAskQuote
    if book:
        if _merge_best(quote, book[0], merged):
            instrument.book = level
        else:
            instrument.clear_book()
    tbq, tsq = market.tbq, market.tsq
    if book and 0.0 <= tbq <= MAX_QUANTITY and 0.0 <= tsq <= MAX_QUANTITY:
        # Beside the book, zero is an empty side, as at a circuit limit.
        quote.tbq, quote.tsq = int(tbq), int(tsq)
    else:
        _merge_unusual_totals(quote, tbq, tsq, merged, has_book=bool(book))
    if market.iv:
        _merge_option(instrument, market, merged)
    merge_candles(instrument, market.marketOHLC, ts, merged)


def _merge_auction(quote: QuoteState, iep: float, ieq: int, merged: MergeResult) -> None:
    """Take over what an auction would match now. Without it, there is no auction.

    Unlike other fields these are never kept: the result of an auction that has ended is wrong.
    """
    quote.iep = quote.ieq = None
    if not 0.0 < iep < MAX_PRICE_RUPEES:
        if iep:
            merged.bad_fields.append((quote.key, "iep", iep))
        return
    quote.iep = iep
    if 0 < ieq <= MAX_QUANTITY:
        quote.ieq = ieq
    elif ieq:
        merged.bad_fields.append((quote.key, "ieq", ieq))


def _merge_unusual_totals(
    quote: QuoteState, tbq: float, tsq: float, merged: MergeResult, *, has_book: bool
) -> None:
    """Merge totals of which one is out of range, or that come without the book."""
    if 0.0 <= tbq <= MAX_QUANTITY:
        quote.tbq = int(tbq) if has_book else int(tbq) or quote.tbq
    else:
        merged.bad_fields.append((quote.key, "tbq", tbq))
    if 0.0 <= tsq <= MAX_QUANTITY:
        quote.tsq = int(tsq) if has_book else int(tsq) or quote.tsq
    else:
        merged.bad_fields.append((quote.key, "tsq", tsq))


def _merge_ltpc(quote: QuoteState, ltpc: Ltpc, ts: int, merged: MergeResult) -> None:
    # An absent block reads as zeros, so it changes nothing.
    ltp, ltt, ltq = ltpc.ltp, ltpc.ltt, ltpc.ltq
    if 0.0 < ltp < MAX_PRICE_RUPEES and MIN_TIME_MS < ltt <= ts + MAX_LATE_MS:
        quote.ltp, quote.ltt = ltp, ltt
    elif not _merge_unusual_trade(quote, ltp, ltt, ts, merged):
        ltq = 0
    if 0 < ltq <= MAX_QUANTITY:
        quote.ltq = ltq
    elif ltq:
        quote.ltq = None
        merged.bad_fields.append((quote.key, "ltq", ltq))
    cp = ltpc.cp
    if 0.0 < cp < MAX_PRICE_RUPEES:
        quote.cp = cp
    elif cp:
        merged.bad_fields.append((quote.key, "cp", cp))


def _merge_unusual_trade(
    quote: QuoteState, ltp: float, ltt: int, ts: int, merged: MergeResult
) -> bool:
    """Merge a last trade without price or time; False if one of them is out of range."""
    is_price_good = ltp == 0 or 0.0 < ltp < MAX_PRICE_RUPEES
    is_time_good = ltt == 0 or MIN_TIME_MS < ltt <= ts + MAX_LATE_MS
    if not is_price_good:
        merged.bad_fields.append((quote.key, "ltp", ltp))
    if not is_time_good:
        merged.bad_fields.append((quote.key, "ltt", ltt))
    if not (is_price_good and is_time_good):
        return False
    quote.ltp = ltp or quote.ltp
    quote.ltt = ltt or quote.ltt
    return True


def _merge_volume(quote: QuoteState, volume: int, merged: MergeResult) -> None:
    if 0 < volume <= MAX_QUANTITY:
        quote.volume = volume
    elif volume:
        merged.bad_fields.append((quote.key, "volume", volume))


def _merge_unusual_volume(quote: QuoteState, volume: int, atp: float, merged: MergeResult) -> None:
    """Merge volume and average price of which one is out of range or was not sent."""
    _merge_volume(quote, volume, merged)
    if 0.0 < atp < MAX_PRICE_RUPEES:
        quote.atp = atp
    elif atp:
        merged.bad_fields.append((quote.key, "atp", atp))


def _merge_oi(quote: QuoteState, oi: float, merged: MergeResult) -> None:
    if 0.0 < oi <= MAX_QUANTITY:
        quote.oi = int(oi) or quote.oi
    elif oi:
        merged.bad_fields.append((quote.key, "oi", oi))


def _merge_option(instrument: InstrumentState, block: OptionBlock, merged: MergeResult) -> None:
    iv = block.iv
    if not iv:  # only options have one
        return
    if 0.0 < iv < MAX_PRICE_RUPEES:
        instrument.iv = iv
    else:
        merged.bad_fields.append((instrument.key, "iv", iv))
    if has_field(block, "optionGreeks"):
        if are_greeks_in_range(block.optionGreeks):
            instrument.greeks = encode_greeks(block.optionGreeks)
        else:
            merged.bad_fields.append((instrument.key, "greeks", str(block.optionGreeks)))


def _merge_best(quote: QuoteState, level: BookLevel, merged: MergeResult) -> bool:
    """Take over the best level; False if the book cannot be used, which makes it unknown.

    While an auction collects orders, its book is crossed: it is no offer to trade at.
    """
    bid, ask, bid_qty, ask_qty = level.bidP, level.askP, level.bidQ, level.askQ
    if (
        0.0 <= bid < MAX_PRICE_RUPEES
        and 0.0 <= ask < MAX_PRICE_RUPEES
        and 0 <= bid_qty <= MAX_QUANTITY
        and 0 <= ask_qty <= MAX_QUANTITY
        and (bid < ask or not bid or not ask)
    ):
        quote.bid = bid or None
        quote.bid_qty = bid_qty or None
        quote.ask = ask or None
        quote.ask_qty = ask_qty or None
        return True
    quote.bid = quote.bid_qty = quote.ask = quote.ask_qty = None
    name = "crossed_book" if bid >= ask > 0 else "book"
    merged.bad_fields.append((quote.key, name, (bid, bid_qty, ask, ask_qty)))
    return False
