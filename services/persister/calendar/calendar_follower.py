"""Keeps this process's calendar equal to the stored one, and warns before it ends."""

from typing import Final, Protocol

from pymongo.errors import PyMongoError

from services.persister import metrics
from shared.market.calendar_data import BUILT_IN, CalendarData
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import ist_date
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_EVERY_SECS: Final = 60.0
_WARN_DAYS: Final = 60


class Store(Protocol):
    """Where the calendar is stored."""

    async def read(self) -> tuple[str, CalendarData]:
        """The day of the last refresh, and its calendar. Raises PyMongoError."""
        ...


class CalendarFollower:
    """A component of every persister, leader or not. The built-in table is the fallback."""

    def __init__(self, store: Store, calendar: Calendar, clock: Clock) -> None:
        self._store = store
        self._calendar = calendar
        self._clock = clock
        self._warned_on = ""

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await self.follow()
            await self._clock.sleep(_EVERY_SECS)

    async def follow(self) -> None:
        """Read the stored calendar; report how long the calendar lasts."""
        try:
            _, stored = await self._store.read()
        except PyMongoError as error:
            log.debug("calendar not read, the last one stays", error=repr(error))
        else:
            data = BUILT_IN.updated(stored)
            if data != self._calendar.data:
                self._calendar.replace(data)
        self._report()

    def _report(self) -> None:
        today = ist_date(self._clock.now_ms())
        until = self._calendar.data.known_until(today)
        days_left = max(0, (until - today).days)
        metrics.CALENDAR_DAYS_LEFT.set(days_left)
        if days_left >= _WARN_DAYS or self._warned_on == today.isoformat():
            return
        self._warned_on = today.isoformat()
        if self._calendar.data.is_known(today):
            log.warning("calendar ends soon", known_until=until.isoformat(), days_left=days_left)
        else:
            log.warning("calendar has ended, every weekday counts as a trading day")
