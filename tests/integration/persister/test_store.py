"""Bars and position are written together, once, and only by the newest leader."""

import asyncio

import pytest
from pymongo.errors import PyMongoError

from services.persister.aggregate import ClosedWindow
from services.persister.checkpoint import FRESH, Carry, Checkpoint
from services.persister.store import BarStore, bar_document, bar_id
from shared.errors import StaleEpoch
from shared.messages import Bar, BarState
from shared.mongo import Mongo
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY

CHECKPOINT = Checkpoint(
    stream="2026-11-22T10:00:00+00:00",
    position=77,
    next_position=76,
    closed_until=MONDAY_10_00 + 300_000,
    time_ms=MONDAY_10_00 + 301_000,
    feed_ms=MONDAY_10_00 + 300_500,
    gap_ms=None,
    feed_epoch=4,
    carries=(
        Carry(KEY, MONDAY_10_00, 1_000, 990, MONDAY_10_00),
        Carry(OTHER_KEY, MONDAY_10_00, None, None, MONDAY_10_00),
    ),
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
    assert await (await prepared(mongo)).take_over() == (1, FRESH)


async def test_a_window_and_its_checkpoint_come_back_as_they_were(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    await store.commit(window(bar(), bar(OTHER_KEY)), epoch)
    stored = await mongo.db["bars_5m"].find().sort("_id").to_list()
    assert stored == [bar_document(bar()), bar_document(bar(OTHER_KEY))]
    assert stored[0]["_id"] == bar_id(KEY, MONDAY_10_00)
    assert await store.take_over() == (epoch + 1, CHECKPOINT)


async def test_storing_a_window_again_doubles_nothing(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    for _ in range(2):
        await store.commit(window(bar()), epoch)
    assert await mongo.db["bars_5m"].count_documents({}) == 1


async def test_an_older_leader_writes_nothing(mongo: Mongo) -> None:
    store = await prepared(mongo)
    old, _ = await store.take_over()
    await store.commit(window(bar()), old)
    new, _ = await store.take_over()
    with pytest.raises(StaleEpoch) as caught:
        await store.commit(window(bar(close=1.0), bar(OTHER_KEY)), old)
    assert (caught.value.ours, caught.value.theirs) == (old, new)
    stored = await mongo.db["bars_5m"].find().to_list()
    assert stored == [bar_document(bar())]


async def test_leaders_that_take_over_at_once_have_different_epochs(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epochs = [epoch for epoch, _ in await asyncio.gather(*(store.take_over() for _ in range(10)))]
    assert sorted(epochs) == list(range(1, 11))


async def test_a_checkpoint_is_not_moved_when_its_bars_are_refused(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    await mongo.db.command(
        "collMod", "bars_5m", validator={"$jsonSchema": {"required": ["not there"]}}
    )
    with pytest.raises(PyMongoError):
        await store.commit(window(bar()), epoch)
    assert await store.take_over() == (epoch + 1, FRESH)
    assert await mongo.db["bars_5m"].count_documents({}) == 0


async def test_the_database_refuses_what_is_no_bar(mongo: Mongo) -> None:
    await prepared(mongo)
    for wrong in ({"close": "1400"}, {"state": "splendid"}, {"surprise": 1}):
        with pytest.raises(PyMongoError, match="validation"):
            await mongo.db["bars_5m"].insert_one(bar_document(bar()) | wrong)


async def test_preparing_again_changes_nothing(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    await store.commit(window(bar()), epoch)
    await store.prepare()
    assert await mongo.db["bars_5m"].count_documents({}) == 1
