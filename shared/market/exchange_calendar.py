"""The exchanges' calendar: trading hours and market phase of each segment.

PURE: every time is an argument (epoch ms).
"""

from datetime import date
from enum import StrEnum
from typing import Final

from shared.market.exchange_holidays import (
    COMMODITIES,
    SPECIAL_DAYS,
    HolidayKind,
    Minutes,
)
from shared.market.exchange_time import MINUTE_MS, day_start, ist_date


class Phase(StrEnum):
    """Upstox's MarketStatus."""

    PRE_OPEN_START = "PRE_OPEN_START"
    PRE_OPEN_END = "PRE_OPEN_END"
    NORMAL_OPEN = "NORMAL_OPEN"
    NORMAL_CLOSE = "NORMAL_CLOSE"
    CLOSING_START = "CLOSING_START"
    CLOSING_END = "CLOSING_END"


CASH_EXCHANGES: Final = frozenset({"NSE", "BSE"})
PRE_OPEN_STARTS_MINUTES: Final = 15
"""Before the open of the cash market: start of order entry."""
PRE_OPEN_ENDS_MINUTES: Final = 7
"""Before the open of the cash market: end of order entry."""
_CLOSING_STARTS_MINUTES: Final = 10
_CLOSING_ENDS_MINUTES: Final = 30

_EQUITY_HOURS: Final[Minutes] = (9 * 60 + 15, 15 * 60 + 30)
_COMMODITY_HOURS: Final[Minutes] = (9 * 60, 23 * 60 + 30)
_CURRENCY_HOURS: Final[Minutes] = (9 * 60, 17 * 60)
_CURRENCIES: Final = frozenset({"CDS", "BCD"})

_MAX_CACHED_SESSIONS: Final = 4_096
_SPECIAL: Final = {special.day: special for special in SPECIAL_DAYS}
_EXCHANGE_OF: Final = {
    "NSE_FO": "NFO",
    "NSE_COM": "NSCOM",
    "NCD_FO": "CDS",
    "BSE_FO": "BFO",
    "BCD_FO": "BCD",
}


def exchange_of(segment: str) -> str:
    """Upstox's name of a segment's exchange in timings and holidays: ``NFO`` for ``NSE_FO``."""
    return _EXCHANGE_OF.get(segment) or segment.partition("_")[0]


def trading_hours(exchange: str, day: date) -> Minutes | None:
    """The session of an exchange on a day, in minutes after 00:00 IST; None without a session."""
    special = _SPECIAL.get(day)
    if special is not None:
        if exchange in special.hours:
            return special.hours[exchange]
        if special.kind is HolidayKind.TRADING:
            return None
    if day.weekday() >= 5:
        return None
    if exchange in COMMODITIES:
        return _COMMODITY_HOURS
    return _CURRENCY_HOURS if exchange in _CURRENCIES else _EQUITY_HOURS


class Calendar:
    """The trading sessions of all segments, with a cache of the days used."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, int], tuple[int, int] | None] = {}

    def phase(self, segment: str, at_ms: int) -> Phase:
        """The segment's phase; NORMAL_CLOSE all day on a day without a session."""
        session = self.session(segment, at_ms)
        if session is None:
            return Phase.NORMAL_CLOSE
        start_ms, end_ms = session
        if start_ms <= at_ms < end_ms:
            return Phase.NORMAL_OPEN
        if exchange_of(segment) not in CASH_EXCHANGES:
            return Phase.NORMAL_CLOSE
        if at_ms < start_ms:
            return _phase_before_open((start_ms - at_ms) / MINUTE_MS)
        return _phase_after_close((at_ms - end_ms) / MINUTE_MS)

    def is_open(self, segment: str, at_ms: int) -> bool:
        """Whether the segment trades."""
        return self.phase(segment, at_ms) is Phase.NORMAL_OPEN

    def session(self, segment: str, at_ms: int) -> tuple[int, int] | None:
        """Start and end (exclusive) of the session on the day of `at_ms`; None without one."""
        exchange = exchange_of(segment)
        midnight_ms = day_start(at_ms)
        cached = (exchange, midnight_ms)
        if cached not in self._sessions:
            if len(self._sessions) >= _MAX_CACHED_SESSIONS:
                self._sessions.clear()
            hours = self._hours(exchange, ist_date(at_ms))
            self._sessions[cached] = hours and session_ms(midnight_ms, hours)
        return self._sessions[cached]

    def _hours(self, exchange: str, day: date) -> Minutes | None:
        return trading_hours(exchange, day)


def session_ms(midnight_ms: int, hours: Minutes) -> tuple[int, int]:
    """Start and end of `hours` on the day that begins at `midnight_ms` (epoch ms)."""
    return midnight_ms + hours[0] * MINUTE_MS, midnight_ms + hours[1] * MINUTE_MS


def _phase_before_open(minutes: float) -> Phase:
    if minutes > PRE_OPEN_STARTS_MINUTES:
        return Phase.NORMAL_CLOSE
    return Phase.PRE_OPEN_START if minutes > PRE_OPEN_ENDS_MINUTES else Phase.PRE_OPEN_END


def _phase_after_close(minutes: float) -> Phase:
    if minutes < _CLOSING_STARTS_MINUTES:
        return Phase.NORMAL_CLOSE
    return Phase.CLOSING_START if minutes < _CLOSING_ENDS_MINUTES else Phase.CLOSING_END
