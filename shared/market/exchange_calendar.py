"""The exchanges' calendar: when each segment trades, and in which phase it is.

PURE: every moment is an argument (epoch ms).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from shared.market.exchange_holidays import (
    COMMODITIES,
    EXCHANGES,
    SPECIAL_DAYS,
    HolidayKind,
    Minutes,
)
from shared.market.exchange_time import DAY_MS, IST, IST_OFFSET_MS, MINUTE_MS, day_start, ist_date


class Phase(StrEnum):
    """Upstox's MarketStatus."""

    PRE_OPEN_START = "PRE_OPEN_START"
    PRE_OPEN_END = "PRE_OPEN_END"
    NORMAL_OPEN = "NORMAL_OPEN"
    NORMAL_CLOSE = "NORMAL_CLOSE"
    CLOSING_START = "CLOSING_START"
    CLOSING_END = "CLOSING_END"


@dataclass(frozen=True, slots=True)
class Timing:
    """When an exchange trades on one day (epoch ms)."""

    exchange: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Holiday:
    """A day that is unlike others; `open` exchanges trade at these hours, `closed` do not."""

    day: date
    description: str
    kind: HolidayKind
    closed: tuple[str, ...]
    open: tuple[Timing, ...]


_EQUITY_HOURS: Final[Minutes] = (9 * 60 + 15, 15 * 60 + 30)
_COMMODITY_HOURS: Final[Minutes] = (9 * 60, 23 * 60 + 30)
_CURRENCY_HOURS: Final[Minutes] = (9 * 60, 17 * 60)
_CURRENCIES: Final = frozenset({"CDS", "BCD"})
_WHOLE_DAY: Final[Minutes] = (0, 24 * 60)

# Of the cash market, in minutes before the open and after the close.
_PRE_OPEN_STARTS: Final = 15
_PRE_OPEN_ENDS: Final = 7
_CLOSING_STARTS: Final = 10
_CLOSING_ENDS: Final = 30
_PRE_OPEN_BEFORE: Final = {
    Phase.PRE_OPEN_START: _PRE_OPEN_STARTS,
    Phase.PRE_OPEN_END: _PRE_OPEN_ENDS,
}
_CASH: Final = frozenset({"NSE", "BSE"})
_AUCTIONED: Final = frozenset({"NSE_EQ", "BSE_EQ"})
# Stages of the closing auction, latest first, in minutes before the close.
_AUCTION_STAGES: Final = (
    ("CAS_STOP", 0),
    ("CAS_M_STOP", 5),
    ("CAS_LM_START", 10),
    ("CTS_CLOSE", 15),
)
_FIRST_AUCTION_MS: Final = 1_785_695_400_000  # 2026-08-03 00:00 IST

_SERVICES_OPEN_MS: Final = (5 * 60 + 30) * MINUTE_MS
_MOST_KNOWN: Final = 4_096
_SPECIAL: Final = {special.day: special for special in SPECIAL_DAYS}
_EXCHANGE_OF: Final = {
    "NSE_FO": "NFO",
    "NSE_COM": "NSCOM",
    "NCD_FO": "CDS",
    "BSE_FO": "BFO",
    "BCD_FO": "BCD",
}


def exchange_of(segment: str) -> str:
    """The name in timings of a segment's exchange, e.g. ``NFO`` of ``NSE_FO``."""
    return _EXCHANGE_OF.get(segment) or segment.partition("_")[0]


