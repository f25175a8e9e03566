"""Which instruments the partition needs market data of, and waiting for it."""

from collections.abc import Collection
from typing import Final

from services.trading.bus.demand_publisher import DemandPublisher
from services.trading.partition.ledger import Ledger
from shared.errors import OrderRefused
from shared.runtime.clock import Clock

_KEPT_SECS: Final = 60.0
_MAX_KEPT: Final = 1_000
_POLL_SECS: Final = 0.02
_DEMAND_SECS: Final = 0.05


class Prices:
    """Instruments with open orders or positions, and those of recent previews and orders."""

    def __init__(self, ledger: Ledger, clock: Clock, *, wait_secs: float) -> None:
        self._ledger = ledger
        self._clock = clock
        self._wait_secs = wait_secs
        self._kept_until: dict[str, float] = {}
        self._live_at = float("-inf")
        """When the feed was last seen live, monotonic."""

    async def run(self, demand: DemandPublisher) -> None:
        """Keep the demand current until cancelled."""
        while True:
            if self._ledger.is_feed_live:
                self._live_at = self._clock.monotonic()
            demand.want(self.quote_keys(), self.depth_keys())
            await self._clock.sleep(_DEMAND_SECS)

    def quote_keys(self) -> Collection[str]:
        """Keys whose quotes are needed."""
        now = self._clock.monotonic()
        for key in [key for key, until in self._kept_until.items() if until < now]:
            del self._kept_until[key]
        return {*self._kept_until, *self._ledger.broker.keys(), *self._ledger.held_keys()}

    def depth_keys(self) -> Collection[str]:
        """Keys whose order books are needed: those with open orders."""
        return self._ledger.broker.keys()

    async def wait_for(self, key: str) -> None:
        """Wait until an LTP of the instrument is known. Raises OrderRefused if none comes.

        Waits also while the feed is not live for a moment: its leader is replaced.
        """
        self._keep(key)
        while not self._is_live_or_lost():
            await self._clock.sleep(_POLL_SECS)
        deadline = self._clock.monotonic() + self._wait_secs
        while self._ledger.broker.ltp(key) is None:
            if self._clock.monotonic() >= deadline:
                raise OrderRefused(
                    f"price: no LTP of {key} is known; the feed sent none in {self._wait_secs:g} s",
                    field="key",
                    rule="price_known",
                    limit=f"{self._wait_secs:g} s",
                )
            await self._clock.sleep(_POLL_SECS)

    def _is_live_or_lost(self) -> bool:
        lost_secs = self._clock.monotonic() - self._live_at
        return self._ledger.is_feed_live or lost_secs > self._wait_secs

    def _keep(self, key: str) -> None:
        self._kept_until.pop(key, None)
        if len(self._kept_until) >= _MAX_KEPT:
            del self._kept_until[next(iter(self._kept_until))]
        self._kept_until[key] = self._clock.monotonic() + _KEPT_SECS
