"""The simulation loop publishes every frame of the grid."""

import asyncio
from collections.abc import Sequence

import pytest

from services.simulator.market.flows import Trade
from services.simulator.market.instruments import STOCKS
from services.simulator.market.market import Market
from services.simulator.simulation.exchange_clock import ExchangeClock
from services.simulator.simulation.ledger import Ledger
from services.simulator.simulation.loop import SimulationLoop
from shared.runtime.clock import SystemClock
from tests.support.patience import PATIENCE_SECS

START = 1_767_607_200_000


class ManualClock(SystemClock):
    """A clock that the test sets and that sleeping advances."""

    def __init__(self) -> None:
        self.secs = 0.0

    def monotonic(self) -> float:
        return self.secs

    async def sleep(self, secs: float) -> None:
        self.secs += secs
        await asyncio.sleep(0)


class Harness:
    """A loop on a small market, with the changes and the frame times that it published."""

    def __init__(self) -> None:
        self.wall_clock = ManualClock()
        self.market = Market(STOCKS[:2], seed=1, start_ms=START, trades_per_sec=2.0)
        self.ledger = Ledger(self.market.states, max_rows=100)
        self.published: list[tuple[int, dict[str, bool]]] = []
        self.twelve_frames = asyncio.Event()
        clock = ExchangeClock(self.wall_clock, start_ms=START, speed=1.0)
        self.loop = SimulationLoop(
            self.market, clock, self.ledger, self._publish, frame_interval_ms=250
        )

    def _publish(self, changes: dict[str, bool]) -> None:
        self.published.append((self.market.now_ms, changes))
        if len(self.published) == 12:
            self.twelve_frames.set()


@pytest.mark.parametrize("late_secs", [0.0, 2.0])
async def test_every_frame_of_the_grid_is_published_even_when_late(late_secs: float) -> None:
    harness = Harness()
    harness.wall_clock.secs = late_secs
    running = asyncio.create_task(harness.loop.run())
    async with asyncio.timeout(PATIENCE_SECS):
        await harness.twelve_frames.wait()
    running.cancel()
    await asyncio.wait([running])
    times = [time_ms for time_ms, _ in harness.published[:12]]
    assert times == [START + 250 * number for number in range(1, 13)]


def test_a_step_records_the_trades_and_publishes_the_changes() -> None:
    harness = Harness()
    harness.loop.step(START)
    trades = harness.ledger.trades(STOCKS[0].key, 0, START + 1)
    assert [trade.time_ms for trade in trades] == [START]
    assert harness.published == [(START, {stock.key: True for stock in STOCKS[:2]})]
    assert harness.loop.next_frame_ms() == START + 250


def test_listeners_receive_the_trades_of_a_step_before_they_are_published() -> None:
    harness = Harness()
    calls: list[tuple[int, int, int]] = []

    def listener(trades: Sequence[Trade], now_ms: int) -> None:
        calls.append((len(trades), now_ms, len(harness.published)))

    harness.loop.on_step.append(listener)
    harness.loop.step(START)
    assert calls == [(2, START, 0)]
