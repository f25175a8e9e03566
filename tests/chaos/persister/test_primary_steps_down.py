"""The primary of three mongods steps down or dies under a persister."""

import asyncio

import pytest

from shared.market.exchange_time import WINDOW_MS
from tests.support.bar_comparison import check_all_complete
from tests.support.figures import Figures
from tests.support.pipeline_stack import pipeline_stack
from tests.support.replica_set import run_replica_set
from tests.support.servers import NatsServer

pytestmark = pytest.mark.long


async def test_bars_are_exact_although_the_primary_steps_down(
    nats: NatsServer, figures: Figures
) -> None:
    windows, times = 10, 4
    with run_replica_set() as replica_set:
        async with pipeline_stack(nats, replica_set.url, speed=60) as (stack, mongo):
            await stack.start_ingest()
            stack.service("persister").start()
            for number in range(times):
                at = stack.first_window + (1 + number * windows // times) * WINDOW_MS
                await stack.wait_until(at + 2_000)
                with figures.duration("until_a_new_primary_secs"):
                    await asyncio.to_thread(replica_set.step_down)
            await check_all_complete(stack, mongo, nats, windows=windows)


async def test_bars_are_exact_although_the_primary_is_killed(nats: NatsServer) -> None:
    with run_replica_set() as replica_set:
        async with pipeline_stack(nats, replica_set.url, speed=60) as (stack, mongo):
            await stack.start_ingest()
            stack.service("persister").start()
            for number in range(3):
                at = stack.first_window + (1 + 3 * number) * WINDOW_MS
                await stack.wait_until(at + 2_000)
                killed = await asyncio.to_thread(replica_set.kill_primary)
                await asyncio.to_thread(killed.start)
            await check_all_complete(stack, mongo, nats, windows=10)
