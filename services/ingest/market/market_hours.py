"""Whether a segment trades, by the feed's market status or else by the exchange calendar.

PURE: time is an argument (epoch ms of exchange time).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.market.exchange_calendar import Calendar, Phase

_CLOSED: Final = frozenset({Phase.NORMAL_CLOSE, Phase.CLOSING_START, Phase.CLOSING_END})


def segment_of(key: str) -> str:
    """``NSE_EQ`` of ``NSE_EQ|INE002A01018``."""
    return key.partition("|")[0]


class MarketHours:
    """The market status that one connection has received, with the calendar as fallback.

    The feed's status takes precedence because the calendar has no unplanned halts.
    """

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._status: dict[str, str] = {}

    def update(self, status: Mapping[str, str]) -> None:
        """Record the market status of segments, by Upstox's names (see `Phase`)."""
        self._status |= status

    def is_open(self, segment: str, now_ms: int) -> bool:
        """Whether trades are expected."""
        status = self._status.get(segment)
        if status is not None:
            return status == Phase.NORMAL_OPEN
        return self._calendar.is_open(segment, now_ms)

    def is_closed(self, segment: str, now_ms: int) -> bool:
        """Whether the session is over. A segment in the pre-open is neither open nor closed."""
        status = self._status.get(segment) or self._calendar.phase(segment, now_ms)
        return status in _CLOSED

    def any_open(self, keys: Iterable[str], now_ms: int) -> bool:
        """Whether a segment of `keys` is open."""
        return any(self.is_open(segment, now_ms) for segment in set(map(segment_of, keys)))

    def all_closed(self, keys: Iterable[str], now_ms: int) -> bool:
        """Whether every segment of `keys` is closed."""
        return all(self.is_closed(segment, now_ms) for segment in set(map(segment_of, keys)))
