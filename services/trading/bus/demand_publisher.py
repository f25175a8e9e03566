"""Publishes the instruments whose quotes and order books a partition needs.

The demand is a complete state, like a gateway's, and is published by a name that is unique to this
owner of the partition. So the demand of a dead owner expires beside that of its successor.
"""

import asyncio
from collections.abc import Collection
from typing import Final

from nats.errors import Error as NatsError

from services.trading import metrics
from shared.bus.connection import Bus
from shared.bus.refused_publishes import report_refused
from shared.contracts.demand import (
    DEMAND_INTERVAL_SECS,
    MAX_KEYS,
    Demand,
    encode,
    fitting_keys,
)
from shared.contracts.subjects import demand_subject
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_PAUSE_SECS: Final = 0.1
"""Changes within this time are published together."""


class DemandPublisher:
    """Publishes the demand every few seconds and soon after each change, while it runs."""

    def __init__(self, bus: Bus, partition: int, owner: str) -> None:
        """Raises InvalidField if `owner` has other characters than A-Z, a-z, 0-9, _ and -."""
        name = f"trading-{partition}-{owner}"
        self._bus = bus
        self._partition = str(partition)
        self._subject = demand_subject(name)
        self._demand = Demand(gateway=name, rev=0, quotes=[])
        self._has_changed = asyncio.Event()
        self._exceeded: set[str] = set()

    @property
    def demand(self) -> Demand:
        """The demand to publish."""
        return self._demand

    def want(self, quotes: Collection[str], depth: Collection[str]) -> None:
        """Replace the demand. Ingest sends the quotes of a key of `depth` as well.

        If the keys exceed one message, order books take precedence, then keys of the last demand.
        """
        last = self._demand
        depth_keys = fitting_keys(depth, MAX_KEYS // 2, preferred=frozenset(last.depth))
        rest = {*quotes, *depth}.difference(depth_keys)
        quote_keys = fitting_keys(
            rest, MAX_KEYS - len(depth_keys), preferred=frozenset(last.quotes)
        )
        self._report("depth", len(depth_keys), len(set(depth)))
        self._report("quotes", len(quote_keys), len(rest))
        if (quote_keys, depth_keys) == (last.quotes, last.depth):
            return
        self._demand = Demand(
            gateway=last.gateway, rev=last.rev + 1, quotes=quote_keys, depth=depth_keys
        )
        self._has_changed.set()

    async def run(self) -> None:
        """Publish until cancelled; at the end, publish an empty demand."""
        try:
            while True:
                self._has_changed.clear()
                await self._publish()
                await asyncio.sleep(_PAUSE_SECS)
                try:
                    async with asyncio.timeout(DEMAND_INTERVAL_SECS - _PAUSE_SECS):
                        await self._has_changed.wait()
                except TimeoutError:
                    continue
        finally:
            self.want([], [])
            await self._publish()

    def _report(self, kind: str, demanded: int, wanted: int) -> None:
        beyond = wanted - demanded
        if beyond and kind not in self._exceeded:
            log.warning("demand exceeds one message", kind=kind, demanded=demanded, wanted=wanted)
        (self._exceeded.add if beyond else self._exceeded.discard)(kind)
        metrics.DEMANDED_INSTRUMENTS.labels(self._partition, kind).set(demanded)
        metrics.UNDEMANDED_INSTRUMENTS.labels(self._partition, kind).set(beyond)

    async def _publish(self) -> None:
        if not self._bus.can_publish:
            return  # the next repetition follows within seconds
        try:
            await self._bus.client.publish(self._subject, encode(self._demand))
        except (NatsError, OSError) as error:
            report_refused("demand", error)
