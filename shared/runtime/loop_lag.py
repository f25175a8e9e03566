"""Measures how late the event loop of this process runs its timers."""

import asyncio
from typing import Final

from prometheus_client import Histogram

LOOP_LAG_SECONDS: Final = Histogram(
    "tradedad_event_loop_lag_seconds",
    "Delay of a timer of the event loop.",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5),
)
_INTERVAL_SECS: Final = 0.25


class LoopLag:
    """A component: observes the delay of one timer after the other."""

    async def run(self) -> None:
        """Measure until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _INTERVAL_SECS
            await asyncio.sleep(_INTERVAL_SECS)
            # A timer may fire within the resolution of the loop's clock before its time.
            LOOP_LAG_SECONDS.observe(max(0.0, loop.time() - due))
