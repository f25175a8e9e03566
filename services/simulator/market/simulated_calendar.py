"""The simulator's calendar: the exchanges' hours, or a market that is always open.

PURE: every time is an argument (epoch ms).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from shared.market.exchange_calendar import (
    Calendar,
    Phase,
    exchange_of,
    session_ms,
    trading_hours,
)
from shared.market.exchange_holidays import SPECIAL_DAYS, HolidayKind, SpecialDay
from shared.market.exchange_sessions import EXCHANGES, SHARES, Minutes, session_rule
from shared.market.exchange_time import DAY_MS, IST, IST_OFFSET_MS, MINUTE_MS, day_start, ist_date

_WHOLE_DAY: Final[Minutes] = (0, 24 * 60)
_PRE_OPEN: Final = (Phase.PRE_OPEN_START, Phase.PRE_OPEN_END)
_AUCTION_SEGMENTS: Final = frozenset({"NSE_EQ", "BSE_EQ"})
# Stages of the closing auction, latest first, in minutes before the close.
_AUCTION_STAGES: Final = (
    ("CAS_STOP", 0),
    ("CAS_M_STOP", 5),
    ("CAS_LM_START", 10),
    ("CTS_CLOSE", 15),
)
_FIRST_AUCTION_MS: Final = 1_785_695_400_000  # 2026-08-03 00:00 IST
_SERVICES_OPEN_MS: Final = (5 * 60 + 30) * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Timing:
    """The session of an exchange on a day (epoch ms)."""

    exchange: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day with unusual hours."""

    day: date
    description: str
    kind: HolidayKind
    closed: tuple[str, ...]
    """Exchanges without a session."""
    open: tuple[Timing, ...]
    """Exchanges with unusual hours."""


class SimulatedCalendar(Calendar):
    """The hours of all exchanges; with `always_open`, every exchange trades at any time."""

    def __init__(self, *, always_open: bool = True) -> None:
        super().__init__()
        self.always_open = always_open

    def phase(self, segment: str, at_ms: int) -> Phase:
        return Phase.NORMAL_OPEN if self.always_open else super().phase(segment, at_ms)

    def phase_since_ms(self, segment: str, at_ms: int) -> int:
        """When the phase at `at_ms` began, if it is one of the pre-open; else `at_ms`."""
        session = self.session(segment, at_ms)
        phase = self.phase(segment, at_ms)
        if session is None or phase not in _PRE_OPEN:
            return at_ms
        return session[0] - _order_entry(segment, at_ms)[_PRE_OPEN.index(phase)]

    def closing_auction(self, segment: str, at_ms: int) -> tuple[str, int] | None:
        """The stage of the shares' closing auction, and when it began; None outside of it.

        `segment` may be an exchange. The simulator goes on trading until the close.
        """
        if self.always_open or segment not in _AUCTION_SEGMENTS | SHARES:
            return None
        session = self.session(segment, at_ms)
        if session is None or at_ms < _FIRST_AUCTION_MS:
            return None
        left_ms = session[1] - at_ms
        for stage, minutes in _AUCTION_STAGES:
            if left_ms <= minutes * MINUTE_MS:
                return stage, session[1] - minutes * MINUTE_MS
        return None

    def next_event_ms(self, segment: str, at_ms: int) -> int:
        """The first time from `at_ms` on of trading, or of the pre-open's order entry."""
        opens_ms = self.next_open_ms(segment, at_ms)
        if opens_ms == at_ms or segment not in _AUCTION_SEGMENTS:
            return opens_ms
        starts_ms, ends_ms = _order_entry(segment, opens_ms)
        if opens_ms - at_ms <= ends_ms:
            return opens_ms
        return max(at_ms, opens_ms - starts_ms)

    def next_open_ms(self, segment: str, at_ms: int) -> int:
        """The first time from `at_ms` on at which the segment trades."""
        day_ms = at_ms
        while True:
            session = self.session(segment, day_ms)
            if session is not None and at_ms < session[1]:
                return max(at_ms, session[0])
            day_ms = day_start(day_ms) + DAY_MS

    def last_close_ms(self, segment: str, at_ms: int) -> int:
        """The end of the last session that was over by `at_ms`."""
        day_ms = at_ms
        while True:
            session = self.session(segment, day_ms)
            if session is not None and session[1] <= at_ms:
                return session[1]
            day_ms = day_start(day_ms) - 1

    def timings(self, day: date) -> list[Timing]:
        """The sessions of a day, by exchange; empty if nothing trades."""
        hours = ((exchange, self._hours(exchange, day)) for exchange in EXCHANGES)
        return [_timing(exchange, day, minutes) for exchange, minutes in hours if minutes]

    def holidays(self, year: int) -> list[Holiday]:
        """The announced holidays of a year, oldest first; also for an always open market."""
        return [_holiday(special) for special in SPECIAL_DAYS if special.day.year == year]

    def service_hours_open(self, at_ms: int) -> bool:
        """Whether orders and funds are available; they are not from 00:00 to 05:30 IST."""
        return self.always_open or (at_ms + IST_OFFSET_MS) % DAY_MS >= _SERVICES_OPEN_MS

    def _hours(self, exchange: str, day: date) -> Minutes | None:
        return _WHOLE_DAY if self.always_open else trading_hours(exchange, day)


def _order_entry(segment: str, at_ms: int) -> tuple[int, int]:
    """Start and end of the pre-open's order entry, in ms before the open."""
    starts, ends = session_rule(exchange_of(segment), ist_date(at_ms)).pre_open or (0, 0)
    return starts * MINUTE_MS, ends * MINUTE_MS


def next_trading_day(exchange: str, day: date, *, step: int = 1) -> date:
    """The first day with a session from `day` on; with step -1, from `day` backwards."""
    while trading_hours(exchange, day) is None:
        day += timedelta(days=step)
    return day


def _timing(exchange: str, day: date, hours: Minutes) -> Timing:
    midnight = datetime(day.year, day.month, day.day, tzinfo=IST)
    return Timing(exchange, *session_ms(int(midnight.timestamp()) * 1_000, hours))


def _holiday(special: SpecialDay) -> Holiday:
    opened = tuple(
        _timing(exchange, special.day, special.hours[exchange])
        for exchange in EXCHANGES
        if exchange in special.hours
    )
    is_closed = special.kind is HolidayKind.TRADING
    closed = tuple(
        exchange for exchange in EXCHANGES if is_closed and exchange not in special.hours
    )
    return Holiday(special.day, special.description, special.kind, closed, opened)
