"""Bars, gaps and the checkpoint are written atomically, once, and only by the newest leader."""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from bson import Binary
from pymongo.errors import PyMongoError

from services.persister.aggregation.checkpoint import AggregatorState, encode_state
from services.persister.aggregation.closed_windows import ClosedWindows, WindowGap
from services.persister.storage.bar_store import BarStore
from services.persister.storage.documents import (
    bar_document,
    bar_from_document,
    bar_id,
    gap_document,
)
from services.persister.storage.unpublished_bars import UnpublishedBars
from services.persister.stored_bars import StoredBars
from shared.contracts.history import GapReason, GapState
from shared.contracts.messages import Bar, BarState
from shared.errors import StaleEpoch
from shared.market.exchange_time import WINDOW_MS
from shared.runtime.mongo import Mongo
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.patience import PATIENCE_SECS

STATE = AggregatorState(
    stream_id="2026-11-22T10:00:00+00:00", next_position=77, time_ms=MONDAY_10_00 + 301_000
)
GAP = WindowGap(MONDAY_10_00, MONDAY_10_00 + WINDOW_MS, GapReason.FEED_AWAY, (KEY, OTHER_KEY))


def bar(key: str = KEY, *, close: float = 1_400.05, state: BarState = BarState.COMPLETE) -> Bar:
    return Bar(
        key=key, start=MONDAY_10_00, open=1_400.0, high=1_401.0, low=1_399.95, close=close,
        ltq=5, ltt=MONDAY_10_00 + 299_999, volume=3_000_000_000, vtt=9_000_000_000, atp=1_400.1,
        oi=None, ticks=7, state=state, silent_ms=0, epoch=4,
    )  # fmt: skip


def closed(*bars: Bar, gaps: tuple[WindowGap, ...] = ()) -> ClosedWindows:
    return ClosedWindows(MONDAY_10_00 + WINDOW_MS, bars, gaps, encode_state(STATE))


async def prepared(mongo: Mongo) -> BarStore:
    store = BarStore(mongo)
    await store.prepare()
    return store


async def stored(mongo: Mongo) -> list[Bar]:
    return [
        bar_from_document(document) async for document in mongo.db["bars_5m"].find().sort("_id")
    ]


async def test_an_empty_database_starts_at_the_first_epoch_and_state(mongo: Mongo) -> None:
    assert await (await prepared(mongo)).take_over() == (1, AggregatorState())


