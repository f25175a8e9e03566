"""Readiness and durability of the connection to a real mongod that comes late, dies and freezes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from pydantic import SecretStr
from pymongo import IndexModel, lock
from pymongo.errors import DuplicateKeyError, PyMongoError, WriteError

from shared.runtime import pymongo_patches
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo, ensure_collection
from shared.runtime.settings import MongoSettings
from shared.runtime.tasks import stop
from tests.support.servers import MongoServer, run_mongo
from tests.support.waiting import eventually


@pytest.fixture
def own_mongod() -> Iterator[MongoServer]:
    """One that may be broken."""
    with run_mongo() as server:
        yield server


@asynccontextmanager
async def connected(server: MongoServer, readiness: Readiness) -> AsyncIterator[Mongo]:
    settings = MongoSettings(url=SecretStr(server.url), database="test", timeout_ms=1_000)
    async with connect_mongo(settings, readiness) as mongo:
        running = asyncio.create_task(mongo.run())
        try:
            yield mongo
        finally:
            assert not running.done()
            await stop([running])


async def until(readiness: Readiness, *, ready: bool) -> None:
    async def look() -> bool:
        return readiness.is_ready() is ready

    await eventually(look, what=f"readiness is {ready}", timeout_secs=20)


async def test_the_driver_waits_as_it_was_mended_to(
    own_mongod: MongoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "wait_for", asyncio.wait_for)
    async with connected(own_mongod, Readiness("test")):
        assert vars(lock)["wait_for"] is pymongo_patches.wait_for


async def test_readiness_follows_a_mongod_that_is_killed_frozen_and_back(
    own_mongod: MongoServer,
) -> None:
    readiness = Readiness("test")
    async with connected(own_mongod, readiness) as mongo:
        assert readiness.is_ready()
        await mongo.db["things"].insert_one({"_id": "kept"})
        own_mongod.kill()
        await until(readiness, ready=False)
        assert list(readiness.missing) == ["mongodb"]
        with pytest.raises(PyMongoError):
            await mongo.db["things"].find_one()
        await asyncio.to_thread(own_mongod.start)
        await until(readiness, ready=True)
        assert await mongo.db["things"].find_one() == {"_id": "kept"}
        own_mongod.freeze()
        await until(readiness, ready=False)
        own_mongod.thaw()
        await until(readiness, ready=True)
        assert await mongo.db["things"].find_one() == {"_id": "kept"}


async def test_connecting_waits_for_a_mongod_that_comes_later(own_mongod: MongoServer) -> None:
    own_mongod.kill()
    readiness = Readiness("test")
    async with AsyncExitStack() as stack:
        connecting = asyncio.ensure_future(
            stack.enter_async_context(connected(own_mongod, readiness))
        )

        async def look() -> bool:
            return readiness.missing.get("mongodb") not in {None, "connecting"}

        await eventually(look, what="the first attempt fails")
        assert not connecting.done()
        await asyncio.to_thread(own_mongod.start)
        async with asyncio.timeout(20):
            await connecting
        assert readiness.is_ready()


async def test_writes_count_only_when_a_majority_has_them_on_disk(mongo: Mongo) -> None:
    assert mongo.db.write_concern.document == {"w": "majority", "j": True}
    assert mongo.db.read_concern.document == {"level": "majority"}


async def test_a_collection_is_made_and_changed_to_what_is_described(mongo: Mongo) -> None:
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
