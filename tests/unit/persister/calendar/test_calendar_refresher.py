"""A calendar that NATS does not take is counted, and published again. On virtual time."""

import asyncio
from datetime import date
from typing import Any

from nats.errors import MaxPayloadError

from services.persister.calendar.calendar_refresher import CalendarRefresher
from shared.bus.refused_publishes import REFUSED_PUBLISHES
from shared.market.calendar_data import BUILT_IN, CalendarData
from shared.market.exchange_time import ist_date
from shared.runtime.tasks import stop
from tests.support.virtual_time import LoopClock, on_virtual_time


class FilledStore:
    """A store with the calendar of the running day: the refresher fetches nothing."""

    async def prepare(self) -> None:
        pass

    async def read(self) -> tuple[str, CalendarData]:
        return ist_date(LoopClock().now_ms()).isoformat(), BUILT_IN

    async def write(self, today: date, data: CalendarData) -> None:
        raise AssertionError(f"{data} of {today} was fetched")


class RefusingBus:
    """Refuses to publish until it is told to accept."""

    can_publish = True

    def __init__(self) -> None:
        self.client = self
        self.is_refusing = True
        self.published: list[bytes] = []

    async def publish(self, _: str, data: bytes) -> None:
        if self.is_refusing:
            raise MaxPayloadError
        self.published.append(data)


@on_virtual_time
async def test_a_calendar_that_nats_refuses_is_counted_and_published_again() -> None:
    bus: Any = RefusingBus()
    source: Any = None
    refresher = CalendarRefresher(source, FilledStore(), bus, LoopClock(), check_secs=600)
    counter = REFUSED_PUBLISHES.labels("calendar")
    before = counter._value.get()
    running = asyncio.create_task(refresher.run())
    await asyncio.sleep(45)
    assert counter._value.get() == before + 2
    bus.is_refusing = False
    await asyncio.sleep(30)
    await stop([running])
    assert len(bus.published) == 1
