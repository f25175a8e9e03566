"""Receives the exchanges' calendar from NATS; the built-in table is the fallback."""

import asyncio

import msgspec
from nats.aio.msg import Msg
from prometheus_client import Counter

from shared.bus.connection import Bus
from shared.contracts.calendar import CALENDAR_DAYS, decode_calendar
from shared.market.calendar_data import BUILT_IN
from shared.market.exchange_calendar import Calendar
from shared.runtime.logs import get_logger

log = get_logger(__name__)


class CalendarListener:
    """A component: replaces the data of the calendar when other data is published.

    `bad_calendars` counts the messages that could not be decoded.
    """

    def __init__(self, bus: Bus, calendar: Calendar, bad_calendars: Counter) -> None:
        self._bus = bus
        self._calendar = calendar
        self._bad_calendars = bad_calendars

    async def run(self) -> None:
        """Receive calendars until cancelled."""
        subscription = await self._bus.client.subscribe(CALENDAR_DAYS, cb=self._on_message)
        try:
            await asyncio.Event().wait()
        finally:
            if not self._bus.client.is_closed:
                await subscription.unsubscribe()

    async def _on_message(self, message: Msg) -> None:
        try:
            data = BUILT_IN.updated(decode_calendar(message.data))
        except msgspec.DecodeError as error:
            self._bad_calendars.inc()
            log.warning("calendar is unreadable, the last one stays", error=str(error))
            return
        if data != self._calendar.data:
            self._calendar.replace(data)
