"""A market without closing hours, as the simulated Upstox has unless it is told otherwise."""

from datetime import date
from typing import Final

from shared.market.exchange_calendar import Calendar

_HOURS: Final = 0, 2 * 24 * 60


class AlwaysOpenCalendar(Calendar):
    """Each day has a session that begins at midnight IST and does not end on that day.

    So nothing happens that precedes the end of a session, such as the square-off.
    """

    def _hours(self, exchange: str, day: date) -> tuple[int, int]:  # noqa: ARG002
        return _HOURS
