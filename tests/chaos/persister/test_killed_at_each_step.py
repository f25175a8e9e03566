"""The persister is killed at each step of a commit, told by what it says to mongod and NATS."""

from collections.abc import Sequence

import pytest

from tests.support.bars_of_trades import check_all_complete
from tests.support.rig import rig
from tests.support.servers import MongoServer, NatsServer
from tests.support.taps import Tap, mongo_tap, nats_tap

Step = tuple[str, int]
"""The beginning of a message's name, and of how many such it is the last: never to arrive."""
_WINDOW = b"closed_until"
_LATE_CANDLES = b"amendments"

BEFORE_IT_BEGINS: Step = ("update checkpoints", 1)
BETWEEN_ITS_WRITES: Step = ("update bars_5m", 1)
BEFORE_IT_ENDS: Step = ("commitTransaction", 1)
NOT_KNOWING_THAT_IT_ENDED: Step = ("answer to commitTransaction", 1)
BEFORE_IT_IS_TOLD: Step = ("PUB md.bar.5m.", 1)
HALF_TOLD: Step = ("PUB md.bar.5m.", 4)
ALL = (
    BEFORE_IT_BEGINS, BETWEEN_ITS_WRITES, BEFORE_IT_ENDS, NOT_KNOWING_THAT_IT_ENDED,
    BEFORE_IT_IS_TOLD, HALF_TOLD,
)  # fmt: skip
_LONG = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("steps", "kind", "speed"),
    [
        ((BETWEEN_ITS_WRITES, NOT_KNOWING_THAT_IT_ENDED, BEFORE_IT_IS_TOLD), _WINDOW, 100),
        pytest.param(ALL, _WINDOW, 60, marks=_LONG),
        pytest.param(ALL, _LATE_CANDLES, 60, marks=_LONG),
    ],
)
async def test_bars_are_exact_though_the_persister_is_killed_at_each_step_of_a_commit(
    nats: NatsServer, mongo_server: MongoServer, steps: Sequence[Step], kind: bytes, speed: int
) -> None:
    async with (
        mongo_tap(mongo_server.port) as mongo_way,
        nats_tap(nats.port) as nats_way,
        rig(nats, mongo_server.url, speed=speed) as (made, mongo),
    ):
        await made.begin()
        persister = made.process(
            "persister",
            TRADEDAD_MONGO_URL=f"mongodb://127.0.0.1:{mongo_way.port}/?directConnection=true",
            TRADEDAD_NATS_URL=f"nats://127.0.0.1:{nats_way.port}",
        )
        persister.start()
        for step in steps:
            await _reach(step, kind, mongo_way, nats_way)
            persister.kill()
            persister.start()
        await check_all_complete(made, mongo, nats, windows=max(3, len(steps)))


async def _reach(step: Step, kind: bytes, mongo_way: Tap, nats_way: Tap) -> None:
    """Wait until a commit of this kind has come to `step`, and is held there."""
    beginning = mongo_way.hold("update checkpoints", holding=kind)
    await beginning.reached()
    if step is BEFORE_IT_BEGINS:
        return
    name, count = step
    held = (nats_way if name.startswith("PUB") else mongo_way).hold(name, count=count)
    beginning.release()
    await held.reached()