async def test_a_window_with_its_gaps_and_checkpoint_is_read_as_it_was_stored(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    await store.commit(closed(bar(), bar(OTHER_KEY), gaps=(GAP,)), epoch)
    documents = await mongo.db["bars_5m"].find().sort("_id").to_list()
    assert documents == [bar_document(bar()), bar_document(bar(OTHER_KEY))]
    assert documents[0]["_id"] == bar_id(KEY, MONDAY_10_00)
    assert await mongo.db["gaps"].find().to_list() == [gap_document(GAP)]
    assert await store.take_over() == (epoch + 1, STATE)


async def test_storing_again_adds_no_bar_and_does_not_reopen_a_repaired_gap(
    mongo: Mongo,
) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    await store.commit(closed(bar(), gaps=(GAP,)), epoch)
    await mongo.db["gaps"].update_one({}, {"$set": {"state": "repaired", "open_keys": []}})
    await store.commit(closed(bar(), gaps=(GAP,)), epoch)
    assert await stored(mongo) == [bar()]
    assert [gap["state"] for gap in await mongo.db["gaps"].find().to_list()] == ["repaired"]


async def test_a_window_with_some_stored_bars_is_stored_completely(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    third = "NSE_EQ|INE000000003"
    replacement = bar(close=1_402.0)
    await store.repair([bar(OTHER_KEY, state=BarState.REPAIRED)], epoch)
    await store.commit(closed(bar(), bar(OTHER_KEY, state=BarState.PARTIAL)), epoch)
    await store.commit(closed(replacement, bar(third)), epoch)
    by_key = {stored_bar.key: stored_bar for stored_bar in await stored(mongo)}
    assert by_key[KEY] == replacement
    assert by_key[OTHER_KEY].state is BarState.REPAIRED
    assert by_key[third] == bar(third)
    new = msgspec.structs.replace(bar(), start=MONDAY_10_00 + WINDOW_MS)
    for _ in range(2):
        await store.commit(closed(new), epoch)
    assert [stored_bar for stored_bar in await stored(mongo) if stored_bar.start == new.start] == [
        new
    ]


async def test_an_older_leader_writes_nothing(mongo: Mongo) -> None:
    store = await prepared(mongo)
    old, _ = await store.take_over()
    await store.commit(closed(bar()), old)
    new, _ = await store.take_over()
    other = bar(close=1.0)
    writes: list[Callable[[], Awaitable[StoredBars]]] = [
        lambda: store.commit(closed(other), old),
        lambda: store.amend([other], old),
        lambda: store.repair([other], old),
    ]
    for write in writes:
        with pytest.raises(StaleEpoch) as caught:
            await write()
        assert (caught.value.ours, caught.value.theirs) == (old, new)
    assert await stored(mongo) == [bar()]


async def test_a_superseded_leader_settles_no_gap(mongo: Mongo) -> None:
    store = await prepared(mongo)
    old, _ = await store.take_over()
    await store.commit(closed(bar(), gaps=(GAP,)), old)
    new, _ = await store.take_over()
    checkpoint = await mongo.db["checkpoints"].find_one()
    for outcome in (GapState.REPAIRED, GapState.ABANDONED):
        with pytest.raises(StaleEpoch) as caught:
            await store.settle_gaps([gap_document(GAP)["_id"]], KEY, outcome, old)
        assert (caught.value.ours, caught.value.theirs) == (old, new)
    assert await mongo.db["gaps"].find().to_list() == [gap_document(GAP)]
    assert await mongo.db["checkpoints"].find_one() == checkpoint


async def test_a_gap_is_over_once_each_of_its_instruments_is_settled(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    other_gap = WindowGap(GAP.start_ms, GAP.end_ms, GapReason.ENTRIES_LOST, (KEY,))
    await store.commit(closed(gaps=(GAP, other_gap)), epoch)
    gap_ids = [gap_document(gap)["_id"] for gap in (GAP, other_gap)]
    await store.settle_gaps(gap_ids, KEY, GapState.REPAIRED, epoch)
    gaps = {gap["_id"]: gap for gap in await mongo.db["gaps"].find().to_list()}
    assert [gaps[gap_id]["open_keys"] for gap_id in gap_ids] == [[OTHER_KEY], []]
    assert [gaps[gap_id]["state"] for gap_id in gap_ids] == ["open", "repaired"]
    await store.settle_gaps(gap_ids[:1], OTHER_KEY, GapState.ABANDONED, epoch)
    gap = await mongo.db["gaps"].find_one({"_id": gap_ids[0]})
    assert gap is not None
    assert (gap["open_keys"], gap["abandoned_keys"]) == ([], [OTHER_KEY])
    assert gap["state"] == "abandoned"


async def test_a_gap_is_not_repaired_while_a_bar_in_it_is_partial(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    await store.commit(closed(bar(state=BarState.PARTIAL), gaps=(GAP,)), epoch)
    gap_id = gap_document(GAP)["_id"]
    for key in GAP.keys:
        await store.settle_gaps([gap_id], key, GapState.REPAIRED, epoch)
    gap = await mongo.db["gaps"].find_one({"_id": gap_id})
    assert gap is not None
    assert (gap["state"], gap["open_keys"]) == ("open", [KEY])
    await store.repair([bar(state=BarState.REPAIRED)], epoch)
    await store.settle_gaps([gap_id], KEY, GapState.REPAIRED, epoch)
    gap = await mongo.db["gaps"].find_one({"_id": gap_id})
    assert gap is not None
    assert (gap["state"], gap["open_keys"]) == ("repaired", [])


async def test_an_abandoned_gap_may_have_a_partial_bar_and_a_repaired_one_is_not_abandoned(
    mongo: Mongo,
) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    await store.commit(closed(bar(state=BarState.PARTIAL), gaps=(GAP,)), epoch)
    gap_id = gap_document(GAP)["_id"]
    await store.settle_gaps([gap_id], OTHER_KEY, GapState.REPAIRED, epoch)
    for key in GAP.keys:
        await store.settle_gaps([gap_id], key, GapState.ABANDONED, epoch)
    gap = await mongo.db["gaps"].find_one({"_id": gap_id})
    assert gap is not None
    assert (gap["open_keys"], gap["abandoned_keys"]) == ([], [KEY])


async def test_leaders_that_take_over_concurrently_have_different_epochs(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epochs = [epoch for epoch, _ in await asyncio.gather(*(store.take_over() for _ in range(10)))]
    assert sorted(epochs) == list(range(1, 11))


async def test_an_open_transaction_of_a_dead_leader_does_not_block_its_successor(
    mongo: Mongo,
) -> None:
    dead = await prepared(mongo)
    epoch, _ = await dead.take_over()
    await dead.commit(closed(bar()), epoch)
    await dead._guard._session.start_transaction()
    for collection in ("checkpoints", "bars_5m"):
        await mongo.db[collection].update_one(
            {}, {"$set": {"epoch": 0}}, session=dead._guard._session
        )
    store = BarStore(mongo)
    async with asyncio.timeout(PATIENCE_SECS):
        new, _ = await store.take_over()
        await store.prepare()
        await store.commit(closed(bar(close=2.0)), new)
    assert new == epoch + 1
    assert await stored(mongo) == [bar(close=2.0)]
    await store.close()


async def test_a_checkpoint_does_not_move_when_its_bars_are_refused(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    await mongo.db.command(
        "collMod", "bars_5m", validator={"$jsonSchema": {"required": ["not there"]}}
    )
    with pytest.raises(PyMongoError):
        await store.commit(closed(bar()), epoch)
    assert await store.take_over() == (epoch + 1, AggregatorState())
    assert await stored(mongo) == []


async def test_a_checkpoint_of_another_layout_is_ignored(mongo: Mongo) -> None:
    store = await prepared(mongo)
    await store.take_over()
    for unreadable in (b"\xc1", encode_state(AggregatorState(layout=99))):
        await mongo.db["checkpoints"].update_one({}, {"$set": {"state": Binary(unreadable)}})
        assert (await store.take_over())[1] == AggregatorState()


async def test_an_amended_bar_replaces_the_stored_bar_unless_that_is_repaired(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    partial = bar(state=BarState.PARTIAL)
    await store.commit(closed(partial), epoch)
    await store.amend([bar(close=2.0)], epoch)
    assert await stored(mongo) == [bar(close=2.0)]
    repaired = bar(OTHER_KEY, state=BarState.REPAIRED)
    await store.repair([repaired], epoch)
    await store.amend([bar(OTHER_KEY, close=3.0, state=BarState.PARTIAL)], epoch)
    assert (await stored(mongo))[1] == repaired


async def test_a_complete_bar_becomes_partial_only_by_a_trade_that_it_lacks_or_by_doubt(
    mongo: Mongo,
) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    await store.commit(closed(bar()), epoch)
    same_trades = bar(state=BarState.PARTIAL)
    for stored_again in (
        await store.commit(closed(same_trades), epoch),
        await store.amend([same_trades], epoch),
    ):
        assert stored_again.bars == []
    assert await stored(mongo) == [bar()]
    more = msgspec.structs.replace(same_trades, volume=3_000_000_001)
    assert (await store.amend([more], epoch)).bars == [more]
    assert await stored(mongo) == [more]
    await store.commit(closed(bar()), epoch)
    place = (bar().key, bar().start)
    assert (await store.amend([same_trades], epoch, {place})).bars == [same_trades]
    await store.commit(closed(bar()), epoch)
    doubted = dataclasses.replace(closed(same_trades), doubted=frozenset({place}))
    assert (await store.commit(doubted, epoch)).bars == [same_trades]
    await store.repair([bar(state=BarState.REPAIRED)], epoch)
    assert (await store.amend([same_trades], epoch, {place})).bars == []


async def test_what_is_stored_is_noted_to_be_published_until_it_was(mongo: Mongo) -> None:
    store, notes = await prepared(mongo), UnpublishedBars(mongo)
    epoch, _ = await store.take_over()
    assert await notes.next() is None
    first = await store.commit(closed(bar(state=BarState.PARTIAL), bar(OTHER_KEY)), epoch)
    repaired = await store.repair([bar(state=BarState.REPAIRED)], epoch)
    found = await notes.next()
    assert found is not None
    assert list(found.notes) in (list(first.notes), list(repaired.notes))
    assert bar(state=BarState.REPAIRED) in found.bars, "a bar is published as it is stored now"
    await notes.remove(first.notes)
    assert await notes.next() == StoredBars(repaired.bars, repaired.notes)
    await notes.remove(repaired.notes)
    amended = await store.amend([bar(close=2.0)], epoch)
    assert await notes.next() == StoredBars([bar(close=2.0)], amended.notes)


async def test_what_is_refused_is_not_noted_to_be_published(mongo: Mongo) -> None:
    store, notes = await prepared(mongo), UnpublishedBars(mongo)
    old, _ = await store.take_over()
    await store.take_over()
    with pytest.raises(StaleEpoch):
        await store.commit(closed(bar()), old)
    assert await notes.next() is None


async def test_a_window_of_any_size_is_noted(mongo: Mongo) -> None:
    store, notes = await prepared(mongo), UnpublishedBars(mongo)
    epoch, _ = await store.take_over()
    many = [bar(f"NSE_EQ|{number}") for number in range(4_001)]
    written = await store.commit(closed(*many), epoch)
    assert len(written.notes) == 3
    found = 0
    while (some := await notes.next()) is not None:
        found += len(some.bars)
        await notes.remove(some.notes)
    assert found == 4_001


async def test_a_repair_keeps_the_fields_from_quotes_and_does_not_change_complete_bars(
    mongo: Mongo,
) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    await store.commit(closed(bar(state=BarState.PARTIAL), bar(OTHER_KEY)), epoch)
    repaired = [bar(close=5.0, state=BarState.REPAIRED), bar(OTHER_KEY, state=BarState.REPAIRED)]
    written = await store.repair(repaired, epoch)
    assert [repaired_bar.key for repaired_bar in written.bars] == [KEY]
    first, second = await stored(mongo)
    assert (first.close, first.state, first.ticks, first.ltq) == (5.0, BarState.REPAIRED, 7, 5)
    assert second == bar(OTHER_KEY)
    assert await store.repair(repaired, epoch) == StoredBars([], [])


async def test_the_database_refuses_documents_that_are_not_bars(mongo: Mongo) -> None:
    await prepared(mongo)
    for wrong in ({"close": "1400"}, {"state": "splendid"}, {"surprise": 1}):
        with pytest.raises(PyMongoError, match="validation"):
            await mongo.db["bars_5m"].insert_one(bar_document(bar()) | wrong)


async def test_preparing_again_changes_nothing(mongo: Mongo) -> None:
    store = await prepared(mongo)
    epoch, _ = await store.take_over()
    await store.commit(closed(bar()), epoch)
    await store.prepare()
    assert await stored(mongo) == [bar()]


async def test_the_retention_of_bars_follows_the_setting(mongo: Mongo) -> None:
    for days, secs in ((7, 604_800), (1, 86_400), (0, None)):
        await BarStore(mongo, retention_days=days).prepare()
        indexes = await mongo.db["bars_5m"].index_information()
        assert indexes.get("retention", {}).get("expireAfterSeconds") == secs


async def test_a_successor_interrupts_nothing_that_uses_the_session_of_a_closed_store(
    mongo: Mongo,
) -> None:
    closing = await prepared(mongo)
    await closing.commit(closed(bar()), (await closing.take_over())[0])
    used = closing._guard._session.session_id
    await closing.close()
    async with mongo.client.start_session() as session:
        assert session.session_id == used  # the driver uses it again
        async with await session.start_transaction():
            await mongo.db["others"].insert_one({"_id": 1}, session=session)
            await BarStore(mongo).take_over()
    assert await mongo.db["others"].count_documents({}) == 1
