"""Drives the market along exchange time, one feed frame after another."""

from collections.abc import Callable, Sequence

from services.simulator.exchange_clock import ExchangeClock
from services.simulator.feed.server import Feed
from services.simulator.ledger import Ledger
from services.simulator.market.flows import Trade
from services.simulator.market.market import Market
from services.simulator.metrics import LAG, TRADES


class Driver:
    """Advances the market frame by frame, and hands each frame to the feed.

    No frame is skipped: when late it catches up one by one, yielding to the loop after
    each. Frame times are the multiples of the interval.
    """

    def __init__(
        self,
        market: Market,
        clock: ExchangeClock,
        feed: Feed,
        ledger: Ledger,
        *,
        frame_interval_ms: int,
    ) -> None:
        self._market = market
        self._clock = clock
        self._feed = feed
        self._ledger = ledger
        self._frame_interval_ms = frame_interval_ms
        self.on_step: list[Callable[[Sequence[Trade], int], None]] = []
        """Called with the trades of each step and its time (epoch ms), before the feed."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            frame_ms = self.next_frame_ms()
            await self._clock.wait_until(frame_ms)
            LAG.set((self._clock.now_ms() - frame_ms) / 1_000)
            self.step(frame_ms)

    def next_frame_ms(self) -> int:
        """Time of the next frame on the grid (epoch ms)."""
        now_ms = self._market.now_ms
        return now_ms - now_ms % self._frame_interval_ms + self._frame_interval_ms

    def step(self, to_ms: int) -> None:
        """Let the market reach `to_ms` (epoch ms), then tell the clients of it."""
        trades = self._market.advance(to_ms)
        self._ledger.record_trades(trades)
        TRADES.inc(len(trades))
        for listener in self.on_step:
            listener(trades, to_ms)
        self._feed.publish(self._market.take_changes())
