"""The persister is killed, again and again; its bars are what was traded."""

import asyncio
import random

import pytest

from shared.exchange_time import WINDOW_MS
from tests.support.bars_of_trades import all_quotes, compare, wait_until_stored
from tests.support.buses import bus_of
from tests.support.rig import FIRST_WINDOW, KEYS, rig
from tests.support.servers import MongoServer, NatsServer


@pytest.mark.parametrize(
    ("windows", "kills", "speed"),
    [(3, 4, 60), pytest.param(10, 20, 30, marks=[pytest.mark.long, pytest.mark.timeout(300)])],
)
async def test_bars_are_exact_though_the_persister_is_killed_at_random_moments(
    nats: NatsServer, mongo_server: MongoServer, windows: int, kills: int, speed: int
) -> None:
    end = FIRST_WINDOW + windows * WINDOW_MS
    dice = random.Random(windows)
    async with rig(nats, mongo_server.url, speed=speed) as (made, mongo):
        made.process("ingest").start()
        persister = made.process("persister")
        persister.start()
        moments = sorted(dice.uniform(FIRST_WINDOW, end + 20_000) for _ in range(kills))
        for moment in moments:
            await made.until(int(moment))
            persister.kill()
            await asyncio.sleep(dice.uniform(0.0, 0.3))
            persister.start()
        await wait_until_stored(mongo, end + WINDOW_MS)
        async with bus_of(nats, "gateway") as bus:
            quotes = await all_quotes(bus)
        found = await compare(made, mongo, KEYS, windows=windows, quotes=quotes)
    assert found.wrong == []
    assert found.not_complete() == []
    assert found.equal == windows * len(KEYS)
