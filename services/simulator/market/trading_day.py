"""The windows of a trading day: order entry and match of the auctions, and continuous trading.

The hours are those of NSE's cash market, which the session of the day shifts: its pre-open
session, with the changes of 7 September 2026, and its closing auction session since 3 August
2026 (NSE circular CMTR/73362, as third parties report it). The times that the exchange draws by
lot follow from the date. PURE: every time is an argument (epoch ms).
"""

import zlib
from enum import Enum, auto
from typing import Final, NamedTuple

from shared.market.exchange_time import MINUTE_MS


class Stage(Enum):
    """Stage of trading in a window."""

    ORDER_ENTRY = auto()
    """Orders for an auction are entered: the indicative price moves, nothing trades."""
    MATCH = auto()
    """One trade at the auction's price, at the start of the window."""
    TRADING = auto()
    """Continuous trading."""


class Window(NamedTuple):
    """A part of a day; `end_ms` is exclusive."""

    start_ms: int
    end_ms: int
    stage: Stage


FIRST_CLOSING_AUCTION_MS: Final = 1_785_695_400_000  # 2026-08-03 00:00 IST
_NEW_PRE_OPEN_MS: Final = 1_788_719_400_000  # 2026-09-07 00:00 IST

# Minutes relative to the open of continuous trading, and to its close without an auction.
_ENTRY_STARTS: Final = -15
_OLD_ENTRY_ENDS, _OLD_MATCH = (-8, -7), (-7, -3)
_NEW_ENTRY_ENDS, _NEW_MATCH = (-7, -5), (-5, -3)
_TRADING_ENDS, _CLOSING_ENTRY_STARTS = -15, -10
_CLOSING_ENTRY_ENDS, _CLOSING_MATCH = (-2, 0), (0, 5)


def day_windows(
    session: tuple[int, int], *, opening_auction: bool, closing_auction: bool
) -> tuple[Window, ...]:
    """The windows of the day with this session (start and end of trading), in order of time.

    `closing_auction` has no effect before 3 August 2026.
    """
    opens_ms, closes_ms = session
    windows: list[Window] = []
    if opening_auction:
        is_new = opens_ms >= _NEW_PRE_OPEN_MS
        entry_ends = _drawn(opens_ms, _NEW_ENTRY_ENDS if is_new else _OLD_ENTRY_ENDS, "entry")
        match_ms = _drawn(opens_ms, _NEW_MATCH if is_new else _OLD_MATCH, "match")
        windows += [
            Window(opens_ms + _ENTRY_STARTS * MINUTE_MS, entry_ends, Stage.ORDER_ENTRY),
            Window(match_ms, match_ms + 1, Stage.MATCH),
        ]
    if not closing_auction or closes_ms < FIRST_CLOSING_AUCTION_MS:
        return (*windows, Window(opens_ms, closes_ms, Stage.TRADING))
    entry_ends = _drawn(closes_ms, _CLOSING_ENTRY_ENDS, "entry")
    match_ms = _drawn(closes_ms, _CLOSING_MATCH, "match")
    return (
        *windows,
        Window(opens_ms, closes_ms + _TRADING_ENDS * MINUTE_MS, Stage.TRADING),
        Window(closes_ms + _CLOSING_ENTRY_STARTS * MINUTE_MS, entry_ends, Stage.ORDER_ENTRY),
        Window(match_ms, match_ms + 1, Stage.MATCH),
    )


def _drawn(base_ms: int, minutes: tuple[int, int], purpose: str) -> int:
    """A time between `minutes` after `base_ms`, the same in every run."""
    first_ms, last_ms = (minute * MINUTE_MS for minute in minutes)
    lot = zlib.crc32(f"{purpose}@{base_ms}".encode()) % (last_ms - first_ms)
    return base_ms + first_ms + lot
