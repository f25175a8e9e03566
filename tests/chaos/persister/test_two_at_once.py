"""A leading persister is stopped for longer than its lease, and continued during a write."""

import pytest

from shared.market.exchange_time import to_datetime
from shared.runtime.mongo import Mongo
from tests.support.bar_comparison import check_all_complete
from tests.support.message_proxies import REPLY, mongo_proxy
from tests.support.pipeline_stack import pipeline_stack
from tests.support.servers import MongoServer, NatsServer
from tests.support.waiting import eventually

_NO_SUCH_TRANSACTION = 251


async def _wait_until_successor_stores(mongo: Mongo) -> None:
    async def has_stored() -> bool:
        checkpoint = await mongo.db["checkpoints"].find_one({"epoch": {"$gt": epoch}})
        return checkpoint is not None and checkpoint["closed_until"] > until

    before = await mongo.db["checkpoints"].find_one()
    assert before is not None
    epoch, until = before["epoch"], before["closed_until"]
    await eventually(has_stored, what="the standby has stored a window")


@pytest.mark.parametrize(
    "write", ["update bars_5m", pytest.param("update checkpoints", marks=pytest.mark.long)]
)
async def test_a_late_write_of_a_leader_that_was_stopped_is_refused(
    nats: NatsServer, mongo_server: MongoServer, write: str
) -> None:
    async with (
        mongo_proxy(mongo_server.port) as proxy,
        pipeline_stack(nats, mongo_server.url, speed=100) as (stack, mongo),
    ):
        await stack.start_ingest()
        url = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true"
        stopped = stack.service("persister", TRADEDAD_MONGO_URL=url)
        stopped.start()
        is_closed = {"closed_until": {"$gte": to_datetime(stack.first_window)}}

        async def has_stored() -> bool:
            return await mongo.db["checkpoints"].find_one(is_closed) is not None

        await eventually(has_stored, what="the first persister leads and stores")
        other = stack.service("persister")
        other.start()
        held = first = proxy.hold("update checkpoints", containing=b"closed_until")
        await first.arrived()
        if write != "update checkpoints":
            held = proxy.hold(write)
            first.release()
            await held.arrived()
        stopped.pause()
        await _wait_until_successor_stores(mongo)
        reply = proxy.hold(REPLY + write)
        held.release()
        await reply.arrived()
        stopped.resume()
        if write == "update checkpoints":
            assert reply.body().get("n", 0) == 0
        else:
            assert reply.body()["code"] == _NO_SUCH_TRANSACTION
        reply.release()
        other.kill()  # the first persister leads again
        await check_all_complete(stack, mongo, nats, windows=3)
        assert stopped.is_running
