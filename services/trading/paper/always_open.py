"""A market without closing hours, as the simulated Upstox has unless it is told otherwise."""

from datetime import date
from typing import Final

from shared.market.exchange_calendar import Calendar

_WHOLE_DAY: Final = 0, 24 * 60


class AlwaysOpenCalendar(Calendar):
    """Each day has one session, from midnight to midnight IST."""

    def _hours(self, exchange: str, day: date) -> tuple[int, int]:  # noqa: ARG002
        return _WHOLE_DAY
