"""Requests over the bus for stored bars and gaps, and their replies.

Times are epoch milliseconds of exchange time. Ranges include their start and exclude their end.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from shared.contracts.subjects import MAX_KEY_CHARS
from shared.market.exchange_time import DAY_MS, MINUTE_MS, WINDOW_MS

HISTORY_BARS: Final = "history.bars"
HISTORY_GAPS: Final = "history.gaps"
HISTORY_CANDLES: Final = "history.candles"
HISTORY_STATE: Final = "history.state"

MAX_BARS: Final = 2_000
MAX_GAPS: Final = 500
MAX_COUNTED: Final = 1_000
"""Bars and gaps of a state are counted up to this number."""
MAX_TIME_MS: Final = 253_402_300_799_999
"""The end of the year 9999, the latest date of Python and of MongoDB's tools."""
MAX_CURSOR_CHARS: Final = 96

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_KEY_CHARS)]
TimeMs = Annotated[int, msgspec.Meta(ge=0, le=MAX_TIME_MS)]
Cursor = Annotated[str, msgspec.Meta(max_length=MAX_CURSOR_CHARS)]


class Interval(StrEnum):
    """The length of a bar; longer bars are built from five-minute bars on request."""

    FIVE_MINUTES = "5m"
    FIFTEEN_MINUTES = "15m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def length_ms(self) -> int:
        """The length of a bar in milliseconds."""
        return _LENGTH_MS[self]


_LENGTH_MS: Final = {
    Interval.FIVE_MINUTES: WINDOW_MS,
    Interval.FIFTEEN_MINUTES: 15 * MINUTE_MS,
    Interval.HOUR: 60 * MINUTE_MS,
    Interval.DAY: DAY_MS,
}


class CandleInterval(StrEnum):
    """The length of a candle that is read from Upstox on request and not stored."""

    MINUTE = "1m"
    THREE_MINUTES = "3m"
    HALF_HOUR = "30m"

    @property
    def length_ms(self) -> int:
        """The length of a candle in milliseconds."""
        return _CANDLE_LENGTH_MS[self]


_CANDLE_LENGTH_MS: Final = {
    CandleInterval.MINUTE: MINUTE_MS,
    CandleInterval.THREE_MINUTES: 3 * MINUTE_MS,
    CandleInterval.HALF_HOUR: 30 * MINUTE_MS,
}


class BarSource(StrEnum):
    """Where a bar that is not made of the live feed comes from."""

    UPSTOX = "upstox"
    """A candle of Upstox's history."""


class HistoryBarState(StrEnum):
    """How complete a bar of a reply is; docs/bars.md defines each state."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    REPAIRED = "repaired"
    FORMING = "forming"


class BarsRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests the bars of an instrument that start in `[from_ms, to_ms)`, oldest first.

    Each bar is whole, even if it ends after `to_ms`.
    """

    key: Key
    from_ms: TimeMs
    to_ms: TimeMs
    interval: Interval = Interval.FIVE_MINUTES
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_BARS)] = 500
    cursor: Cursor | None = None
    """`next` of the previous page; key, interval and range must be unchanged."""


class CandlesRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests Upstox's candles that start in `[from_ms, to_ms)`, oldest first. Only the leader
    replies, since all calls to Upstox share its limits."""

    key: Key
    from_ms: TimeMs
    to_ms: TimeMs
    interval: CandleInterval
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_BARS)] = 500
    cursor: Cursor | None = None
    """`next` of the previous page; key, interval and range must be unchanged."""


class HistoryBar(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One bar; prices in rupees. A page is made by position, in a tenth of the time by name."""

    start: int
    end: int
    """End of the bar, exclusive. A 1h bar starts a whole number of hours after the session's
    opening (09:15 for shares), a 1d bar at 00:00 IST. The session may end before the bar."""
    open: float
    high: float
    low: float
    close: float
    ticks: int
    """Number of quotes with a new trade."""
    state: HistoryBarState
    """`forming` until exchange time has passed the end of the bar. Then the least certain state of
    its five-minute bars: partial, then repaired, then complete."""
    ltq: int | None = None
    """From the last quote with a trade of the last five-minute bar, like `ltt`, `atp` and `oi`."""
    ltt: int | None = None
    volume: int | None = None
    """Quantity traded in the bar; None for an index."""
    vtt: int | None = None
    """Cumulative volume of the day at the bar's last trade; None for an index."""
    atp: float | None = None
    """Average price of the day."""
    oi: int | None = None
    """Open interest."""
    silent_ms: int = 0
    """Exchange time in the bar during which the feed was not live; 0 in a candle of Upstox that is
    not of five minutes."""
    source: BarSource | None = None
    """`upstox` for a bar that is one of Upstox's candles, unchanged; None for any other."""


class Unfetched(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a page's range whose candles are not fetched from Upstox yet; `[from_ms, to_ms)`."""

    from_ms: int
    to_ms: int


class BarsReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of bars."""

    key: str
    interval: Interval
    unfetched: Unfetched | None = None
    """The page may lack bars of this time, which are being fetched. If `next` is its start, the
    next page has them; otherwise Upstox is away."""
    bars: list[HistoryBar]
    next: str | None = None
    """Cursor of the next page, None on the last page. A page may be empty and have a next one."""


class CandlesReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of Upstox's candles."""

    key: str
    interval: CandleInterval
    bars: list[HistoryBar]
    next: str | None = None
    """As in `BarsReply`."""


class GapState(StrEnum):
    """Whether a gap has been repaired from Upstox's history. Abandoned: it has no such candles."""

    OPEN = "open"
    REPAIRED = "repaired"
    ABANDONED = "abandoned"


class GapReason(StrEnum):
    """Why trades may be missing in a gap."""

    FEED_AWAY = "feed_away"
    ENTRIES_LOST = "entries_lost"
    UNSEEN_TRADES = "unseen_trades"


class GapsRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests the gaps of an instrument that overlap `[from_ms, to_ms)`, oldest first."""

    key: Key
    from_ms: TimeMs
    to_ms: TimeMs
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_GAPS)] = 100
    cursor: Cursor | None = None
    """`next` of the previous page; key and range must be unchanged."""


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A span of whole five-minute windows in which trades of the instrument may be missing."""

    from_ms: int
    to_ms: int
    reason: GapReason
    state: GapState


class HistoryStateRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Requests what is stored and what is missing, over all instruments."""


class HistoryState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Stored and missing history over all instruments. Counts end at `MAX_COUNTED`."""

    stored_until_ms: int | None = None
    """End of the last window whose bars are stored; None if none ever was."""
    partial_bars: int
    open_gaps: int
    abandoned_gaps: int


class GapsReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of gaps."""

    key: str
    gaps: list[Gap]
    next: str | None = None
