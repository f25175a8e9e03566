"""Compares this process's clock with that of MongoDB."""

import asyncio
from typing import Final

from pymongo.errors import PyMongoError

from shared.runtime.clock import Clock
from shared.runtime.clock_skew import ClockSkew
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo

PEER: Final = "mongodb"
_INTERVAL_SECS: Final = 10.0


class MongoClock:
    """A component: measures the skew at an interval; while MongoDB is away it is not measured."""

    def __init__(self, mongo: Mongo, clock: Clock, readiness: Readiness, max_secs: float) -> None:
        self._mongo = mongo
        self._clock = clock
        self._skew = ClockSkew(PEER, max_secs, readiness)

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            await self.measure()
            await asyncio.sleep(_INTERVAL_SECS)

    async def measure(self) -> None:
        """Compare the time in the server's answer with this clock, in the middle of the request."""
        asked_ms, started = self._clock.now_ms(), self._clock.monotonic()
        try:
            hello = await self._mongo.client.admin.command("hello")
        except PyMongoError:
            return  # the probe of `Mongo` reports it
        half_trip_secs = (self._clock.monotonic() - started) / 2
        if (theirs := hello.get("localTime")) is not None:
            ours = asked_ms / 1_000 + half_trip_secs
            self._skew.observe(ours - theirs.timestamp(), half_trip_secs)
