"""Publishes stored bars on the bus, each at least once."""

import asyncio
import math
from collections.abc import Sequence
from typing import Final, Protocol

from nats.errors import ConnectionReconnectingError
from nats.errors import Error as NatsError
from pymongo.errors import PyMongoError

from services.persister import metrics
from services.persister.stored_bars import StoredBars
from shared.bus.connection import Bus
from shared.contracts.messages import Bar, encode
from shared.contracts.subjects import bar_subject
from shared.runtime.logs import get_logger

log = get_logger(__name__)

# Published between two confirmations by the server; some 300 bytes each.
_BARS_PER_FLUSH: Final = 2_000


class Unpublished(Protocol):
    """The notes of bars that have to be published. Both methods raise PyMongoError."""

    async def next(self) -> StoredBars | None:
        """The bars of one note, as they are stored now; None if there is no note."""
        ...

    async def remove(self, notes: Sequence[str]) -> None:
        """Remove notes whose bars were published."""
        ...


class BarPublisher:
    """Publishes on ``md.bar.5m.*``.

    A note in the database is removed once NATS has confirmed that it received the bars. If the
    process ends before that, the next leader publishes them, possibly a second time.
    """

    def __init__(self, bus: Bus, unpublished: Unpublished) -> None:
        self._bus = bus
        self._unpublished = unpublished
        self._is_behind = True
        self._is_reported = False
        # Published in the order in which they were stored, so the newest version is the last.
        self._lock = asyncio.Lock()

    def begin_term(self) -> None:
        """Note that an earlier leader may have left bars unpublished."""
        self._is_behind = True

    async def publish(self, stored: StoredBars) -> None:
        """Publish bars. Those that cannot be published now are left to `catch_up`."""
        async with self._lock:
            await self._publish(stored)

    async def catch_up(self) -> None:
        """Publish the bars that have not been published when they were stored, if there are any."""
        if not self._is_behind:
            return
        async with self._lock:
            try:
                while (stored := await self._unpublished.next()) is not None:
                    if not await self._publish(stored):
                        return
                    metrics.LATE_PUBLISHED_BARS.inc(len(stored.bars))
                    log.info("bars published late", bars=len(stored.bars))
            except PyMongoError as error:
                self._report(error)
            else:
                self._is_behind = self._is_reported = False

    async def _publish(self, stored: StoredBars) -> bool:
        """Publish bars and remove their notes; False if that failed."""
        try:
            await self._send(stored.bars)
            if stored.notes:
                await self._unpublished.remove(stored.notes)
        except (NatsError, OSError, PyMongoError) as error:
            self._report(error)
            return False
        return True

    async def _send(self, bars: Sequence[Bar]) -> None:
        """Publish bars until the server has confirmed them. Raises NatsError or OSError."""
        reconnects = self._bus.client.stats["reconnects"]
        for at in range(0, len(bars), _BARS_PER_FLUSH):
            if not self._bus.is_connected:
                raise ConnectionReconnectingError
            for bar in bars[at : at + _BARS_PER_FLUSH]:
                await self._bus.client.publish(bar_subject(bar.key), encode(bar))
            await self._confirm(reconnects)

    async def _confirm(self, reconnects: int) -> None:
        """Wait until the server has received what was published. Raises NatsError or OSError.

        `reconnects` is the client's count before: a new connection confirms nothing of the old one.
        """
        client = self._bus.client
        timeout_secs = math.ceil(self._bus.settings.request_timeout_secs)
        # The client writes a PING ahead of queued messages, so only the second one follows them.
        for _ in range(2):
            await client.flush(timeout=timeout_secs)
        if client.stats["reconnects"] != reconnects:
            raise ConnectionReconnectingError

    def _report(self, error: Exception) -> None:
        if not self._is_reported:
            log.warning("bars not published, trying again", error=repr(error))
        self._is_behind = self._is_reported = True
