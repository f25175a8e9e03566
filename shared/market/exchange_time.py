"""Exchange time: IST days and the five-minute windows of bars. Pure."""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

IST: Final = ZoneInfo("Asia/Kolkata")
IST_OFFSET_MS: Final = 19_800_000  # UTC+05:30, without daylight saving since 1945
DAY_MS: Final = 86_400_000
MINUTE_MS: Final = 60_000
WINDOW_MS: Final = 5 * MINUTE_MS


def window_start(at_ms: int) -> int:
    """Start of the five-minute window that contains `at_ms` (both epoch ms).

    Windows are aligned to the Unix epoch. The offset of IST from UTC is a multiple of five
    minutes, so windows are also aligned to the exchange's day.
    """
    return at_ms - at_ms % WINDOW_MS


def trading_day(at_ms: int) -> int:
    """The IST calendar day that contains `at_ms`, as a number; rises by one per day."""
    return (at_ms + IST_OFFSET_MS) // DAY_MS


def ist_date(at_ms: int) -> date:
    """The IST calendar date that contains `at_ms` (epoch ms)."""
    return datetime.fromtimestamp(at_ms / 1000, IST).date()


def day_start(at_ms: int) -> int:
    """00:00 IST of the day that contains `at_ms` (both epoch ms)."""
    return trading_day(at_ms) * DAY_MS - IST_OFFSET_MS


def midnight_ms(day: date) -> int:
    """00:00 IST of a day, epoch ms."""
    return day_start((day - date(1970, 1, 1)).days * DAY_MS)


def to_datetime(at_ms: int) -> datetime:
    """`at_ms` (epoch ms) as an aware UTC datetime, exact to the millisecond."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
