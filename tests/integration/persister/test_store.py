"""Bars and position are written together, once, and only by the newest leader."""

import pytest
from pymongo.errors import PyMongoError

from services.persister.aggregate import FRESH, Carry, Checkpoint, ClosedWindow
from services.persister.store import BarStore, bar_document, bar_id
from shared.errors import StaleEpoch
from shared.messages import Bar, BarState
from shared.mongo import Mongo
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY

CHECKPOINT = Checkpoint(
    position=77,
    closed_until=MONDAY_10_00 + 300_000,
    time_ms=MONDAY_10_00 + 301_000,
    feed_epoch=4,
    carries=(Carry(KEY, MONDAY_10_00, 1_000, 990), Carry(OTHER_KEY, MONDAY_10_00, None, None)),
)


def bar(key: str = KEY, *, close: float = 1_400.05) -> Bar:
    return Bar(
        key=key, start=MONDAY_10_00, open=1_400.0, high=1_401.0, low=1_399.95, close=close,
        ltq=5, ltt=MONDAY_10_00 + 299_999, volume=3_000_000_000, vtt=9_000_000_000, atp=1_400.1,
        oi=None, ticks=7, state=BarState.COMPLETE, silent_ms=0, epoch=4,
    )  # fmt: skip


def window(*bars: Bar) -> ClosedWindow:
    return ClosedWindow(MONDAY_10_00, bars, CHECKPOINT)


async def prepared(mongo: Mongo) -> BarStore:
    store = BarStore(mongo)
    await store.prepare()
    return store


async def test_a_fresh_database_starts_at_the_beginning(mongo: Mongo) -> None:
    assert await (await prepared(mongo)).take_over(epoch=1) == FRESH


async def test_a_window_and_its_checkpoint_come_back_as_they_were(mongo: Mongo) -> None:
    store = await prepared(mongo)
    await store.take_over(epoch=1)
    await store.commit(window(bar(), bar(OTHER_KEY)), epoch=1)
    stored = await mongo.db["bars_5m"].find().sort("_id").to_list()
    assert stored == [bar_document(bar()), bar_document(bar(OTHER_KEY))]
    assert stored[0]["_id"] == bar_id(KEY, MONDAY_10_00)
    assert await store.take_over(epoch=2) == CHECKPOINT


async def test_storing_a_window_again_doubles_nothing(mongo: Mongo) -> None:
    store = await prepared(mongo)
    for _ in range(2):
        await store.commit(window(bar()), epoch=1)
    assert await mongo.db["bars_5m"].count_documents({}) == 1


async def test_an_older_leader_writes_nothing(mongo: Mongo) -> None:
    store = await prepared(mongo)
    await store.commit(window(bar()), epoch=5)
    await store.take_over(epoch=6)
    with pytest.raises(StaleEpoch) as caught:
        await store.commit(window(bar(close=1.0), bar(OTHER_KEY)), epoch=5)
    assert (caught.value.ours, caught.value.theirs) == (5, 6)
    stored = await mongo.db["bars_5m"].find().to_list()
    assert stored == [bar_document(bar())]


async def test_an_older_leader_cannot_take_over(mongo: Mongo) -> None:
    store = await prepared(mongo)
    await store.take_over(epoch=6)
    with pytest.raises(StaleEpoch):
        await store.take_over(epoch=5)


async def test_a_checkpoint_is_not_moved_when_its_bars_are_refused(mongo: Mongo) -> None:
    store = await prepared(mongo)
    await store.take_over(epoch=1)
    await mongo.db.command(
        "collMod", "bars_5m", validator={"$jsonSchema": {"required": ["not there"]}}
    )
    with pytest.raises(PyMongoError):
        await store.commit(window(bar()), epoch=1)
    assert await store.take_over(epoch=1) == FRESH
    assert await mongo.db["bars_5m"].count_documents({}) == 0


async def test_the_database_refuses_what_is_no_bar(mongo: Mongo) -> None:
    await prepared(mongo)
    for wrong in ({"close": "1400"}, {"state": "splendid"}, {"surprise": 1}):
        with pytest.raises(PyMongoError, match="validation"):
            await mongo.db["bars_5m"].insert_one(bar_document(bar()) | wrong)


async def test_preparing_again_changes_nothing(mongo: Mongo) -> None:
    store = await prepared(mongo)
    await store.commit(window(bar()), epoch=1)
    await store.prepare()
    assert await mongo.db["bars_5m"].count_documents({}) == 1
