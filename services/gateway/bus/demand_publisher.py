"""Tells ingest what this gateway's clients need, and clients what ingest says of it."""

import asyncio
from typing import Final

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from services.gateway import metrics
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.interest import Interest
from services.gateway.stream.registry import StreamRegistry
from shared.bus.connection import Bus
from shared.contracts.demand import DEMAND_INTERVAL_SECS, Coverage, decode_coverage, encode
from shared.contracts.subjects import COVERAGE, demand_subject
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_LOOK_SECS: Final = 0.1


class DemandPublisher:
    """A component: publishes the demand every few seconds and soon after it has changed."""

    def __init__(
        self, bus: Bus, gateway_id: str, hub: Hub, interest: Interest, streams: StreamRegistry
    ) -> None:
        self._bus = bus
        self._subject = demand_subject(gateway_id)
        self._hub = hub
        self._interest = interest
        self._streams = streams
        self._seen = -1
        self._is_due = False

    async def run(self) -> None:
        """Until cancelled; then ingest is told that nothing is needed any more."""
        loop = asyncio.get_running_loop()
        subscription = await self._bus.client.subscribe(COVERAGE, cb=self._on_coverage)
        told_at = float("-inf")
        try:
            while True:
                self._look()
                if self._is_due or loop.time() - told_at >= DEMAND_INTERVAL_SECS:
                    told_at = loop.time()
                    self._is_due = False
                    await self._tell()
                await asyncio.sleep(_LOOK_SECS)
        finally:
            self._interest.want([], [])
            await self._tell()
            if not self._bus.client.is_closed:
                await subscription.unsubscribe()

    def _look(self) -> None:
        hub = self._hub
        if hub.interest_version == self._seen:
            return
        self._seen = hub.interest_version
        quotes = hub.wanted(Channel.QUOTES) + hub.wanted(Channel.BARS)
        if self._interest.want(quotes, hub.wanted(Channel.DEPTH)):
            self._is_due = True

    async def _tell(self) -> None:
        if not self._bus.can_publish:
            return  # it is told again soon enough
        try:
            await self._bus.client.publish(self._subject, encode(self._interest.demand()))
        except (NatsError, OSError) as error:
            log.debug("demand not told", error=repr(error))

    async def _on_coverage(self, message: Msg) -> None:
        try:
            coverage = decode_coverage(message.data)
        except msgspec.DecodeError as error:
            metrics.BAD_QUOTES.inc()
            log.warning("not a coverage", error=str(error))
            return
        self._hear(coverage)

    def _hear(self, coverage: Coverage) -> None:
        self._look()  # clients know of keys since then what the coverage before this one said
        changed = self._interest.hear(coverage, asyncio.get_running_loop().time())
        if changed:
            for stream in self._streams:
                stream.tell_outcomes(changed)
