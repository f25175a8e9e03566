"""mongod is there and does nothing: SIGSTOP, as a machine that swaps or a disk that hangs."""

import asyncio

import pytest

from embedded.ports import free_ports
from shared.market.exchange_time import WINDOW_MS
from tests.support.bars_of_trades import check_all_complete
from tests.support.rig import rig
from tests.support.servers import NatsServer, run_mongo

_MOST_GROWTH_BYTES = 48 << 20


@pytest.mark.long
@pytest.mark.timeout(300)
async def test_bars_are_exact_though_mongod_does_nothing_for_a_while(nats: NatsServer) -> None:
    (port,) = free_ports(1)
    ready_url = f"http://127.0.0.1:{port}/readyz"
    with run_mongo() as server:
        async with rig(nats, server.url, speed=60) as (made, mongo):
            await made.begin()
            persister = made.process("persister", TRADEDAD_PERSISTER_OPS_PORT=str(port))
            persister.start()
            await made.answers(ready_url, what="the persister is ready")
            await made.until(made.first_window + WINDOW_MS)
            before_bytes = persister.rss_bytes
            server.freeze()
            try:
                async with asyncio.timeout(30):
                    await made.answers(ready_url, what="it says that it is not", expected=503)
                    await asyncio.Event().wait()
            except TimeoutError:
                pass
            grown_bytes = persister.rss_bytes - before_bytes
            still = await made.status(ready_url)
            server.thaw()
            assert still == 503
            assert grown_bytes < _MOST_GROWTH_BYTES
            await made.answers(ready_url, what="it is ready again")
            await check_all_complete(made, mongo, nats, windows=10)
            assert persister.is_running
