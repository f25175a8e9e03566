"""The journal in a real mongod: stored in order and once, and by the newest owner only."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from services.trading.journal.entry import Entry, KillSwitchSet
from services.trading.journal.record import CommandRecord, Record
from services.trading.store.documents import COMMANDS, PARTITIONS, command_id
from services.trading.store.journal import Checkpoint, Journal, ReadEntry, prepare_collections
from services.trading.store.journal_reader import JournalReader, checkpoint_of, last_read_of
from shared.contracts.trading import Operation, partition_of
from shared.errors import Overloaded, StaleEpoch, Unavailable
from shared.runtime.epoch_guard import EpochGuard
from shared.runtime.mongo import Document, Mongo
from shared.runtime.tasks import stop
from tests.support.waiting import eventually

PARTITION = "0/1"


def record(number: int, user_id: str = "user-1", seq: int | None = None) -> Record:
    body = KillSwitchSet(is_on=True, at_ms=number)
    entry = Entry(user_id=user_id, seq=seq or number, position=0, body=body)
    return Record(number=number, entry=entry, event=b'{"seq":%d}' % (seq or number))


def command(key: str, code: str = "") -> CommandRecord:
    return CommandRecord(
        user_id="user-1", key=key, operation=Operation.PLACE, digest=b"d", request=b"{}",
        answer=b"[]", code=code,
    )  # fmt: skip


class Owner:
    """An owner with its journal, whether it runs or not."""

    def __init__(self, mongo: Mongo, guard: EpochGuard, document: Document) -> None:
        self.document = document
        self.published: list[int] = []
        self.journal = Journal(mongo, guard, document["epoch"], self._publish, number=0)
        self.running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self.running = asyncio.create_task(self.journal.run())

    async def _publish(self, records: Sequence[Record]) -> None:
        self.published += [one.number for one in records]


@asynccontextmanager
async def owner(mongo: Mongo) -> AsyncIterator[Owner]:
    await prepare_collections(mongo, audit_days=1)
    guard = EpochGuard(mongo, PARTITIONS, PARTITION)
    made = Owner(mongo, guard, await guard.take_over())
    try:
        yield made
    finally:
        if made.running is not None:
            await stop([made.running])
        await guard.close()


async def stored(mongo: Mongo) -> list[int]:
    return [one.number async for one in JournalReader(mongo).records(0, 1)]


async def test_entries_are_stored_and_published_in_their_order(mongo: Mongo) -> None:
    async with owner(mongo) as first:
        waiting = [first.journal.append([record(number)]) for number in range(1, 51)]
        first.start()
        await asyncio.gather(*waiting)
        await first.journal.settle()
        await eventually(lambda: len(first.published) == 50, what="all are published")
        assert first.published == list(range(1, 51))
    assert await stored(mongo) == list(range(1, 51))
    events = await JournalReader(mongo).events("user-1", 48, 50, 10)
    assert events == [b'{"seq":49}', b'{"seq":50}']
    assert await JournalReader(mongo).events("user-1", 0, 50, 2) == [b'{"seq":1}', b'{"seq":2}']


async def test_a_superseded_owner_stores_nothing_and_does_not_claim_to_know(mongo: Mongo) -> None:
    async with owner(mongo) as old, owner(mongo) as new:
        old.start()
        waiting = old.journal.append([record(1)], command("a"))
        with pytest.raises(Unavailable, match="is not known"):
            await waiting
        assert old.running is not None
        with pytest.raises(StaleEpoch):
            await old.running
        with pytest.raises(Unavailable):
            await old.journal.settle()
        with pytest.raises(StaleEpoch):
            await old.journal.checkpoint(Checkpoint(1, 1, "stream", b"state"))
        assert await stored(mongo) == []
        assert await mongo.db[COMMANDS].find_one({"_id": command_id("user-1", "a")}) is None
        new.start()
        await new.journal.append([record(1)], command("a"))
    assert await stored(mongo) == [1]


async def test_a_command_is_stored_with_its_answer_or_not_at_all(mongo: Mongo) -> None:
    async with owner(mongo) as first:
        first.start()
        await first.journal.append([record(1)], command("a"))
        await first.journal.append([], command("b", code="order_refused"))
    document = await mongo.db[COMMANDS].find_one({"_id": command_id("user-1", "a")})
    assert document is not None
    assert (bytes(document["answer"]), document["code"]) == (b"[]", "")
    document = await mongo.db[COMMANDS].find_one({"_id": command_id("user-1", "b")})
    assert document is not None
    assert document["code"] == "order_refused"
    assert await mongo.db[COMMANDS].find_one({"_id": command_id("user-2", "a")}) is None


async def test_what_exceeds_the_bound_is_refused_and_not_queued(mongo: Mongo) -> None:
    async with owner(mongo) as first:
        for number in range(1, 10_001):
            first.journal.append([record(number)])
        assert not first.journal.has_room
        with pytest.raises(Overloaded):
            first.journal.append([record(10_001)])
        first.start()
        await first.journal.settle()
    assert len(await stored(mongo)) == 10_000


async def test_a_checkpoint_is_read_by_the_next_owner(mongo: Mongo) -> None:
    async with owner(mongo) as first:
        assert checkpoint_of(first.document) is None
        checkpoint = Checkpoint(7, 1_234, "stream", b"state")
        await first.journal.checkpoint(checkpoint)
    async with owner(mongo) as second:
        assert checkpoint_of(second.document) == checkpoint
        assert last_read_of(second.document) is None


@pytest.mark.parametrize("stores", ["records", "checkpoint"])
async def test_the_last_entry_of_ticks_that_was_processed_is_read_by_the_next_owner(
    mongo: Mongo, stores: str
) -> None:
    async with owner(mongo) as first:
        first.start()
        first.journal.last_read = ReadEntry(1_234, 77)
        if stores == "records":
            await first.journal.append([record(1)], command("a"))
        else:
            await first.journal.checkpoint(Checkpoint(7, 1_234, "stream", b"state"))
    async with owner(mongo) as second:
        assert last_read_of(second.document) == ReadEntry(1_234, 77)


async def test_each_partition_reads_its_own_users(mongo: Mongo) -> None:
    users = [f"user-{number}" for number in range(20)]
    async with owner(mongo) as first:
        first.start()
        for number, user in enumerate(users, start=1):
            await first.journal.append([record(number, user, seq=1)])
    for partition in range(3):
        found = {
            one.entry.user_id
            async for one in JournalReader(mongo).records(partition, 3)
            if isinstance(one, Record)
        }
        assert found == {user for user in users if partition_of(user, 3) == partition}


async def test_an_order_has_its_own_entries(mongo: Mongo) -> None:
    async with owner(mongo) as first:
        first.start()
        await first.journal.append([record(1)])
    assert await JournalReader(mongo).order_entries("user-1", "o1") == []
