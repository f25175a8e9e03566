"""Frames come one after the other on their grid, and none is skipped."""

import asyncio

import pytest

from services.simulator.driver import Driver
from services.simulator.exchange_clock import ExchangeClock
from services.simulator.feed.codes import OneTimeCodes
from services.simulator.feed.server import Feed
from services.simulator.ledger import Ledger
from services.simulator.market.instruments import STOCKS
from services.simulator.market.market import Market
from services.simulator.settings import SimulatorSettings
from shared.runtime.clock import SystemClock
from tests.support.patience import PATIENCE_SECS

START = 1_767_607_200_000


class LateClock(SystemClock):
    """A machine that was away for a while: 2 s pass, and then each sleep is exact."""

    def __init__(self) -> None:
        self.secs = 0.0

    def monotonic(self) -> float:
        return self.secs

    async def sleep(self, secs: float) -> None:
        self.secs += secs
        await asyncio.sleep(0)


class FrameTimes(Feed):
    """Remembers when it was asked to publish."""

    def __init__(self, market: Market, ledger: Ledger) -> None:
        settings = SimulatorSettings()
        super().__init__(market, OneTimeCodes(SystemClock()), ledger, settings)
        self.times: list[int] = []
        self.enough = asyncio.Event()

    def publish(self, changes: dict[str, bool]) -> None:
        super().publish(changes)
        self.times.append(self._market.now_ms)
        if len(self.times) == 12:
            self.enough.set()


@pytest.mark.parametrize("late_secs", [0.0, 2.0])
async def test_every_frame_of_the_grid_is_made_even_when_late(late_secs: float) -> None:
    wall = LateClock()
    market = Market(STOCKS[:2], seed=1, start_ms=START, trades_per_sec=2.0)
    ledger = Ledger(market.states, max_rows=100)
    feed = FrameTimes(market, ledger)
    clock = ExchangeClock(wall, start_ms=START, speed=1.0)
    driver = Driver(market, clock, feed, ledger, frame_interval_ms=250)
    wall.secs = late_secs
    running = asyncio.create_task(driver.run())
    async with asyncio.timeout(PATIENCE_SECS):
        await feed.enough.wait()
    running.cancel()
    await asyncio.wait([running])
    assert feed.times[:12] == [START + 250 * number for number in range(1, 13)]


def test_step_records_the_trades_that_happened() -> None:
    market = Market(STOCKS[:1], seed=1, start_ms=START, trades_per_sec=2.0)
    ledger = Ledger(market.states, max_rows=100)
    clock = ExchangeClock(LateClock(), start_ms=START, speed=1.0)
    driver = Driver(market, clock, FrameTimes(market, ledger), ledger, frame_interval_ms=250)
    driver.step(START)
    trades = ledger.trades(STOCKS[0].key, 0, START + 1)
    assert [trade.time_ms for trade in trades] == [START]
    assert driver.next_frame_ms() == START + 250
