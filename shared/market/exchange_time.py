"""India's market time: trading days, and the five-minute windows of bars."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

IST: Final = ZoneInfo("Asia/Kolkata")
IST_OFFSET_MS: Final = 19_800_000  # UTC+05:30, without daylight saving since 1945
DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
WINDOW_MS: Final = 5 * MINUTE_MS


def window_start(at_ms: int) -> int:
    """Start of the five-minute window that holds `at_ms` (both epoch ms).

    Windows are aligned to the Unix epoch; IST is a whole number of five-minute
    windows away from UTC, so they are aligned to the exchange's day as well.
    """
    return at_ms - at_ms % WINDOW_MS


def trading_day(at_ms: int) -> int:
    """Number of the IST calendar day that holds `at_ms`; equal for two times of one day."""
    return (at_ms + IST_OFFSET_MS) // DAY_MS


def ist_date(at_ms: int) -> date:
    """The IST calendar date that holds `at_ms` (epoch ms)."""
    return datetime.fromtimestamp(at_ms / 1000, IST).date()


def day_start(at_ms: int) -> int:
    """00:00 IST of the day that holds `at_ms` (both epoch ms)."""
    return trading_day(at_ms) * DAY_MS - IST_OFFSET_MS


def to_datetime(at_ms: int) -> datetime:
    """`at_ms` (epoch ms) as an aware UTC datetime, exact to the millisecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
