"""The persister is killed at random moments; its bars equal the trades."""

import asyncio
import random

import pytest

from shared.market.exchange_time import WINDOW_MS
from tests.support.bar_comparison import check_all_complete
from tests.support.bar_publishing import check_all_published, published_bars
from tests.support.pipeline_stack import pipeline_stack
from tests.support.servers import MongoServer, NatsServer


@pytest.mark.parametrize(
    ("seed", "windows", "kills", "speed"),
    [
        (1, 2, 3, 100),
        *(pytest.param(seed, 10, 20, 30, marks=pytest.mark.long) for seed in (10, 11, 12)),
    ],
)
async def test_bars_are_exact_although_the_persister_is_killed_at_random_moments(
    nats: NatsServer, mongo_server: MongoServer, seed: int, windows: int, kills: int, speed: int
) -> None:
    rng = random.Random(seed)
    more = {"TRADEDAD_SIMULATOR_SEED": str(seed)}
    async with (
        pipeline_stack(nats, mongo_server.url, speed=speed, **more) as (stack, mongo),
        published_bars(nats) as published,
    ):
        await stack.start_ingest()
        persister = stack.service("persister")
        persister.start()
        until_ms = windows * WINDOW_MS + 20_000
        moments = sorted(stack.first_window + rng.uniform(0, until_ms) for _ in range(kills))
        for moment in moments:
            await stack.wait_until(int(moment))
            persister.kill()
            await asyncio.sleep(rng.uniform(0.0, 0.3))
            persister.start()
        await check_all_complete(stack, mongo, nats, windows=windows)
        await check_all_published(mongo, published)
