"""mongod is stopped (SIGSTOP), as on a machine that swaps or with a disk that hangs."""

import asyncio

import pytest

from shared.market.exchange_time import WINDOW_MS
from tests.support.bar_comparison import check_all_complete
from tests.support.figures import Figures
from tests.support.patience import OUTAGE_SECS
from tests.support.pipeline_stack import pipeline_stack
from tests.support.servers import MongoServer, NatsServer
from tests.support.waiting import eventually

_MAX_GROWTH_BYTES = 48 << 20


@pytest.mark.long
async def test_bars_are_exact_although_mongod_is_stopped_for_a_while(
    nats: NatsServer, own_mongod: MongoServer, figures: Figures
) -> None:
    async with pipeline_stack(nats, own_mongod.url, speed=60) as (stack, mongo):
        await stack.start_ingest()
        persister = stack.service("persister")
        persister.start()
        await persister.wait_ready()
        await stack.wait_until(stack.first_window + WINDOW_MS)
        before_bytes = persister.rss_bytes
        own_mongod.pause()

        async def is_not_ready() -> bool:
            return await persister.readyz_status() == 503

        await eventually(is_not_ready, what="the persister is not ready")
        await asyncio.sleep(6 * OUTAGE_SECS)  # the outage itself
        growth_bytes = persister.rss_bytes - before_bytes
        assert await persister.readyz_status() == 503
        own_mongod.resume()
        assert growth_bytes < _MAX_GROWTH_BYTES
        figures.note("growth_mib", growth_bytes / (1 << 20))
        with figures.duration("ready_after_the_return_secs"):
            await persister.wait_ready()
        await check_all_complete(stack, mongo, nats, windows=10)
        assert persister.is_running
