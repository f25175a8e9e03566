"""Subscribes to md.status: keeps the last feed status, and relays each to the hub."""

import asyncio
from typing import Final

import msgspec
from nats.aio.msg import Msg

from services.gateway import metrics
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.flush import Flusher
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.ingest_clock import IngestClock
from services.gateway.fanout.stamp import check_object
from shared.bus.connection import Bus
from shared.contracts.messages import FeedStatus, decode_status
from shared.contracts.subjects import STATUS
from shared.runtime.clock import Clock
from shared.runtime.clock_skew import ClockSkew

CURRENT_SECS: Final = 6.0
"""Age up to which a status is current; ingest publishes one every two seconds."""


class FeedStatusListener:
    """A component: the last status that ingest published, for REST and the stream.

    Each status also measures the difference between this clock and ingest's.
    """

    def __init__(
        self,
        bus: Bus,
        hub: Hub,
        flusher: Flusher,
        clock: Clock,
        ingest_clock: IngestClock,
        skew: ClockSkew,
    ) -> None:
        self._bus = bus
        self._hub = hub
        self._flusher = flusher
        self._clock = clock
        self._ingest_clock = ingest_clock
        self._skew = skew
        self._received_at = 0.0
        self.status: FeedStatus | None = None
        """None until ingest has published a status."""

    @property
    def age_secs(self) -> float | None:
        """The age of `status`; None if there is none."""
        return None if self.status is None else self._clock.monotonic() - self._received_at

    def is_current(self) -> bool:
        """Whether `status` has arrived recently."""
        age_secs = self.age_secs
        return age_secs is not None and age_secs < CURRENT_SECS

    async def run(self) -> None:
        """Run until cancelled. NATS restores the subscription after an outage."""
        subscription = await self._bus.client.subscribe(STATUS, cb=self._receive)
        try:
            await asyncio.Event().wait()
        finally:
            if not self._bus.client.is_closed:
                await subscription.unsubscribe()

    async def _receive(self, message: Msg) -> None:
        try:
            status = decode_status(message.data)
            check_object(message.data)  # clients receive these bytes
        except msgspec.DecodeError:
            metrics.MALFORMED_MESSAGES.labels("status").inc()
            return
        # A superseded leader may still publish.
        if self.status is not None and status.epoch < self.status.epoch:
            return
        if status.at is not None:
            self._skew.observe(self._ingest_clock.observe(status.epoch, status.at * 1_000))
        self.status = status
        self._received_at = self._clock.monotonic()
        self._hub.put(Channel.STATUS, message.subject, message.data)
        self._flusher.mark()
