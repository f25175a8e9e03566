"""Times in India: of parameters, of messages and as text. Pure."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
"""India's time zone."""
Moment = int | str | date | datetime
"""Unix milliseconds; a date, from 00:00 IST on; or a time with its zone. A string is a date
(``2026-11-23``) or a time with its offset (``2026-11-23T09:15:00+05:30``)."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LEAST_MS: Final = 10**11
"""In March 1973. A smaller number is a time in seconds."""


def moment_text(name: str, moment: Moment) -> str:
    """Return a moment as a query parameter.

    Raises ValueError for a time without a zone, and for one in seconds.
    """
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError(f"{name} has no time zone: give tzinfo=tradedad_client.IST")
        return str((moment - _EPOCH) // timedelta(milliseconds=1))
    if isinstance(moment, date):
        return moment.isoformat()
    text = str(moment)
    if text.isdecimal() and 0 < int(text) < _LEAST_MS:
        raise ValueError(f"{name} must be Unix milliseconds, not seconds: {text}")
    return text


def in_india(epoch_ms: int) -> datetime:
    """Return Unix milliseconds as a time in India."""
    return (_EPOCH + timedelta(milliseconds=epoch_ms)).astimezone(IST)


def minute_text(epoch_ms: int) -> str:
    """Format a time to the minute, with its zone."""
    return f"{in_india(epoch_ms):%Y-%m-%d %H:%M %Z}"


def clock_text(epoch_ms: int) -> str:
    """Format a time of the day, with its zone."""
    return f"{in_india(epoch_ms):%H:%M:%S %Z}"
