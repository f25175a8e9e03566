"""Moves quotes from the bus into the hub, beginning with the last known ones."""

from typing import Final

from nats.aio.msg import Msg

from services.gateway import metrics
from services.gateway.hub import Hub
from shared.bus import Bus
from shared.errors import StreamUnavailable
from shared.health import Readiness
from shared.logs import get_logger
from shared.stream import Entry, TickReader
from shared.subjects import ALL_QUOTES

log = get_logger(__name__)

DEPENDENCY: Final = "ticks"


class Relay:
    """A part: subscribes to all quotes, then fills in what was published before.

    Live quotes are taken first and kept ones only where they are newer, so no quote is
    missed between the two and none goes back in time. Whenever messages may have been
    missed, the kept ones are read again.
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
            while True:
                self._bus.missed.clear()
                await self._warm()
                self._readiness.up(DEPENDENCY)
                await self._bus.missed.wait()
                self._readiness.down(DEPENDENCY, "quotes may have been missed")
        finally:
            if not self._bus.client.is_closed:
                await subscription.unsubscribe()

    async def _on_quote(self, message: Msg) -> None:
        metrics.QUOTES_IN.inc()
        try:
            self._hub.publish(message.subject, message.data)
        except ValueError:
            metrics.BAD_QUOTES.inc()

    async def _warm(self) -> None:
        """Read the newest quote of each instrument, until as many came as there were."""
        async with TickReader(self._bus, start=None, subject=ALL_QUOTES) as reader:
            expected = await self._backlog(reader)
            seen: set[str] = set()
            while len(seen) < expected:
                entries = await reader.batch()
                for entry in entries:
                    seen.add(entry.subject)
                    self._take(entry)
                if not entries:
                    break  # nothing for seconds: the rest has left the stream meanwhile
        metrics.INSTRUMENTS.set(self._hub.instrument_count)
        log.info("warm", instruments=self._hub.instrument_count)

    def _take(self, entry: Entry) -> None:
        try:
            self._hub.warm(entry.subject, entry.data)
        except ValueError:
            metrics.BAD_QUOTES.inc()

    async def _backlog(self, reader: TickReader) -> int:
        while True:
            try:
                return await reader.open()
            except StreamUnavailable:
                log.info("waiting for the tick stream")
