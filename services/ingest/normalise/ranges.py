"""The ranges that the fields of the feed must lie in. NaN and infinity lie in none.

The limits are far above what any Indian exchange has, and below what the consumers can hold:
MongoDB and other readers take 64-bit integers, JavaScript takes integers up to 2^53 - 1.
"""

from typing import Final

from services.ingest.feed.wire_types import Ohlc, OptionGreeks
from shared.contracts.messages import Levels
from shared.market.exchange_time import MINUTE_MS

MAX_PRICE_RUPEES: Final = 1e9
"""Prices, averages and implied volatilities are below this."""
MAX_QUANTITY: Final = 2**53 - 1
"""Of quantities, volumes and open interest."""
MIN_TIME_MS: Final = 946_684_800_000
"""2000-01-01 UTC: no trade of the feed is older."""
MAX_LATE_MS: Final = 60_000
"""The time of a trade is at most this long after the time of its frame."""
_MAX_GREEK: Final = 1e9


def are_greeks_in_range(greeks: OptionGreeks) -> bool:
    """Whether all five are finite."""
    return (
        -_MAX_GREEK < greeks.delta < _MAX_GREEK
        and -_MAX_GREEK < greeks.theta < _MAX_GREEK
        and -_MAX_GREEK < greeks.gamma < _MAX_GREEK
        and -_MAX_GREEK < greeks.vega < _MAX_GREEK
        and -_MAX_GREEK < greeks.rho < _MAX_GREEK
    )


def is_candle_in_range(ohlc: Ohlc, ts: int) -> bool:
    """Whether a minute that a frame of time `ts` contains can be right.

    It starts at a minute, has ended by the time of the frame, and its prices do not contradict
    each other.
    """
    return (
        0.0 < ohlc.low <= ohlc.high < MAX_PRICE_RUPEES
        and ohlc.low <= ohlc.open <= ohlc.high
        and ohlc.low <= ohlc.close <= ohlc.high
        and 0 <= ohlc.vol <= MAX_QUANTITY
        and MIN_TIME_MS < ohlc.ts <= ts + MAX_LATE_MS
        and ohlc.ts % MINUTE_MS == 0
    )


def is_book_in_range(bids: Levels, asks: Levels) -> bool:
    """Whether all levels are in range, each side is sorted, and the best prices do not cross."""
    last = MAX_PRICE_RUPEES
    for price, quantity in bids:
        if not (0.0 < price < last and 0 < quantity <= MAX_QUANTITY):
            return False
        last = price
    last = bids[0][0] if bids else 0.0
    for price, quantity in asks:
        if not (last < price < MAX_PRICE_RUPEES and 0 < quantity <= MAX_QUANTITY):
            return False
        last = price
    return True
