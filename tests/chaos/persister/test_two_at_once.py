"""Two persisters: one is stopped for longer than its lease, and wakes up in the middle of a write."""

import pytest

from shared.market.exchange_time import to_datetime
from shared.runtime.mongo import Mongo
from tests.support.bars_of_trades import check_all_complete
from tests.support.rig import rig
from tests.support.servers import MongoServer, NatsServer
from tests.support.taps import ANSWER, mongo_tap
from tests.support.waiting import eventually

_NO_SUCH_TRANSACTION = 251


async def _another_has_stored(mongo: Mongo) -> None:
    async def it_has() -> bool:
        found = await mongo.db["checkpoints"].find_one({"epoch": {"$gt": epoch}})
        return found is not None and found["closed_until"] > until

    before = await mongo.db["checkpoints"].find_one()
    assert before is not None
    epoch, until = before["epoch"], before["closed_until"]
    await eventually(it_has, what="the standby has stored a window", timeout_secs=60)


@pytest.mark.parametrize(
    "write",
    [
        "update bars_5m",
        pytest.param("update checkpoints", marks=[pytest.mark.long, pytest.mark.timeout(300)]),
    ],
)
async def test_a_late_write_of_a_leader_that_was_stopped_is_refused(
    nats: NatsServer, mongo_server: MongoServer, write: str
) -> None:
    async with (
        mongo_tap(mongo_server.port) as way,
        rig(nats, mongo_server.url, speed=100) as (made, mongo),
    ):
        await made.begin()
        url = f"mongodb://127.0.0.1:{way.port}/?directConnection=true"
        stopped = made.process("persister", TRADEDAD_MONGO_URL=url)
        stopped.start()
        window = to_datetime(made.first_window)

        async def has_begun() -> bool:
            return await mongo.db["checkpoints"].find_one({"closed_until": window}) is not None

        await eventually(has_begun, what="it leads and stores", timeout_secs=60)
        other = made.process("persister")
        other.start()
        beginning = way.hold("update checkpoints", holding=b"closed_until")
        await beginning.reached()
        held = beginning
        if write != "update checkpoints":
            held = way.hold(write)
            beginning.release()
            await held.reached()
        stopped.pause()
        await _another_has_stored(mongo)
        answer = way.hold(ANSWER + write)
        held.release()
        await answer.reached()
        stopped.resume()
        if write == "update checkpoints":
            assert answer.body().get("n", 0) == 0
        else:
            assert answer.body()["code"] == _NO_SUCH_TRANSACTION
        answer.release()
        other.kill()  # it leads again
        await check_all_complete(made, mongo, nats, windows=3)
        assert stopped.is_running
