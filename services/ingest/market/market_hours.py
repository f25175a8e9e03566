"""Which segments trade at the moment, by what the feed has told and else by the calendar.

PURE: every moment is an argument (epoch ms of exchange time).
"""

from collections.abc import Iterable
from typing import Final

from shared.market.exchange_calendar import Calendar, Phase

_CLOSED: Final = frozenset({Phase.NORMAL_CLOSE, Phase.CLOSING_START, Phase.CLOSING_END})


def segment_of(key: str) -> str:
    """``NSE_EQ`` of ``NSE_EQ|INE002A01018``."""
    return key.partition("|")[0]


class MarketHours:
    """The feed's word counts while its connection lasts: it knows every unplanned halt.

    A segment that it has not spoken of is looked up in the calendar.
    """

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self.told: dict[str, str] = {}
        """Market status by segment, as Upstox names them; of the present connection."""

    def is_open(self, segment: str, now_ms: int) -> bool:
        """Whether trades are to be expected."""
        status = self.told.get(segment)
        if status is not None:
            return status == Phase.NORMAL_OPEN
        return self._calendar.is_open(segment, now_ms)

    def is_closed(self, segment: str, now_ms: int) -> bool:
        """Whether nothing is to be expected; in the pre-open neither this nor that holds."""
        status = self.told.get(segment) or self._calendar.phase(segment, now_ms)
        return status in _CLOSED

    def any_open(self, keys: Iterable[str], now_ms: int) -> bool:
        """Whether a segment of `keys` trades."""
        return any(self.is_open(segment, now_ms) for segment in set(map(segment_of, keys)))

    def all_closed(self, keys: Iterable[str], now_ms: int) -> bool:
        """Whether every segment of `keys` has closed."""
        return all(self.is_closed(segment, now_ms) for segment in set(map(segment_of, keys)))
