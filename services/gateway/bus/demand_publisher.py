"""Publishes the instruments that this gateway needs, and receives ingest's answer to it."""

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
from shared.bus.refused_publishes import report_refused
from shared.contracts.demand import (
    DEMAND_INTERVAL_SECS,
    Coverage,
    CoverageParts,
    decode_coverage,
    encode,
)
from shared.contracts.subjects import COVERAGE, demand_subject
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_POLL_SECS: Final = 0.1


class DemandPublisher:
    """A component: publishes the demand every few seconds and soon after each change."""

    def __init__(
        self, bus: Bus, gateway_id: str, hub: Hub, interest: Interest, streams: StreamRegistry
    ) -> None:
        self._bus = bus
        self._subject = demand_subject(gateway_id)
        self._hub = hub
        self._interest = interest
        self._streams = streams
        self._interest_version = -1
        self._has_changed = False
        self._parts = CoverageParts()
        self._epoch = 0

    async def run(self) -> None:
        """Run until cancelled; publishes an empty demand at the end."""
        loop = asyncio.get_running_loop()
        subscription = await self._bus.client.subscribe(COVERAGE, cb=self._on_coverage)
        published_at = float("-inf")
        try:
            while True:
                self._update()
                if self._has_changed or loop.time() - published_at >= DEMAND_INTERVAL_SECS:
                    published_at = loop.time()
                    self._has_changed = False
                    await self._publish()
                await asyncio.sleep(_POLL_SECS)
        finally:
            self._interest.want([], [])
            await self._publish()
            if not self._bus.client.is_closed:
                await subscription.unsubscribe()

    def _update(self) -> None:
        hub = self._hub
        if hub.interest_version == self._interest_version:
            return
        self._interest_version = hub.interest_version
        channels = (Channel.QUOTES, Channel.CANDLES, Channel.BARS)
        quotes = [key for channel in channels for key in hub.subscribed_keys(channel)]
        depth, chains = hub.subscribed_keys(Channel.DEPTH), hub.subscribed_keys(Channel.CHAIN)
        if self._interest.want(quotes, depth, chains):
            self._has_changed = True

    async def _publish(self) -> None:
        if not self._bus.can_publish:
            return  # the next repetition follows within seconds
        try:
            await self._bus.client.publish(self._subject, encode(self._interest.demand()))
        except (NatsError, OSError) as error:
            report_refused("demand", error)

    async def _on_coverage(self, message: Msg) -> None:
        try:
            coverage = decode_coverage(message.data)
        except msgspec.DecodeError as error:
            metrics.MALFORMED_MESSAGES.labels("coverage").inc()
            log.warning("malformed coverage skipped", error=str(error))
            return
        # A superseded leader may still publish. Its part must not displace those of the new one.
        if coverage.epoch < self._epoch:
            metrics.STALE_MESSAGES.inc()
            return
        self._epoch = coverage.epoch
        complete = self._parts.add(coverage)
        if complete is not None:
            self._apply(complete)

    def _apply(self, coverage: Coverage) -> None:
        self._update()  # the coverage may answer a demand that is newer than the last update
        changed = self._interest.apply(coverage, asyncio.get_running_loop().time())
        if changed:
            for stream in self._streams:
                stream.report_outcomes(changed)
