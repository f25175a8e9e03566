"""The connection to a real mongod that starts late, is killed and is stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from pymongo import IndexModel, lock
from pymongo.errors import DuplicateKeyError, PyMongoError, WriteError

from shared.runtime import pymongo_patches
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo, ensure_collection
from shared.runtime.tasks import stop
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import MongoServer
from tests.support.settings import mongo_settings
from tests.support.waiting import eventually


@asynccontextmanager
async def connected(server: MongoServer, readiness: Readiness) -> AsyncIterator[Mongo]:
    settings = mongo_settings(server.url, "test", has_outages=True)
    async with connect_mongo(settings, readiness) as mongo:
        running = asyncio.create_task(mongo.run())
        try:
            yield mongo
        finally:
            assert not running.done()
            await stop([running])


async def wait_ready(readiness: Readiness) -> None:
    await eventually(readiness.is_ready, what="ready")


async def wait_not_ready(readiness: Readiness) -> None:
    await eventually(lambda: not readiness.is_ready(), what="not ready")


async def test_connecting_patches_the_waits_of_the_driver(
    own_mongod: MongoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "wait_for", asyncio.wait_for)
    async with connected(own_mongod, Readiness("test")):
        assert vars(lock)["wait_for"] is pymongo_patches.wait_for


async def test_readiness_follows_a_mongod_that_is_killed_and_stopped_and_returns(
    own_mongod: MongoServer,
) -> None:
    readiness = Readiness("test")
    async with connected(own_mongod, readiness) as mongo:
        await wait_ready(readiness)
        await mongo.db["things"].insert_one({"_id": "kept"})
        own_mongod.kill()
        await wait_not_ready(readiness)
        assert list(readiness.missing) == ["mongodb"]
        with pytest.raises(PyMongoError):
            await mongo.db["things"].find_one()
        await asyncio.to_thread(own_mongod.start)
        await wait_ready(readiness)
        assert await mongo.db["things"].find_one() == {"_id": "kept"}
        own_mongod.pause()
        await wait_not_ready(readiness)
        own_mongod.resume()
        await wait_ready(readiness)
        assert await mongo.db["things"].find_one() == {"_id": "kept"}


async def test_connecting_waits_for_a_mongod_that_starts_later(own_mongod: MongoServer) -> None:
    own_mongod.kill()
    readiness = Readiness("test")
    async with AsyncExitStack() as stack:
        connecting = asyncio.ensure_future(
            stack.enter_async_context(connected(own_mongod, readiness))
        )
        await eventually(
            lambda: readiness.missing.get("mongodb") not in {None, "connecting"},
            what="the first attempt fails",
        )
        assert not connecting.done()
        await asyncio.to_thread(own_mongod.start)
        async with asyncio.timeout(PATIENCE_SECS):
            await connecting
        await wait_ready(readiness)


async def test_writes_are_acknowledged_by_a_majority_after_their_journal_is_on_disk(
    mongo: Mongo,
) -> None:
    assert mongo.db.write_concern.document == {"w": "majority", "j": True}
    assert mongo.db.read_concern.document == {"level": "majority"}


async def test_a_collection_is_created_or_changed_to_match_its_description(mongo: Mongo) -> None:
    indexes = [IndexModel("email", unique=True, name="email")]
    for _ in range(2):
        await ensure_collection(mongo.db, "people", {"required": ["email"]}, indexes)
    people = mongo.db["people"]
    await people.insert_one({"email": "ann@example.com"})
    with pytest.raises(DuplicateKeyError):
        await people.insert_one({"email": "ann@example.com"})
    with pytest.raises(WriteError):
        await people.insert_one({"name": "Bob"})
    await ensure_collection(mongo.db, "people", {"required": ["name"]}, [])
    await people.insert_one({"name": "Bob"})
    assert await people.count_documents({}) == 2
