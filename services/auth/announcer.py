"""Tells gateways of ended sessions and disabled users, at once or as soon as NATS is back."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from typing import Final, Protocol

from nats.errors import Error as NatsError

from services.auth import metrics
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

# How soon something is seen that another process has left unannounced, or a reconnect.
_LOOK_SECS: Final = 1.0


class RevocationLog(Protocol):
    """Where revocations are recorded before anybody is told; all may raise Unavailable."""

    async def to_announce(self) -> list[Revocation]:
        """Some that are yet to be announced; none if there are none."""
        ...

    async def that_matter(self, now: datetime) -> list[Revocation]:
        """All that may still refuse a token."""
        ...

    async def announced(self, revocations: list[Revocation]) -> None:
        """Take note that these have been announced."""
        ...


class Announcer:
    """A part. Revocations are in MongoDB first, so logins and logouts go on without NATS.

    After each connection all that still matter are announced again: the bucket may have
    been lost with NATS's data.
    """

    def __init__(
        self,
        connect: Callable[[], AbstractAsyncContextManager[Bus]],
        recorded: RevocationLog,
        clock: Clock,
        *,
        remember_secs: float,
    ) -> None:
        self._connect = connect
        self._recorded = recorded
        self._clock = clock
        self._remember_secs = remember_secs
        self._nudge = asyncio.Event()

    def nudge(self) -> None:
        """There is something to announce."""
        self._nudge.set()

    async def run(self) -> None:
        """Announces until cancelled; raises BusClosed if the client gives up."""
        async with self._connect() as bus:
            await run_together({"bus": bus.run(), "announce": self._announce(bus)})

    async def _announce(self, bus: Bus) -> None:
        backoff = Backoff(cap_secs=2.0)
        anew = True
        while True:
            try:
                if anew:
                    bus.resync_required.clear()
                    await ensure_revocations_bucket(bus, ttl_secs=self._remember_secs)
                    now = to_datetime(self._clock.now_ms())
                    await self._send(bus, await self._recorded.that_matter(now))
                self._nudge.clear()
                while recorded := await self._recorded.to_announce():
                    await self._send(bus, recorded)
            except (NatsError, Unavailable, TimeoutError, OSError) as error:
                metrics.ANNOUNCEMENTS_FAILED.inc()
                if backoff.attempt == 0:
                    log.warning("revocations wait", error=repr(error))
                anew = True
                await self._clock.sleep(backoff.next_secs())
                continue
            backoff.reset()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECS):
                    await self._nudge.wait()
            anew = bus.resync_required.is_set()

    async def _send(self, bus: Bus, revocations: list[Revocation]) -> None:
        for revocation in revocations:
            await bus.js.publish(*encode(revocation))
            metrics.ANNOUNCED.inc()
        await self._recorded.announced(revocations)
