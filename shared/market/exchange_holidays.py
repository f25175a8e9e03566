"""The built-in table of days of 2025 and 2026 with unusual trading hours. Pure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from shared.market.exchange_sessions import COMMODITIES, EXCHANGES, Minutes, commodity_close


class HolidayKind(StrEnum):
    """Upstox's `holiday_type`."""

    TRADING = "TRADING_HOLIDAY"
    SETTLEMENT = "SETTLEMENT_HOLIDAY"
    SPECIAL = "SPECIAL_TIMING"


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day with unusual hours on some exchanges; `hours` is by exchange.

    An exchange that is not in `hours` is closed on a trading holiday, and has its usual hours on
    other days.
    """

    day: date
    description: str
    kind: HolidayKind
    hours: dict[str, Minutes]
    closed: frozenset[str] = frozenset()
    """Exchanges without a session, in addition to those closed by a trading holiday."""


_MORNING: Final[Minutes] = (9 * 60, 17 * 60)
_USUAL_EQUITY: Final[Minutes] = (9 * 60 + 15, 15 * 60 + 30)
_MUHURAT_2025: Final[Minutes] = (13 * 60 + 45, 14 * 60 + 45)
_MUHURAT_2026: Final[Minutes] = (18 * 60, 19 * 60)


def _closed(day: str, description: str) -> SpecialDay:
    return SpecialDay(date.fromisoformat(day), description, HolidayKind.TRADING, {})


def _evening(day: str, description: str) -> SpecialDay:
    """A holiday on which only the evening session of the commodity exchanges takes place."""
    at = date.fromisoformat(day)
    hours = dict.fromkeys(COMMODITIES, (17 * 60, commodity_close(at)))
    return SpecialDay(at, description, HolidayKind.TRADING, hours)


def _settlement(day: str, description: str) -> SpecialDay:
    return SpecialDay(date.fromisoformat(day), description, HolidayKind.SETTLEMENT, {})


def _special(
    day: str, description: str, minutes: Minutes, commodity_minutes: Minutes
) -> SpecialDay:
    """A day off on which every exchange has a session at these hours."""
    hours = dict.fromkeys(EXCHANGES, minutes) | dict.fromkeys(COMMODITIES, commodity_minutes)
    return SpecialDay(date.fromisoformat(day), description, HolidayKind.SPECIAL, hours)


TABLE_YEARS: Final = frozenset({2025, 2026})
"""Years of which the table has all days that the exchanges announced.

The exchanges announce the days of a year in December of the year before. Those of 2027 were not
published when this table was last changed, in November 2026.
"""
# Sources: NSE's annual circulars on trading holidays (capital market, derivatives, currency) and
# MCX's on commodity derivatives, for 2025 and 2026; NSE's circulars on the sessions of the Union
# Budget and of Muhurat trading 2025. Estimates: the hours of Muhurat trading 2026, the settlement
# holidays, and which sessions of MCX take place on the holidays of 2026.
SPECIAL_DAYS: Final = (
    SpecialDay(
        date(2025, 1, 1), "New Year Day", HolidayKind.SPECIAL, dict.fromkeys(COMMODITIES, _MORNING)
    ),
    _special("2025-02-01", "Union Budget", _USUAL_EQUITY, _MORNING),
    _settlement("2025-02-19", "Chhatrapati Shivaji Maharaj Jayanti"),
    _evening("2025-02-26", "Mahashivratri"),
    _evening("2025-03-14", "Holi"),
    _evening("2025-03-31", "Id-Ul-Fitr"),
    _settlement("2025-04-01", "Annual Bank Closing"),
    _evening("2025-04-10", "Shri Mahavir Jayanti"),
    _evening("2025-04-14", "Dr. Baba Saheb Ambedkar Jayanti"),
    _closed("2025-04-18", "Good Friday"),
    _evening("2025-05-01", "Maharashtra Day"),
    _closed("2025-08-15", "Independence Day"),
    _evening("2025-08-27", "Ganesh Chaturthi"),
    _settlement("2025-09-05", "Id-E-Milad"),
    _closed("2025-10-02", "Mahatma Gandhi Jayanti"),
    _special("2025-10-21", "Diwali Laxmi Pujan", _MUHURAT_2025, _MUHURAT_2025),
    _evening("2025-10-22", "Diwali Balipratipada"),
    _evening("2025-11-05", "Prakash Gurpurb Sri Guru Nanak Dev"),
    _closed("2025-12-25", "Christmas"),
    SpecialDay(
        date(2026, 1, 1), "New Year Day", HolidayKind.SPECIAL, dict.fromkeys(COMMODITIES, _MORNING)
    ),
    _evening("2026-01-15", "Municipal Corporation Election"),
    _closed("2026-01-26", "Republic Day"),
    _special("2026-02-01", "Union Budget", _USUAL_EQUITY, _MORNING),
    _settlement("2026-02-19", "Chhatrapati Shivaji Maharaj Jayanti"),
    _evening("2026-03-03", "Holi"),
    _settlement("2026-03-19", "Gudhi Padwa"),
    _evening("2026-03-26", "Shri Ram Navami"),
    _evening("2026-03-31", "Shri Mahavir Jayanti"),
    _settlement("2026-04-01", "Annual Bank Closing"),
    _closed("2026-04-03", "Good Friday"),
    _evening("2026-04-14", "Dr. Baba Saheb Ambedkar Jayanti"),
    _evening("2026-05-01", "Maharashtra Day"),
    _evening("2026-05-28", "Bakri Id"),
    _evening("2026-06-26", "Muharram"),
    _settlement("2026-08-26", "Id-E-Milad"),
    _evening("2026-09-14", "Ganesh Chaturthi"),
    _closed("2026-10-02", "Mahatma Gandhi Jayanti"),
    _evening("2026-10-20", "Dussehra"),
    _special("2026-11-08", "Diwali Laxmi Pujan", _MUHURAT_2026, _MUHURAT_2026),
    _evening("2026-11-10", "Diwali Balipratipada"),
    _evening("2026-11-24", "Prakash Gurpurb Sri Guru Nanak Dev"),
    _closed("2026-12-25", "Christmas"),
)
