"""The message with the exchanges' calendar, which the persister publishes."""

from datetime import date
from typing import Final

import msgspec

from shared.contracts.strict_json import json_decoder
from shared.market.calendar_data import CalendarData

CALENDAR_DAYS: Final = "calendar.days"
"""The calendar as Upstox reports it, complete, every 30 s once there is one."""

_MAX_MINUTES: Final = 24 * 60
_decoder: Final = json_decoder(CalendarData)


def encode_calendar(data: CalendarData, *, from_day: date) -> bytes:
    """The message with the known years and the days from `from_day` on."""
    return msgspec.json.encode(
        CalendarData(
            special_days={day: at for day, at in data.special_days.items() if day >= from_day},
            years=frozenset(year for year in data.years if year >= from_day.year),
            timings={day: hours for day, hours in data.timings.items() if day >= from_day},
        )
    )


def decode_calendar(message: bytes) -> CalendarData:
    """The calendar of a message. Raises msgspec.DecodeError if it is not valid."""
    data = _decoder(message)
    check_sessions(data)
    return data


def check_sessions(data: CalendarData) -> None:
    """Raises msgspec.ValidationError if a session does not lie within its day."""
    days = [*(special.hours for special in data.special_days.values()), *data.timings.values()]
    for hours in days:
        if not all(0 <= start < end <= _MAX_MINUTES for start, end in hours.values()):
            raise msgspec.ValidationError("a session does not lie within its day")
