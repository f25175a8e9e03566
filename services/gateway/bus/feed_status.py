"""Remembers what ingest has said of the feed, and when."""

import asyncio
from typing import Final

import msgspec
from nats.aio.msg import Msg

from services.gateway import metrics
from shared.bus.connection import Bus
from shared.contracts.messages import FeedStatus, decode_status
from shared.contracts.subjects import STATUS
from shared.runtime.clock import Clock

# Ingest says it every two seconds.
CURRENT_SECS: Final = 6.0


class FeedStatusListener:
    """A component: hears of the feed's state."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._told_at = 0.0
        self.status: FeedStatus | None = None

    @property
    def told_secs_ago(self) -> float | None:
        """How old `status` is; None if nothing was said yet."""
        return None if self.status is None else self._clock.monotonic() - self._told_at

    async def run(self) -> None:
        """Until cancelled. The subscription comes back by itself after an outage."""
        subscription = await self._bus.client.subscribe(STATUS, cb=self._take)
        try:
            await asyncio.Event().wait()
        finally:
            if not self._bus.client.is_closed:
                await subscription.unsubscribe()

    async def _take(self, message: Msg) -> None:
        try:
            status = decode_status(message.data)
        except msgspec.DecodeError:
            metrics.BAD_QUOTES.inc()
            return
        # A leader that was superseded may still speak.
        if self.status is None or status.epoch >= self.status.epoch:
            self.status = status
            self._told_at = self._clock.monotonic()
