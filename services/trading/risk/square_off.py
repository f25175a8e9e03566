"""When intraday positions are squared off; from then on no order may open one."""

from typing import Final

from shared.market.exchange_time import MINUTE_MS

# Minutes before the end of continuous trading. On an ordinary day: 15:05 for shares that take part
# in the closing auction, 15:12 for other shares, 15:20 for their derivatives, 16:30 for currencies.
_CLOSING_AUCTION_SHARE: Final = 25
_SHARE: Final = 18
_BY_SEGMENT: Final = {
    "NSE_FO": 20,
    "BSE_FO": 20,
    "NCD_FO": 30,
    "BCD_FO": 30,
    "MCX_FO": 40,
    "NSE_COM": 40,
}


def square_off_ms(segment: str, session_end_ms: int, *, has_derivatives: bool) -> int:
    """The time of the square-off, epoch ms, of a session that ends at `session_end_ms`.

    Shares with derivatives (`has_derivatives`) are traded in the closing auction.
    """
    share = _CLOSING_AUCTION_SHARE if has_derivatives else _SHARE
    return session_end_ms - _BY_SEGMENT.get(segment, share) * MINUTE_MS
