"""Transactions of the newest leader commit; those of an older one are refused. One real mongod."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pymongo.asynchronous.client_session import AsyncClientSession

from shared.errors import StaleEpoch
from shared.runtime.epoch_guard import EpochGuard
from shared.runtime.mongo import Mongo
from tests.support.patience import PATIENCE_SECS

GUARDS = "guards"


@pytest.fixture
async def guard(mongo: Mongo) -> AsyncIterator[EpochGuard]:
    guard = EpochGuard(mongo, GUARDS, "one")
    yield guard
    await guard.close()


async def write(guard: EpochGuard, mongo: Mongo, epoch: int, value: int) -> None:
    """Store `value` in a transaction of the leader with this epoch."""

    async def insert(session: AsyncClientSession) -> None:
        await mongo.db["values"].insert_one({"_id": value}, session=session)

    await guard.transact(epoch, {"$set": {"last": value}}, insert)


async def values(mongo: Mongo) -> list[int]:
    return [row["_id"] for row in await mongo.db["values"].find().sort("_id").to_list()]


async def test_each_leader_has_a_higher_epoch_and_gets_what_the_last_one_left(
    mongo: Mongo, guard: EpochGuard
) -> None:
    first = (await guard.take_over())["epoch"]
    await write(guard, mongo, first, 7)
    document = await guard.take_over()
    assert (document["epoch"], document["last"]) == (first + 1, 7)


async def test_an_older_leader_writes_nothing(mongo: Mongo, guard: EpochGuard) -> None:
    old = (await guard.take_over())["epoch"]
    await write(guard, mongo, old, 1)
    successor = EpochGuard(mongo, GUARDS, "one")
    new = (await successor.take_over())["epoch"]
    with pytest.raises(StaleEpoch) as caught:
        await write(guard, mongo, old, 2)
    assert (caught.value.ours, caught.value.theirs) == (old, new)
    await write(successor, mongo, new, 3)
    assert await values(mongo) == [1, 3]
    await successor.close()


async def test_guards_of_other_documents_do_not_interfere(mongo: Mongo, guard: EpochGuard) -> None:
    epoch = (await guard.take_over())["epoch"]
    other = EpochGuard(mongo, GUARDS, "other")
    other_epoch = (await other.take_over())["epoch"]
    await write(guard, mongo, epoch, 1)
    await write(other, mongo, other_epoch, 2)
    assert (epoch, other_epoch, await values(mongo)) == (1, 1, [1, 2])
    await other.close()


async def test_a_transaction_that_a_dead_leader_left_open_is_ended(
    mongo: Mongo, guard: EpochGuard
) -> None:
    epoch = (await guard.take_over())["epoch"]
    await write(guard, mongo, epoch, 1)
    dead = guard._session
    await dead.start_transaction()
    await mongo.db[GUARDS].update_one({"_id": "one"}, {"$set": {"last": 0}}, session=dead)
    successor = EpochGuard(mongo, GUARDS, "one")
    async with asyncio.timeout(PATIENCE_SECS):
        document = await successor.take_over()
        await write(successor, mongo, document["epoch"], 2)
    assert (document["epoch"], document["last"]) == (epoch + 1, 1)
    await successor.close()


async def test_the_session_of_a_closed_guard_is_no_longer_named(mongo: Mongo) -> None:
    guard = EpochGuard(mongo, GUARDS, "one")
    assert "session" in await guard.take_over()
    await guard.close()
    document = await mongo.db[GUARDS].find_one({"_id": "one"})
    assert document == {"_id": "one", "epoch": 1}
