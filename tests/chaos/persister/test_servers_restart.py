"""nats-server and mongod are killed and started again under a persister."""

import asyncio

import pytest

from shared.market.exchange_time import WINDOW_MS, window_start
from tests.support.bars_of_trades import check_all_complete, check_partial_only_within
from tests.support.rig import rig
from tests.support.servers import MongoServer, NatsServer, run_mongo

_LONG = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("windows", "kills", "speed"), [(2, 1, 100), pytest.param(10, 4, 60, marks=_LONG)]
)
async def test_bars_are_exact_though_mongod_is_killed(
    nats: NatsServer, windows: int, kills: int, speed: int
) -> None:
    with run_mongo() as server:
        async with rig(nats, server.url, speed=speed) as (made, mongo):
            await made.begin()
            made.process("persister").start()
            for number in range(kills):
                # Just when a window is being stored, or about to be.
                at = made.first_window + (1 + number * windows // kills) * WINDOW_MS
                await made.until(at + 2_000)
                server.kill()
                await asyncio.to_thread(server.start)
            await check_all_complete(made, mongo, nats, windows=windows)


@pytest.mark.parametrize(
    ("windows", "kills", "speed"), [(2, 1, 100), pytest.param(10, 4, 60, marks=_LONG)]
)
async def test_bars_are_exact_or_partial_though_nats_is_killed(
    nats: NatsServer, mongo_server: MongoServer, windows: int, kills: int, speed: int
) -> None:
    async with rig(nats, mongo_server.url, speed=speed) as (made, mongo):
        await made.begin()
        made.process("persister").start()
        touched: set[int] = set()
        for number in range(kills):
            await made.until(made.first_window + number * windows // kills * WINDOW_MS + 60_000)
            since = await made.now_ms()
            nats.kill()
            await asyncio.to_thread(nats.start)
            until = await made.until_quotes_come(nats)
            touched |= set(range(window_start(since), until, WINDOW_MS))
        await check_partial_only_within(touched, made, mongo, nats, windows=windows)
