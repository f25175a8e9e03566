"""Moves quotes from the bus into the hub, beginning with the last known ones."""

import asyncio
from typing import Final

from nats.aio.msg import Msg

from services.gateway import metrics
from services.gateway.hub import Hub
from shared.bus import Bus
from shared.errors import StreamUnavailable
from shared.health import Readiness
from shared.logs import get_logger
from shared.stream import TickReader
from shared.subjects import ALL_QUOTES

log = get_logger(__name__)

DEPENDENCY: Final = "ticks"


class Relay:
    """A part: subscribes to all quotes, then fills in what was published before.

    Live quotes are taken first and old ones only where no live one has come, so no
    quote is missed between the two and none goes back in time.
    """

    def __init__(self, bus: Bus, hub: Hub, readiness: Readiness) -> None:
        self._bus = bus
        self._hub = hub
        self._readiness = readiness
        readiness.down(DEPENDENCY, "last quotes not read yet")

    async def run(self) -> None:
        """Relays until cancelled."""
        subscription = await self._bus.client.subscribe(ALL_QUOTES, cb=self._on_quote)
        try:
            await self._warm()
            self._readiness.up(DEPENDENCY)
            await asyncio.Event().wait()
        finally:
            if not self._bus.client.is_closed:
                await subscription.unsubscribe()

    async def _on_quote(self, message: Msg) -> None:
        metrics.QUOTES_IN.inc()
        self._hub.publish(message.subject, message.data)

    async def _warm(self) -> None:
        async with TickReader(self._bus, start=None, subject=ALL_QUOTES) as reader:
            missing = await self._backlog(reader)
            while missing > 0:
                entries = await reader.batch()
                for entry in entries:
                    self._hub.warm(entry.subject, entry.data)
                # Nothing for seconds: the rest has left the stream meanwhile.
                missing = missing - len(entries) if entries else 0
        metrics.INSTRUMENTS.set(self._hub.instrument_count)
        log.info("warm", instruments=self._hub.instrument_count)

    async def _backlog(self, reader: TickReader) -> int:
        while True:
            try:
                return await reader.open()
            except StreamUnavailable:
                log.info("waiting for the tick stream")
