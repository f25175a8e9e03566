"""The persister is killed, again and again; its bars are what was traded."""

import asyncio
import random

import pytest

from shared.market.exchange_time import WINDOW_MS
from tests.support.bars_of_trades import check_all_complete
from tests.support.rig import rig
from tests.support.servers import MongoServer, NatsServer

_LONG = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("seed", "windows", "kills", "speed"),
    [
        (1, 2, 3, 100),
        *(pytest.param(seed, 10, 20, 30, marks=_LONG) for seed in (10, 11, 12)),
    ],
)
async def test_bars_are_exact_though_the_persister_is_killed_at_random_moments(
    nats: NatsServer, mongo_server: MongoServer, seed: int, windows: int, kills: int, speed: int
) -> None:
    dice = random.Random(seed)
    more = {"TRADEDAD_SIMULATOR_SEED": str(seed)}
    async with rig(nats, mongo_server.url, speed=speed, **more) as (made, mongo):
        await made.begin()
        persister = made.process("persister")
        persister.start()
        until = windows * WINDOW_MS + 20_000
        moments = sorted(made.first_window + dice.uniform(0, until) for _ in range(kills))
        for moment in moments:
            await made.until(int(moment))
            persister.kill()
            await asyncio.sleep(dice.uniform(0.0, 0.3))
            persister.start()
        await check_all_complete(made, mongo, nats, windows=windows)
