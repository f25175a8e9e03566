"""Work of the leader: refreshes the calendar from Upstox once a day, and publishes it."""

from datetime import date, timedelta
from typing import Final, Protocol

from nats.errors import Error as NatsError
from pymongo.errors import PyMongoError

from services.persister import metrics
from services.persister.calendar.calendar_source import CalendarSource
from shared.bus.connection import Bus
from shared.bus.refused_publishes import report_refused
from shared.contracts.calendar import CALENDAR_DAYS, encode_calendar
from shared.errors import Unavailable
from shared.market.calendar_data import CalendarData
from shared.market.exchange_time import ist_date
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

RETRY_SECS: Final = 1.0
"""The longest pause after the first failure; it doubles with each further failure."""
_PUBLISH_EVERY_SECS: Final = 30.0
_PUBLISHED_PAST: Final = timedelta(days=7)


class Store(Protocol):
    """Where the calendar is stored. All methods raise PyMongoError."""

    async def prepare(self) -> None:
        """Create the collection."""
        ...

    async def read(self) -> tuple[str, CalendarData]:
        """The day of the last refresh, and its calendar."""
        ...

    async def write(self, today: date, data: CalendarData) -> None:
        """Store the calendar that was fetched on `today`."""
        ...


class CalendarRefresher:
    """Runs while this process leads."""

    def __init__(
        self, source: CalendarSource, store: Store, bus: Bus, clock: Clock, *, check_secs: float
    ) -> None:
        self._source = source
        self._store = store
        self._bus = bus
        self._clock = clock
        self._check_secs = check_secs

    async def run(self) -> None:
        """Refresh and publish until cancelled.

        A refresh that fails is tried again soon, and after `check_secs` at the latest.
        """
        backoff = Backoff(RETRY_SECS, self._check_secs)
        check_at_secs = self._clock.monotonic()
        while True:
            try:
                if self._clock.monotonic() >= check_at_secs:
                    check_at_secs = self._clock.monotonic() + self._check_secs
                    await self._store.prepare()
                    await self.refresh()
                    backoff.reset()
                await self._publish()
            except Unavailable as error:
                metrics.CALENDAR_ANSWERS.labels("failed").inc()
                log.warning("calendar not refreshed", error=error.detail)
                check_at_secs = self._clock.monotonic() + backoff.next_secs()
            except PyMongoError as error:
                log.warning("calendar not refreshed", error=repr(error))
                check_at_secs = self._clock.monotonic() + backoff.next_secs()
            rest_secs = max(0.0, check_at_secs - self._clock.monotonic())
            await self._clock.sleep(min(_PUBLISH_EVERY_SECS, rest_secs))

    async def refresh(self) -> None:
        """Fetch today's calendar and store it, unless that is done. Raises Unavailable."""
        today = ist_date(self._clock.now_ms())
        day, known = await self._store.read()
        if day == today.isoformat():
            return
        data = await self._source.fetch(known, today)
        await self._store.write(today, data)
        log.info("calendar refreshed", day=today.isoformat(), special_days=len(data.special_days))

    async def _publish(self) -> None:
        day, data = await self._store.read()
        if day and self._bus.can_publish:
            from_day = ist_date(self._clock.now_ms()) - _PUBLISHED_PAST
            message = encode_calendar(data, from_day=from_day)
            try:
                await self._bus.client.publish(CALENDAR_DAYS, message)
            except (NatsError, OSError) as error:
                report_refused("calendar", error)  # the next repetition follows within seconds
