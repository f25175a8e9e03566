"""The primary of three mongods steps down, or dies, under a persister."""

import asyncio

import pytest

from shared.market.exchange_time import WINDOW_MS
from tests.support.bars_of_trades import check_all_complete
from tests.support.replica_set import run_replica_set
from tests.support.rig import rig
from tests.support.servers import NatsServer

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


async def test_bars_are_exact_though_the_primary_steps_down(nats: NatsServer) -> None:
    windows, times = 10, 4
    with run_replica_set() as mongods:
        async with rig(nats, mongods.url, speed=60) as (made, mongo):
            await made.begin()
            made.process("persister").start()
            for number in range(times):
                at = made.first_window + (1 + number * windows // times) * WINDOW_MS
                await made.until(at + 2_000)
                await asyncio.to_thread(mongods.step_down)
            await check_all_complete(made, mongo, nats, windows=windows)


async def test_bars_are_exact_though_the_primary_dies(nats: NatsServer) -> None:
    with run_replica_set() as mongods:
        async with rig(nats, mongods.url, speed=60) as (made, mongo):
            await made.begin()
            made.process("persister").start()
            for number in range(3):
                await made.until(made.first_window + (1 + 3 * number) * WINDOW_MS + 2_000)
                dead = await asyncio.to_thread(mongods.kill_primary)
                await asyncio.to_thread(dead.start)
            await check_all_complete(made, mongo, nats, windows=10)
