"""Receives the demands of gateways from NATS.

A standby receives them as well, so that it has the demand when it becomes the leader.
"""

import asyncio
from typing import Final

import msgspec
from nats.aio.msg import Msg

from services.ingest import metrics
from services.ingest.demand.instrument_demand import InstrumentDemand
from shared.bus.connection import Bus
from shared.contracts.demand import Demand, decode_demand
from shared.contracts.subjects import ALL_DEMAND, demand_subject
from shared.errors import InvalidField
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_EXPIRY_CHECK_SECS: Final = 1.0


class DemandListener:
    """A component: updates the InstrumentDemand and sets `changed` when it has changed."""

    def __init__(self, bus: Bus, demand: InstrumentDemand, clock: Clock) -> None:
        self._bus = bus
        self._demand = demand
        self._clock = clock
        self.changed = asyncio.Event()

    async def run(self) -> None:
        """Receive demands until cancelled."""
        subscription = await self._bus.client.subscribe(ALL_DEMAND, cb=self._on_message)
        try:
            while True:
                await self._clock.sleep(_EXPIRY_CHECK_SECS)
                if self._demand.expire(self._clock.monotonic()):
                    self._notify()
        finally:
            if not self._bus.client.is_closed:
                await subscription.unsubscribe()

    async def _on_message(self, message: Msg) -> None:
        try:
            demand = decode_demand(message.data)
        except msgspec.DecodeError as error:
            metrics.BAD_DEMANDS.inc()
            log.warning("demand is unreadable", subject=message.subject, error=str(error))
            return
        if not _is_of(demand, message.subject):
            metrics.BAD_DEMANDS.inc()
            return
        if self._demand.update(demand, self._clock.monotonic()):
            self._notify()

    def _notify(self) -> None:
        metrics.GATEWAYS.set(len(self._demand.revisions))
        self.changed.set()


def _is_of(demand: Demand, subject: str) -> bool:
    """Whether it is the demand of the gateway that the subject names."""
    try:
        return subject == demand_subject(demand.gateway)
    except InvalidField:
        return False
