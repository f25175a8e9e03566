"""The command that discards a checkpoint."""

import pytest

from services.persister.aggregation.checkpoint import FROM_END, AggregatorState, encode_state
from services.persister.aggregation.closed_windows import ClosedWindows
from services.persister.storage.bar_store import BarStore
from shared.errors import StaleEpoch
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import MONDAY_10_00
from tests.support.operations_command import operations


async def reset(settings: MongoSettings) -> tuple[int, str]:
    return await operations(settings, "bars", "reset-checkpoint")


async def test_the_next_leader_begins_anew_and_the_last_one_stores_nothing_more(
    mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    store = BarStore(mongo)
    epoch, _ = await store.take_over()
    await store.prepare()
    state = AggregatorState(next_position=9, time_ms=MONDAY_10_00, feed_time_ms=MONDAY_10_00)
    closed = ClosedWindows(MONDAY_10_00, (), (), encode_state(state))
    await store.commit(closed, epoch)
    assert await reset(mongo_settings) == (0, "checkpoint discarded")
    with pytest.raises(StaleEpoch):
        await store.commit(closed, epoch)
    _, anew = await store.take_over()
    assert (anew.next_position, anew.time_ms) == (FROM_END, None)
    await store.close()


async def test_without_a_checkpoint_there_is_nothing_to_discard(
    mongo_settings: MongoSettings,
) -> None:
    assert await reset(mongo_settings) == (0, "there is no checkpoint")
