"""Tells gateways which of the instruments that are wanted are not live."""

import asyncio
from collections.abc import Iterable
from typing import Final

from nats.errors import Error as NatsError

from services.ingest import metrics
from services.ingest.demand.interest import Interest
from shared.bus.connection import Bus
from shared.bus.lease import Term
from shared.contracts.demand import Coverage, encode
from shared.contracts.subjects import COVERAGE
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_REPEAT_SECS: Final = 2.0


class CoveragePublisher:
    """What is not live, during one term; repeated on the bus for those who come late."""

    def __init__(self, bus: Bus, term: Term, interest: Interest) -> None:
        self._bus = bus
        self._term = term
        self._interest = interest
        self._changed = asyncio.Event()
        self.nothing_live()

    def nothing_live(self) -> None:
        """There is no connection: all that is wanted is pending."""
        wanted = (*self._interest.pinned, *self._interest.demanded)
        self.set(pending=wanted, no_capacity=(), unknown=())

    def set(
        self, *, pending: Iterable[str], no_capacity: Iterable[str], unknown: Iterable[str]
    ) -> None:
        """From now on this is what is not live."""
        coverage = Coverage(
            epoch=self._term.epoch,
            seen=self._interest.seen,
            pending=sorted(pending),
            no_capacity=sorted(no_capacity),
            unknown=sorted({*unknown, *self._interest.malformed}),
        )
        self._coverage = coverage
        metrics.NOT_LIVE.labels("pending").set(len(coverage.pending))
        metrics.NOT_LIVE.labels("no_capacity").set(len(coverage.no_capacity))
        metrics.NOT_LIVE.labels("unknown").set(len(coverage.unknown))
        self._changed.set()

    async def run(self) -> None:
        """Publish on every change, and again every few seconds. Raises LeaseLost."""
        while True:
            self._changed.clear()
            self._term.check()
            if self._bus.can_publish:
                try:
                    await self._bus.client.publish(COVERAGE, encode(self._coverage))
                except (NatsError, OSError):
                    log.debug("coverage not published; it will be told again")
            try:
                async with asyncio.timeout(_REPEAT_SECS):
                    await self._changed.wait()
            except TimeoutError:
                continue
