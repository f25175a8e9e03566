"""Publishes which instruments in demand are not live, on md.coverage."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
from nats.errors import Error as NatsError

from services.ingest import metrics
from services.ingest.demand.instrument_demand import InstrumentDemand
from shared.bus.connection import Bus
from shared.bus.lease import Term
from shared.bus.refused_publishes import report_refused
from shared.contracts.demand import DEEP_SUFFIX, Coverage, ModeUse, encode, split_coverage
from shared.contracts.subjects import COVERAGE

_REPEAT_SECS: Final = 2.0


class CoveragePublisher:
    """The coverage during one term. It is repeated for gateways that connect later."""

    def __init__(self, bus: Bus, term: Term, demand: InstrumentDemand) -> None:
        self._bus = bus
        self._term = term
        self._demand = demand
        self._changed = asyncio.Event()
        self._number = 0
        self.set_all_pending()

    def set_all_pending(self) -> None:
        """There is no connection: every instrument in demand is pending."""
        pending = (
            *self._demand.watchlist,
            *self._demand.requested,
            *(key + DEEP_SUFFIX for key in self._demand.deep_keys),
            *map(str, self._demand.chains),
        )
        self.set(pending=pending, no_capacity=(), unknown=())

    def set(
        self,
        *,
        pending: Iterable[str],
        no_capacity: Iterable[str],
        unknown: Iterable[str],
        needs_plus: Iterable[str] = (),
        modes: Mapping[str, ModeUse] | None = None,
    ) -> None:
        """Set the instruments that are not live, by reason, and the use of each mode.

        Malformed keys count as unknown.
        """
        coverage = Coverage(
            epoch=self._term.epoch,
            seen=self._demand.revisions,
            pending=sorted(pending),
            no_capacity=sorted(no_capacity),
            unknown=sorted({*unknown, *self._demand.malformed}),
            needs_plus=sorted(needs_plus),
            modes=dict(modes or {}),
        )
        self._coverage = coverage
        metrics.NOT_LIVE_INSTRUMENTS.labels("pending").set(len(coverage.pending))
        metrics.NOT_LIVE_INSTRUMENTS.labels("no_capacity").set(len(coverage.no_capacity))
        metrics.NOT_LIVE_INSTRUMENTS.labels("unknown").set(len(coverage.unknown))
        self._changed.set()

    async def run(self) -> None:
        """Publish on every change, and at least every 2 s. Raises LeaseLost."""
        while True:
            self._changed.clear()
            self._term.check()
            if self._bus.can_publish:
                await self._publish()
            try:
                async with asyncio.timeout(_REPEAT_SECS):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _publish(self) -> None:
        self._number += 1
        coverage = msgspec.structs.replace(self._coverage, number=self._number)
        try:
            for part in split_coverage(coverage):
                await self._bus.client.publish(COVERAGE, encode(part))
        except (NatsError, OSError) as error:
            report_refused("coverage", error)
