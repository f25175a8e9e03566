"""Merging of the candles of a message: the prices of the day, and completed minutes. Pure."""

from collections.abc import Sequence
from typing import Final

from services.ingest.feed.wire_types import MarketOhlc, Ohlc
from services.ingest.normalise.instrument_state import InstrumentState
from services.ingest.normalise.merge_result import MergeResult
from services.ingest.normalise.ranges import MAX_PRICE_RUPEES, is_candle_in_range
from shared.contracts.messages import Candle, QuoteState
from shared.market.exchange_time import MINUTE_MS, trading_day

_DAY: Final = "1d"
_MINUTE: Final = "I1"


def merge_candles(
    instrument: InstrumentState, block: MarketOhlc, ts: int, merged: MergeResult
) -> None:
    """Take over the day's open, high and low, and a minute that has been completed."""
    candles = block.ohlc
    try:
        first = candles[0]
    except IndexError:
        return  # the message has no candles: the last ones stay
    quote = instrument.quote
    # The day's candle comes first and rarely changes. Every tick takes this path, so it reads as
    # little as possible: an equal candle needs no check.
    if first.high != quote.high or first.low != quote.low or first.open != quote.open:
        _merge_day(instrument, candles, merged)
    # Until a session's first minute has ended, the day's candle is the only one.
    if ts >= instrument.next_minute_ms and (len(candles) > 1 or first.interval == _MINUTE):
        _merge_minute(instrument, candles, ts, merged)


def _merge_day(instrument: InstrumentState, candles: Sequence[Ohlc], merged: MergeResult) -> None:
    """Take over the prices of the day, unless the candle is still that of an earlier day."""
    for candle in candles:
        if candle.interval != _DAY or trading_day(candle.ts) != instrument.day:
            continue
        quote = instrument.quote
        opened, high, low = candle.open, candle.high, candle.low
        if 0.0 < low <= opened <= high < MAX_PRICE_RUPEES:
            quote.open, quote.high, quote.low = opened, high, low
        else:
            _merge_unusual_day(quote, candle, merged)


def _merge_unusual_day(quote: QuoteState, candle: Ohlc, merged: MergeResult) -> None:
    """Merge a day's candle in which a price is missing, out of range or contradicts the others."""
    prices = {"open": candle.open, "high": candle.high, "low": candle.low}
    good = {name: price for name, price in prices.items() if 0.0 < price < MAX_PRICE_RUPEES}
    if len(good) == len(prices):
        merged.bad_fields.append((quote.key, "day", str(candle)))
        return
    for name, price in prices.items():
        if name in good:
            setattr(quote, name, price)
        elif price:
            merged.bad_fields.append((quote.key, name, price))


def _merge_minute(
    instrument: InstrumentState, candles: Sequence[Ohlc], ts: int, merged: MergeResult
) -> None:
    """Add the last completed minute if it is later than the last one received."""
    for ohlc in candles:
        if ohlc.interval != _MINUTE or ohlc.ts <= instrument.last_minute_ms:
            continue
        if not is_candle_in_range(ohlc, ts):
            merged.bad_fields.append((instrument.key, "candle", str(ohlc)))
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
