"""Ends a connection that is silent while trades are expected."""

from typing import Final

from services.ingest.feed.source import FeedSilent
from services.ingest.leadership.subscribed_market import SubscribedMarket
from services.ingest.market.watchdog import Watchdog
from shared.runtime.clock import Clock

_CHECK_SECS: Final = 0.5


class ConnectionMonitor:
    """Applies the watchdog's timeout to one connection, while a subscribed segment is open."""

    def __init__(self, watchdog: Watchdog, market: SubscribedMarket, clock: Clock) -> None:
        self._watchdog = watchdog
        self._market = market
        self._clock = clock

    async def run(self) -> None:
        """Raises FeedSilent on a timeout."""
        self._watchdog.connected(self._clock.monotonic())
        while True:
            await self._clock.sleep(_CHECK_SECS)
            now_secs = self._clock.monotonic()
            silent_secs = now_secs - self._watchdog.silent_since_secs
            if not self._market.any_open():
                self._watchdog.idle(now_secs)
            elif self._watchdog.check(now_secs):
                raise FeedSilent("silent", f"no frame for {silent_secs:.0f} s")
