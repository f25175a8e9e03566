"""Checks every field of a frame of the feed V3 against Upstox's description of the feed."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from services.simulator.feed.encode import pb
from services.simulator.feed.modes import Mode
from services.simulator.market.instruments import ListedInstrument
from shared.market.exchange_time import MINUTE_MS, day_start

LEVELS: Final = {Mode.FULL: 5, Mode.FULL_D30: 30}
"""Levels of the order book by mode."""
_UNIONS: Final = {
    Mode.LTPC: ("ltpc", pb.ltpc),
    Mode.OPTION_GREEKS: ("firstLevelWithGreeks", pb.option_greeks),
    Mode.FULL: ("fullFeed", pb.full_d5),
    Mode.FULL_D30: ("fullFeed", pb.full_d30),
}


def check_frame(
    frame: Any, modes: Mapping[str, Mode], instruments: Mapping[str, ListedInstrument]
) -> None:
    """Assert that a decoded FeedResponse has the shape of a snapshot or of a live frame."""
    assert frame.type in (pb.initial_feed, pb.live_feed)
    assert set(frame.feeds) <= set(modes)
    for key, feed in frame.feeds.items():
        union, request_mode = _UNIONS[modes[key]]
        assert (feed.WhichOneof("FeedUnion"), feed.requestMode) == (union, request_mode)
        check_feed(feed, modes[key], instruments[key], frame.currentTs)


def check_feed(feed: Any, mode: Mode, instrument: ListedInstrument, now_ms: int) -> None:
    """Assert that the entry of one instrument is complete and in range."""
    match mode:
        case Mode.LTPC:
            _check_ltpc(feed.ltpc, instrument, now_ms)
        case Mode.OPTION_GREEKS:
            first = feed.firstLevelWithGreeks
            _check_ltpc(first.ltpc, instrument, now_ms)
            assert first.HasField("firstDepth") is not instrument.is_index
            if not instrument.is_index:
                check_levels([first.firstDepth], instrument)
                _check_statistics(first, instrument)
                _check_greeks(first.optionGreeks, instrument)
        case Mode.FULL | Mode.FULL_D30:
            kind = "indexFF" if instrument.is_index else "marketFF"
            assert feed.fullFeed.WhichOneof("FullFeedUnion") == kind
            full = getattr(feed.fullFeed, kind)
            _check_ltpc(full.ltpc, instrument, now_ms)
            _check_candles(full.marketOHLC.ohlc, instrument, now_ms)
            if not instrument.is_index:
                _check_market(full, LEVELS[mode], instrument)


def check_levels(quotes: Sequence[Any], instrument: ListedInstrument) -> None:
    """Assert that bids fall, asks rise, and the best bid is below the best ask."""
    assert quotes[0].bidP < quotes[0].askP
    assert all(before.bidP > after.bidP > 0 for before, after in pairwise(quotes))
    assert all(before.askP < after.askP for before, after in pairwise(quotes))
    for quote in quotes:
        for price in (quote.bidP, quote.askP):
            _check_price(price, instrument)
        for quantity in (quote.bidQ, quote.askQ):
            assert quantity > 0
            assert quantity % instrument.lot_size == 0 or instrument.expiry_ms is None


def _check_market(full: Any, levels: int, instrument: ListedInstrument) -> None:
    _check_statistics(full, instrument)
    quotes = full.marketLevel.bidAskQuote
    assert full.HasField("marketLevel") is full.HasField("optionGreeks") is bool(quotes)
    if quotes:
        assert len(quotes) == levels
        check_levels(quotes, instrument)
        assert full.tbq >= sum(quote.bidQ for quote in quotes)
        assert full.tsq >= sum(quote.askQ for quote in quotes)
        _check_greeks(full.optionGreeks, instrument)
    day = next((candle for candle in full.marketOHLC.ohlc if candle.interval == "1d"), None)
    if day is None:
        assert (full.vtt, full.atp) == (0, 0)
    else:
        assert full.vtt == day.vol > 0
        # The average is rounded to a paisa.
        assert day.low - 0.01 <= full.atp <= day.high + 0.01
    assert full.iep >= 0
    assert full.ieq >= 0
    assert (full.iep > 0) is full.ltpc.HasField("iep")
    assert full.rp == (full.ltpc.ltp if full.iep else 0)
    assert (full.iiqTotal, full.iiqM) == (0, 0)
    assert not full.casEligible or instrument.segment == "NSE_EQ"


def _check_ltpc(ltpc: Any, instrument: ListedInstrument, now_ms: int) -> None:
    _check_price(ltpc.ltp, instrument)
    _check_price(ltpc.cp, instrument)
    assert 0 < ltpc.ltt <= now_ms
    assert ltpc.ltq >= 0
    assert ltpc.ltq == 0 or not instrument.is_index
    if ltpc.HasField("iep"):
        _check_price(ltpc.iep.value, instrument)


def _check_statistics(block: Any, instrument: ListedInstrument) -> None:
    assert block.vtt >= 0
    assert block.oi >= 0
    assert block.oi == int(block.oi)
    assert block.oi == 0 or instrument.expiry_ms is not None
    assert 0 <= block.iv < 5
    assert (block.iv > 0) is instrument.is_option


def _check_greeks(greeks: Any, instrument: ListedInstrument) -> None:
    values = (greeks.delta, greeks.theta, greeks.gamma, greeks.vega, greeks.rho)
    assert all(math.isfinite(value) for value in values)
    if not instrument.is_option:
        assert values == (0, 0, 0, 0, 0)
    assert -1 <= greeks.delta <= 1
    assert greeks.gamma >= 0
    assert greeks.vega >= 0


def _check_candles(candles: Sequence[Any], instrument: ListedInstrument, now_ms: int) -> None:
    intervals = [candle.interval for candle in candles]
    assert intervals in ([], ["1d"], ["I1"], ["1d", "I1"])
    for candle in candles:
        for price in (candle.open, candle.high, candle.low, candle.close):
            _check_price(price, instrument)
            assert candle.low <= price <= candle.high
        assert candle.vol >= 0
        assert candle.vol == 0 or not instrument.is_index
        if candle.interval == "1d":
            assert candle.ts == day_start(now_ms)
        else:
            assert candle.ts % MINUTE_MS == 0
            assert candle.ts + MINUTE_MS <= now_ms


def _check_price(price: float, instrument: ListedInstrument) -> None:
    paise = round(price * 100)
    assert price == paise / 100
    assert paise > 0
    assert paise % instrument.tick_paise == 0
