"""The windows of a span of time in which instruments may trade, by the exchanges' calendar."""

from typing import Final

from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, MINUTE_MS, WINDOW_MS, day_start, window_start

# Margins about the session. The pre-open session begins 15 minutes before it. After it follow the
# closing auction and the post-close session, which end within 30 minutes.
# Source: NSE and BSE, sessions of the cash market.
_BEFORE_MS: Final = 15 * MINUTE_MS
_AFTER_MS: Final = 30 * MINUTE_MS

Span = tuple[int, int]
"""Start and end (exclusive), epoch ms."""


class TradingTimes:
    """Whole windows, since gaps consist of whole windows."""

    def __init__(self) -> None:
        self._calendar = Calendar()

    def spans(self, key: str, start_ms: int, end_ms: int) -> list[Span]:
        """The parts of `[start_ms, end_ms)` in which the instrument may trade, oldest first."""
        found = []
        for midnight_ms in range(day_start(start_ms), end_ms, DAY_MS):
            day = self._day(key, midnight_ms)
            if day is not None:
                first_ms, last_ms = max(day[0], start_ms), min(day[1], end_ms)
                if first_ms < last_ms:
                    found.append((first_ms, last_ms))
        return found

    def includes(self, key: str, at_ms: int) -> bool:
        """Whether the instrument may trade at `at_ms`."""
        day = self._day(key, at_ms)
        return day is not None and day[0] <= at_ms < day[1]

    def _day(self, key: str, at_ms: int) -> Span | None:
        session = self._calendar.session(key.partition("|")[0], at_ms)
        if session is None:
            return None
        end_ms = window_start(session[1] + _AFTER_MS + WINDOW_MS - 1)
        return window_start(session[0] - _BEFORE_MS), end_ms
