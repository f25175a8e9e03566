"""Publishes revocations to the NATS bucket `revocations`, from which gateways read them."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final

from nats.errors import Error as NatsError

from services.auth import metrics
from services.auth.core.ports import RevocationLog
from shared.bus.connection import Bus
from shared.bus.resources import ensure_revocations_bucket
from shared.contracts.revocations import Revocation, encode
from shared.errors import Unavailable
from shared.market.exchange_time import to_datetime
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.tasks import run_together

log = get_logger(__name__)

# How soon a reconnect is detected, and revocations that another process has recorded and not
# published.
_POLL_SECS: Final = 1.0


class RevocationPublisher:
    """A component that publishes revocations after they were recorded in MongoDB.

    Since they are recorded first, logins and logouts continue while NATS is away. After each
    connection all revocations that are still effective are published again, because the
    bucket may have been lost with the data of NATS.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractAsyncContextManager[Bus]],
        revocations: RevocationLog,
        clock: Clock,
        *,
        retention_secs: float,
    ) -> None:
        self._connect = connect
        self._revocations = revocations
        self._clock = clock
        self._retention_secs = retention_secs
        self._notified = asyncio.Event()

    def notify(self) -> None:
        """Signal that revocations wait to be published; returns at once."""
        self._notified.set()

    async def run(self) -> None:
        """Publish until cancelled. Raises BusClosed if the NATS client gives up."""
        async with self._connect() as bus:
            await run_together({"bus": bus.run(), "publish": self._publish_all(bus)})

    async def _publish_all(self, bus: Bus) -> None:
        backoff = Backoff(cap_secs=2.0)
        republish = True
        while True:
            try:
                if republish:
                    bus.resync_required.clear()
                    await self._republish_effective(bus)
                self._notified.clear()
                while revocations := await self._revocations.unpublished():
                    await self._publish(bus, revocations)
            except (NatsError, Unavailable, TimeoutError, OSError) as error:
                metrics.PUBLISH_FAILURES.inc()
                if backoff.attempt == 0:
                    log.warning("revocations not published, will retry", error=repr(error))
                republish = True
                await self._clock.sleep(backoff.next_secs())
                continue
            backoff.reset()
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECS):
                    await self._notified.wait()
            republish = bus.resync_required.is_set()

    async def _republish_effective(self, bus: Bus) -> None:
        await ensure_revocations_bucket(bus, ttl_secs=self._retention_secs)
        now = to_datetime(self._clock.now_ms())
        await self._publish(bus, await self._revocations.effective(now))

    async def _publish(self, bus: Bus, revocations: list[Revocation]) -> None:
        for revocation in revocations:
            await bus.js.publish(*encode(revocation))
            metrics.PUBLISHED_REVOCATIONS.inc()
        await self._revocations.record_published(revocations)