class Calendar:
    """The hours of all exchanges; with `always_open` they never shut."""

    def __init__(self, *, always_open: bool = True) -> None:
        self.always_open = always_open
        self._known: dict[tuple[str, int], tuple[int, int] | None] = {}

    def phase(self, segment: str, at_ms: int) -> Phase:
        """The segment's phase; a day without a session is NORMAL_CLOSE throughout."""
        if self.always_open:
            return Phase.NORMAL_OPEN
        exchange = exchange_of(segment)
        session = self._session(exchange, at_ms)
        if session is None:
            return Phase.NORMAL_CLOSE
        start_ms, end_ms = session
        if start_ms <= at_ms < end_ms:
            return Phase.NORMAL_OPEN
        if exchange not in _CASH:
            return Phase.NORMAL_CLOSE
        if at_ms < start_ms:
            return _before((start_ms - at_ms) / MINUTE_MS)
        return _after((at_ms - end_ms) / MINUTE_MS)

    def is_open(self, segment: str, at_ms: int) -> bool:
        """Whether a trade can happen."""
        return self.phase(segment, at_ms) is Phase.NORMAL_OPEN

    def phase_since_ms(self, segment: str, at_ms: int) -> int:
        """When the phase at `at_ms` began; of a phase that is not the pre-open's, `at_ms`."""
        session = self.session(segment, at_ms)
        phase = self.phase(segment, at_ms)
        if session is None or phase not in _PRE_OPEN_BEFORE:
            return at_ms
        return session[0] - _PRE_OPEN_BEFORE[phase] * MINUTE_MS

    def closing_auction(self, segment: str, at_ms: int) -> tuple[str, int] | None:
        """Stage of the shares' closing auction, and since when; None while there is none.

        `segment` may be an exchange. Here trading goes on until the close.
        """
        if self.always_open or segment not in _AUCTIONED | _CASH:
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
        """The first moment from `at_ms` on of trading, or of the pre-open's order entry."""
        opens_ms = self.next_open_ms(segment, at_ms)
        if opens_ms == at_ms or segment not in _AUCTIONED:
            return opens_ms
        if opens_ms - at_ms <= _PRE_OPEN_ENDS * MINUTE_MS:
            return opens_ms
        return max(at_ms, opens_ms - _PRE_OPEN_STARTS * MINUTE_MS)

    def next_open_ms(self, segment: str, at_ms: int) -> int:
        """The first moment from `at_ms` on at which a trade can happen."""
        if self.always_open:
            return at_ms
        exchange = exchange_of(segment)
        day_ms = at_ms
        while True:
            session = self._session(exchange, day_ms)
            if session is not None and at_ms < session[1]:
                return max(at_ms, session[0])
            day_ms = day_start(day_ms) + DAY_MS

    def last_close_ms(self, segment: str, at_ms: int) -> int:
        """The end of the last session that was over by `at_ms`."""
        exchange = exchange_of(segment)
        day_ms = at_ms
        while True:
            session = self._session(exchange, day_ms)
            if session is not None and session[1] <= at_ms:
                return session[1]
            day_ms = day_start(day_ms) - 1

    def session(self, segment: str, at_ms: int) -> tuple[int, int] | None:
        """First and last moment (exclusive) of trading on the day of `at_ms`, if there is any."""
        return self._session(exchange_of(segment), at_ms)

    def is_trading_day(self, exchange: str, day: date) -> bool:
        """Whether the exchange has a session on this day."""
        return self._hours(exchange, day) is not None

    def timings(self, day: date) -> list[Timing]:
        """Who trades when on this day; empty if nobody does."""
        found = ((name, self._hours(name, day)) for name in EXCHANGES)
        return [_timing(name, day, hours) for name, hours in found if hours is not None]

    def holidays(self, year: int) -> list[Holiday]:
        """The announced holidays, oldest first; an always open market does not heed them."""
        return [_holiday(special.day) for special in SPECIAL_DAYS if special.day.year == year]

    def service_hours_open(self, at_ms: int) -> bool:
        """Whether orders and funds are served; from 00:00 to 05:30 IST they are not."""
        return self.always_open or (at_ms + IST_OFFSET_MS) % DAY_MS >= _SERVICES_OPEN_MS

    def _hours(self, exchange: str, day: date) -> Minutes | None:
        return _WHOLE_DAY if self.always_open else _hours(exchange, day)

    def _session(self, exchange: str, at_ms: int) -> tuple[int, int] | None:
        midnight = day_start(at_ms)
        known = (exchange, midnight)
        if known not in self._known:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            hours = self._hours(exchange, ist_date(at_ms))
            self._known[known] = hours and _span_ms(midnight, hours)
        return self._known[known]


def next_trading_day(exchange: str, day: date, *, step: int = 1) -> date:
    """The first day from `day` on (with step -1: back) that has a session."""
    while _hours(exchange, day) is None:
        day += timedelta(days=step)
    return day


def _hours(exchange: str, day: date) -> Minutes | None:
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


def _before(minutes: float) -> Phase:
    if minutes > _PRE_OPEN_STARTS:
        return Phase.NORMAL_CLOSE
    return Phase.PRE_OPEN_START if minutes > _PRE_OPEN_ENDS else Phase.PRE_OPEN_END


def _after(minutes: float) -> Phase:
    if minutes < _CLOSING_STARTS:
        return Phase.NORMAL_CLOSE
    return Phase.CLOSING_START if minutes < _CLOSING_ENDS else Phase.CLOSING_END


def _span_ms(midnight_ms: int, hours: Minutes) -> tuple[int, int]:
    return midnight_ms + hours[0] * MINUTE_MS, midnight_ms + hours[1] * MINUTE_MS


def _timing(exchange: str, day: date, hours: Minutes) -> Timing:
    midnight = datetime(day.year, day.month, day.day, tzinfo=IST)
    return Timing(exchange, *_span_ms(int(midnight.timestamp()) * 1_000, hours))


def _holiday(day: date) -> Holiday:
    special = _SPECIAL[day]
    opened = tuple(
        _timing(name, day, special.hours[name]) for name in EXCHANGES if name in special.hours
    )
    is_shut = special.kind is HolidayKind.TRADING
    closed = tuple(name for name in EXCHANGES if is_shut and name not in special.hours)
    return Holiday(day, special.description, special.kind, closed, opened)
