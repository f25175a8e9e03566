"""Stores market data in TICKS, except while the disk of JetStream is full.

Quotes are published once, and JetStream stores what is published. nats-server 2.9 hangs when it
cannot write, and live prices stop with it. So before that, TICKS is set to store no messages.
"""

import asyncio
from typing import Final

from nats.errors import Error as NatsError

from services.ingest import metrics
from shared.bus.connection import Bus
from shared.bus.resources import ensure_ticks_stream
from shared.runtime.disk import DiskWatch, Space
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger

log = get_logger(__name__)

DEPENDENCY: Final = "ticks"
_EVERY_SECS: Final = 1.0


class TicksStorage:
    """The stream TICKS of one leader. `watch` is None if the disk is on another machine."""

    def __init__(
        self,
        bus: Bus,
        watch: DiskWatch | None,
        readiness: Readiness,
        *,
        max_age_secs: float,
        max_bytes: int,
    ) -> None:
        self._bus = bus
        self._watch = watch
        self._readiness = readiness
        self._max_age_secs = max_age_secs
        self._max_bytes = max_bytes
        self._is_storing: bool | None = True
        """Whether TICKS stores; None while that is unknown because a reply was lost."""

    async def ensure(self) -> None:
        """Create or update TICKS, for the space that there is. Raises nats.errors.Error."""
        if self._watch is not None:
            await self._watch.measure()
        should_store = self._should_store()
        if not should_store:
            self._readiness.down(DEPENDENCY, self._cause())
        self._is_storing = None
        await ensure_ticks_stream(
            self._bus,
            max_age_secs=self._max_age_secs,
            max_bytes=self._max_bytes,
            is_storing=should_store,
        )
        self._is_storing = should_store
        metrics.TICKS_STORED.set(should_store)
        if should_store:
            self._readiness.up(DEPENDENCY)

    async def run(self) -> None:
        """Stop or resume storing whenever the space requires it, until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECS)
            if self._should_store() == self._is_storing:
                continue
            try:
                await self.ensure()
            except (NatsError, TimeoutError, OSError) as error:
                log.warning("TICKS not updated", error=repr(error))
            else:
                event = "TICKS stores again" if self._is_storing else "TICKS stores nothing"
                log.warning(event)

    def _should_store(self) -> bool:
        return self._watch is None or self._watch.space is not Space.CRITICAL

    def _cause(self) -> str:
        assert self._watch is not None
        return f"nothing is stored for bars: the disk of {self._watch.folder} is full"
