"""nats-server and mongod are killed and started again under a persister."""

import asyncio

import pytest

from shared.market.exchange_time import WINDOW_MS, window_start
from tests.support.bar_comparison import check_all_complete, check_partial_only_within
from tests.support.bar_publishing import check_all_published, published_bars
from tests.support.pipeline_stack import pipeline_stack, wait_for_quote
from tests.support.servers import MongoServer, NatsServer


@pytest.mark.parametrize(
    ("windows", "kills", "speed"), [(2, 1, 100), pytest.param(10, 4, 60, marks=pytest.mark.long)]
)
async def test_bars_are_exact_although_mongod_is_killed(
    nats: NatsServer, own_mongod: MongoServer, windows: int, kills: int, speed: int
) -> None:
    async with (
        pipeline_stack(nats, own_mongod.url, speed=speed) as (stack, mongo),
        published_bars(nats) as published,
    ):
        await stack.start_ingest()
        stack.service("persister").start()
        for number in range(kills):
            # A window is being stored at this time, or will be soon.
            at = stack.first_window + (1 + number * windows // kills) * WINDOW_MS
            await stack.wait_until(at + 2_000)
            own_mongod.kill()
            await asyncio.to_thread(own_mongod.start)
        await check_all_complete(stack, mongo, nats, windows=windows)
        await check_all_published(mongo, published)


@pytest.mark.parametrize(
    ("windows", "kills", "speed"), [(2, 1, 100), pytest.param(10, 4, 60, marks=pytest.mark.long)]
)
async def test_bars_are_exact_or_partial_although_nats_is_killed(
    nats: NatsServer, mongo_server: MongoServer, windows: int, kills: int, speed: int
) -> None:
    async with pipeline_stack(nats, mongo_server.url, speed=speed) as (stack, mongo):
        await stack.start_ingest()
        stack.service("persister").start()
        touched: set[int] = set()
        for number in range(kills):
            at = stack.first_window + number * windows // kills * WINDOW_MS
            await stack.wait_until(at + 60_000)
            since_ms = await stack.exchange_ms()
            nats.kill()
            await asyncio.to_thread(nats.start)
            await wait_for_quote(nats)
            until_ms = await stack.exchange_ms()
            touched |= set(range(window_start(since_ms), until_ms, WINDOW_MS))
        await check_partial_only_within(touched, stack, mongo, nats, windows=windows)
