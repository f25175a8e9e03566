"""The simulator's calendar: the exchanges' hours, or a market that is always open, and halts.

PURE: every time is an argument (epoch ms).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.simulator.market.halts import Halts
from services.simulator.market.trading_day import (
    FIRST_CLOSING_AUCTION_MS,
    Stage,
    Window,
    day_windows,
)
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
        self.halts = Halts()

    def phase(self, segment: str, at_ms: int) -> Phase:
        """As in `Calendar`; a halted segment is closed."""
        if self.halts.covers(segment, at_ms):
            return Phase.NORMAL_CLOSE
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

        `segment` may be an exchange. Shares without a closing auction trade until the close.
        """
        if self.always_open or segment not in _AUCTION_SEGMENTS | SHARES:
            return None
        session = self.session(segment, at_ms)
        if session is None or at_ms < FIRST_CLOSING_AUCTION_MS:
            return None
        left_ms = session[1] - at_ms
        for stage, minutes in _AUCTION_STAGES:
            if left_ms <= minutes * MINUTE_MS:
                return stage, session[1] - minutes * MINUTE_MS
        return None

    def windows(self, segment: str, at_ms: int, *, closing_auction: bool) -> tuple[Window, ...]:
        """The windows of the day of `at_ms`, in order of time; empty without a session.

        With `closing_auction` those of a share that is traded in the closing auction.
        """
        session = self.session(segment, at_ms)
        if session is None:
            return ()
        has_auctions = not self.always_open and segment in _AUCTION_SEGMENTS
        return day_windows(
            session,
            opening_auction=has_auctions,
            closing_auction=has_auctions and closing_auction,
        )

    def next_window(self, segment: str, at_ms: int, *, closing_auction: bool) -> Window:
        """The first window, on any day, that ends after `at_ms`."""
        day_ms = at_ms
        while True:
            for window in self.windows(segment, day_ms, closing_auction=closing_auction):
                if at_ms < window.end_ms:
                    return window
            day_ms = day_start(day_ms) + DAY_MS

    def is_trading(self, segment: str, at_ms: int, *, closing_auction: bool) -> bool:
        """Whether there is continuous trading at `at_ms`."""
        return any(
            window.stage is Stage.TRADING and window.start_ms <= at_ms < window.end_ms
            for window in self.windows(segment, at_ms, closing_auction=closing_auction)
        )

    def is_over(self, segment: str, at_ms: int, *, closing_auction: bool) -> bool:
        """Whether the day has no trade, and no auction, after `at_ms`."""
        windows = self.windows(segment, at_ms, closing_auction=closing_auction)
        return not windows or windows[-1].end_ms <= at_ms

    def last_close_ms(self, segment: str, at_ms: int, *, closing_auction: bool) -> int:
        """The last close by `at_ms`: the end of trading, or the match of the closing auction."""
        day_ms = at_ms
        while True:
            windows = self.windows(segment, day_ms, closing_auction=closing_auction)
            for window in reversed(windows):
                if window.end_ms > at_ms:
                    continue
                if window.stage is Stage.TRADING:
                    return window.end_ms
                if window.stage is Stage.MATCH and window == windows[-1]:
                    return window.start_ms
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
