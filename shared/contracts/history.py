"""Questions on the bus about stored bars, and their answers.

Times are epoch milliseconds of exchange time; ranges include their start and not their end.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from shared.contracts.messages import BarState
from shared.contracts.subjects import MAX_KEY_CHARS

HISTORY_BARS: Final = "history.bars"
HISTORY_GAPS: Final = "history.gaps"

MOST_BARS: Final = 2_000
MOST_GAPS: Final = 500
LAST_MS: Final = 253_402_300_799_999
"""The end of the year 9999: no date of Python or of MongoDB's tools is later."""

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_KEY_CHARS)]
TimeMs = Annotated[int, msgspec.Meta(ge=0, le=LAST_MS)]
Cursor = Annotated[str, msgspec.Meta(max_length=64)]


class Interval(StrEnum):
    """How long a bar is; longer ones are made of five-minute ones when asked for."""

    FIVE_MINUTES = "5m"
    FIFTEEN_MINUTES = "15m"
    HOUR = "1h"
    DAY = "1d"


class BarsRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bars of an instrument that start in `[from_ms, to_ms)`, oldest first."""

    key: Key
    from_ms: TimeMs
    to_ms: TimeMs
    interval: Interval = Interval.FIVE_MINUTES
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_BARS)] = 500
    cursor: Cursor | None = None
    """`next` of the page before; the rest of the request must be the same."""


class HistoryBar(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One bar; prices in rupees."""

    start: int
    end: int
    """When the bar ends, exclusive. Bars of 1h begin a whole number of hours from the session's
    opening (09:15 for shares), those of 1d at 00:00 IST; the session may end before the bar."""
    open: float
    high: float
    low: float
    close: float
    volume: int | None = None
    """Traded in the bar; None for an index."""
    oi: int | None = None
    ticks: int
    state: BarState
    """The least certain of what it is made of: partial, then repaired, then complete."""
    silent_ms: int = 0


class BarsReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of bars."""

    key: str
    interval: Interval
    bars: list[HistoryBar]
    next: str | None = None
    """Cursor of the page after this; None on the last one."""


class GapState(StrEnum):
    """What became of a gap."""

    OPEN = "open"
    REPAIRED = "repaired"
    ABANDONED = "abandoned"


class GapReason(StrEnum):
    """Why trades may be missing."""

    FEED_AWAY = "feed_away"
    ENTRIES_LOST = "entries_lost"
    UNSEEN_TRADES = "unseen_trades"


class GapsRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Gaps of an instrument that reach into `[from_ms, to_ms)`, oldest first."""

    key: Key
    from_ms: TimeMs
    to_ms: TimeMs
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_GAPS)] = 100
    cursor: Cursor | None = None


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch in which trades of the instrument may have been missed, in whole windows."""

    from_ms: int
    to_ms: int
    reason: GapReason
    state: GapState


class GapsReply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of gaps."""

    key: str
    gaps: list[Gap]
    next: str | None = None
