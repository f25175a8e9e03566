"""Compares this process's clock with that of NATS, by the age of the lease's last renewal."""

from collections import deque
from typing import Final

from nats.errors import Error as NatsError

from shared.bus.connection import Bus
from shared.contracts.subjects import LEASES_BUCKET
from shared.runtime.clock import Clock
from shared.runtime.clock_skew import ClockSkew
from shared.runtime.health import Readiness

PEER: Final = "nats"
_INTERVAL_SECS: Final = 5.0
# The smallest of some ages is close to zero: a renewal that was read right after it was stored.
_SAMPLES: Final = 6


class NatsClock:
    """A component: measures the skew at an interval.

    nats-server 2.9 reports its time with stored messages only, and the lease is stored again
    every third of its TTL for as long as anyone leads.
    """

    def __init__(
        self, bus: Bus, lease: str, clock: Clock, readiness: Readiness, max_secs: float
    ) -> None:
        self._bus = bus
        self._subject = f"$KV.{LEASES_BUCKET}.{lease}"
        self._clock = clock
        self._renewal_secs = bus.settings.lease_ttl_secs / 3
        self._ages_secs: deque[float] = deque(maxlen=_SAMPLES)
        self._skew = ClockSkew(PEER, max_secs, readiness)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            await self._clock.sleep(_INTERVAL_SECS)
            await self.measure()

    async def measure(self) -> None:
        """Read the last renewal and compare its time with this clock."""
        try:
            entry = await self._bus.js.get_last_msg(f"KV_{LEASES_BUCKET}", self._subject)
        except (NatsError, TimeoutError, OSError):
            self._ages_secs.clear()  # nobody leads, or NATS is away, which others report
            return
        if entry.time is None or entry.headers:
            return  # headers mark a lease that was released
        self._ages_secs.append(self._clock.now_ms() / 1_000 - entry.time.timestamp())
        if len(self._ages_secs) == _SAMPLES:
            self._skew.observe(min(self._ages_secs), self._renewal_secs)
