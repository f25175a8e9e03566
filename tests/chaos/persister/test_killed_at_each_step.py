"""The persister is killed at each step of a commit, found by its messages to mongod and NATS."""

from collections.abc import Sequence

import pytest

from tests.support.bar_comparison import check_all_complete
from tests.support.bar_publishing import check_all_published, published_bars
from tests.support.message_proxies import REPLY, MessageProxy, mongo_proxy, nats_proxy
from tests.support.pipeline_stack import pipeline_stack
from tests.support.servers import MongoServer, NatsServer

Step = tuple[str, int]
"""The beginning of a message's name, and its number among those: this message never arrives."""
_WINDOW = b"closed_until"
_LATE_CANDLES = b"amendments"

BEFORE_THE_TRANSACTION: Step = ("update checkpoints", 1)
BETWEEN_WRITES: Step = ("update bars_5m", 1)
BEFORE_THE_COMMIT: Step = ("commitTransaction", 1)
AFTER_A_COMMIT_WITHOUT_REPLY: Step = (f"{REPLY}commitTransaction", 1)
BEFORE_PUBLISHING: Step = ("PUB md.bar.5m.", 1)
WHILE_PUBLISHING: Step = ("PUB md.bar.5m.", 4)
ALL = (
    BEFORE_THE_TRANSACTION, BETWEEN_WRITES, BEFORE_THE_COMMIT, AFTER_A_COMMIT_WITHOUT_REPLY,
    BEFORE_PUBLISHING, WHILE_PUBLISHING,
)  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "kind", "speed"),
    [
        ((BETWEEN_WRITES, AFTER_A_COMMIT_WITHOUT_REPLY, BEFORE_PUBLISHING), _WINDOW, 100),
        pytest.param(ALL, _WINDOW, 60, marks=pytest.mark.long),
        pytest.param(ALL, _LATE_CANDLES, 60, marks=pytest.mark.long),
    ],
)
async def test_bars_are_exact_although_the_persister_is_killed_at_each_step_of_a_commit(
    nats: NatsServer, mongo_server: MongoServer, steps: Sequence[Step], kind: bytes, speed: int
) -> None:
    async with (
        mongo_proxy(mongo_server.port) as to_mongo,
        nats_proxy(nats.port) as to_nats,
        pipeline_stack(nats, mongo_server.url, speed=speed) as (stack, mongo),
        published_bars(nats) as published,
    ):
        await stack.start_ingest()
        persister = stack.service(
            "persister",
            TRADEDAD_MONGO_URL=f"mongodb://127.0.0.1:{to_mongo.port}/?directConnection=true",
            TRADEDAD_NATS_URL=f"nats://127.0.0.1:{to_nats.port}",
        )
        persister.start()
        for step in steps:
            await _wait_for_step(step, kind, to_mongo, to_nats)
            persister.kill()
            persister.start()
        await check_all_complete(stack, mongo, nats, windows=max(3, len(steps)))
        await check_all_published(mongo, published)


async def _wait_for_step(
    step: Step, kind: bytes, to_mongo: MessageProxy, to_nats: MessageProxy
) -> None:
    """Wait until a proxy holds a commit of this kind at `step`."""
    first = to_mongo.hold("update checkpoints", containing=kind)
    await first.arrived()
    if step is BEFORE_THE_TRANSACTION:
        return
    name, count = step
    held = (to_nats if name.startswith("PUB") else to_mongo).hold(name, count=count)
    first.release()
    await held.arrived()
