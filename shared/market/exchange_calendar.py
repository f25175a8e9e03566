"""The exchanges' calendar: trading hours and market phase of each segment.

PURE: every time is an argument (epoch ms).
"""

from datetime import date
from enum import StrEnum
from typing import Final, Self

from shared.market.calendar_data import BUILT_IN, CalendarData
from shared.market.exchange_sessions import SHARES, Minutes, SessionRule, session_rule
from shared.market.exchange_time import MINUTE_MS, day_start, ist_date


class Phase(StrEnum):
    """Upstox's MarketStatus."""

    PRE_OPEN_START = "PRE_OPEN_START"
    PRE_OPEN_END = "PRE_OPEN_END"
    NORMAL_OPEN = "NORMAL_OPEN"
    NORMAL_CLOSE = "NORMAL_CLOSE"
    CLOSING_START = "CLOSING_START"
    CLOSING_END = "CLOSING_END"


_MAX_CACHED_SESSIONS: Final = 4_096
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
    """The session of an exchange on a day by the built-in table; None without a session.

    In minutes after 00:00 IST.
    """
    return BUILT_IN.hours(exchange, day)


class Calendar:
    """The trading sessions of all segments, with a cache of the days used."""

    def __init__(self, data: CalendarData = BUILT_IN) -> None:
        self._data = data
        self._sessions: dict[tuple[str, int], tuple[int, int] | None] = {}

    def copy(self) -> Self:
        """A calendar that stays as this one is now."""
        return type(self)(self._data)

    @property
    def data(self) -> CalendarData:
        """The special days and hours that the calendar uses now."""
        return self._data

    def replace(self, data: CalendarData) -> None:
        """Use other data from now on."""
        self._data = data
        self._sessions.clear()

    def phase(self, segment: str, at_ms: int) -> Phase:
        """The segment's phase; NORMAL_CLOSE all day on a day without a session.

        Only the segments of shares have phases of auctions. Upstox reports no others.
        """
        session = self.session(segment, at_ms)
        if session is None:
            return Phase.NORMAL_CLOSE
        start_ms, end_ms = session
        if start_ms <= at_ms < end_ms:
            return Phase.NORMAL_OPEN
        exchange = exchange_of(segment)
        if exchange not in SHARES:
            return Phase.NORMAL_CLOSE
        rule = session_rule(exchange, ist_date(at_ms))
        if at_ms < start_ms:
            return _phase_before_open(rule, (start_ms - at_ms) / MINUTE_MS)
        return _phase_after_close(rule, (at_ms - end_ms) / MINUTE_MS)

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

    def may_trade(self, segment: str, at_ms: int) -> bool:
        """Whether trades can be reported at `at_ms`, in auctions and after the close included.

        True all day if the calendar does not know the day.
        """
        day = ist_date(at_ms)
        if not self._data.is_known(day):
            return True
        session = self.session(segment, at_ms)
        if session is None:
            return False
        rule = session_rule(exchange_of(segment), day)
        before, _ = rule.pre_open or (0, 0)
        start_ms, end_ms = session
        return start_ms - before * MINUTE_MS <= at_ms < end_ms + rule.trades_until * MINUTE_MS

    def _hours(self, exchange: str, day: date) -> Minutes | None:
        return self._data.hours(exchange, day)


def session_ms(midnight_ms: int, hours: Minutes) -> tuple[int, int]:
    """Start and end of `hours` on the day that begins at `midnight_ms` (epoch ms)."""
    return midnight_ms + hours[0] * MINUTE_MS, midnight_ms + hours[1] * MINUTE_MS


def _phase_before_open(rule: SessionRule, minutes: float) -> Phase:
    starts, ends = rule.pre_open or (0, 0)
    if minutes > starts:
        return Phase.NORMAL_CLOSE
    return Phase.PRE_OPEN_START if minutes > ends else Phase.PRE_OPEN_END


def _phase_after_close(rule: SessionRule, minutes: float) -> Phase:
    starts, ends = rule.post_close or (0, 0)
    if minutes < starts:
        return Phase.NORMAL_CLOSE
    return Phase.CLOSING_START if minutes < ends else Phase.CLOSING_END
