"""Advances the market along exchange time, one feed frame after another."""

from collections.abc import Callable, Sequence

from services.simulator.market.flows import Trade
from services.simulator.market.market import Market
from services.simulator.metrics import FRAME_LAG, TRADES
from services.simulator.simulation.exchange_clock import ExchangeClock
from services.simulator.simulation.ledger import Ledger


class SimulationLoop:
    """Advances the market frame by frame, and publishes the changes of each frame.

    Frame times are the multiples of the frame interval. The loop skips no frame: when it is
    late it processes the frames one by one and yields to the event loop after each.
    """

    def __init__(
        self,
        market: Market,
        clock: ExchangeClock,
        ledger: Ledger,
        publish: Callable[[dict[str, bool]], None],
        *,
        frame_interval_ms: int,
    ) -> None:
        """`publish` receives the changes of each frame, as `Market.take_changes` returns them."""
        self._market = market
        self._clock = clock
        self._ledger = ledger
        self._publish = publish
        self._frame_interval_ms = frame_interval_ms
        self.on_step: list[Callable[[Sequence[Trade], int], None]] = []
        """Called with the trades and the time (epoch ms) of each frame, before `publish`."""

    async def run(self) -> None:
        """Advance the market until cancelled."""
        while True:
            frame_ms = self.next_frame_ms()
            await self._clock.wait_until(frame_ms)
            FRAME_LAG.set((self._clock.now_ms() - frame_ms) / 1_000)
            self.step(frame_ms)

    def next_frame_ms(self) -> int:
        """Time of the next frame (epoch ms)."""
        now_ms = self._market.now_ms
        return now_ms - now_ms % self._frame_interval_ms + self._frame_interval_ms

    def step(self, to_ms: int) -> None:
        """Advance the market to `to_ms` (epoch ms), then publish the changes."""
        trades = self._market.advance(to_ms)
        self._ledger.record_trades(trades)
        TRADES.inc(len(trades))
        for listener in self.on_step:
            listener(trades, to_ms)
        self._publish(self._market.take_changes())
