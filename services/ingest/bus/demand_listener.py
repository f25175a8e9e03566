"""Hears gateways' demands on the bus, for as long as the process lives.

A standby listens as well: when it takes over it knows what is wanted.
"""

import asyncio
from typing import Final

import msgspec
from nats.aio.msg import Msg

from services.ingest import metrics
from services.ingest.demand.interest import Interest
from shared.bus.connection import Bus
from shared.contracts.demand import decode_demand
from shared.contracts.subjects import ALL_DEMAND, demand_subject
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_LOOK_SECS: Final = 1.0


class DemandListener:
    """A component: keeps `interest` true, and sets `changed` when something is to be done."""

    def __init__(self, bus: Bus, interest: Interest, clock: Clock) -> None:
        self._bus = bus
        self._interest = interest
        self._clock = clock
        self.changed = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled."""
        subscription = await self._bus.client.subscribe(ALL_DEMAND, cb=self._on_demand)
        try:
            while True:
                await self._clock.sleep(_LOOK_SECS)
                if self._interest.forget_silent(self._clock.monotonic()):
                    self._tell()
        finally:
            if not self._bus.client.is_closed:
                await subscription.unsubscribe()

    async def _on_demand(self, message: Msg) -> None:
        try:
            demand = decode_demand(message.data)
        except msgspec.DecodeError as error:
            metrics.BAD_DEMANDS.inc()
            log.warning("unreadable demand", subject=message.subject, error=str(error))
            return
        if message.subject != demand_subject(demand.gateway):
            metrics.BAD_DEMANDS.inc()
            return
        if self._interest.hear(demand, self._clock.monotonic()):
            self._tell()

    def _tell(self) -> None:
        metrics.GATEWAYS.set(len(self._interest.seen))
        self.changed.set()
