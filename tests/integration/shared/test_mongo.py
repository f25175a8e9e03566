"""The connection to a real mongod that starts late, is killed and is stopped."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from pymongo import IndexModel, MongoClient, lock
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError, WriteError
from structlog.testing import capture_logs

from embedded.daemons import REPLICA_SET, mongod_command
from embedded.ports import HOST, free_ports
from shared.runtime import pymongo_patches
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo, ensure_collection
from shared.runtime.tasks import stop
from tests.support.patience import PATIENCE_SECS
from tests.support.processes import child_process
from tests.support.servers import Daemon, MongoServer, mongod_program
from tests.support.settings import mongo_settings
from tests.support.waiting import eventually, wait_until


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


async def cause_of(url: str) -> str:
    """Why MongoDB is not available, once more than "connecting" is known."""
    readiness = Readiness("test")
    async with AsyncExitStack() as stack:
        connecting = asyncio.ensure_future(
            stack.enter_async_context(
                connect_mongo(mongo_settings(url, "test", has_outages=True), readiness)
            )
        )
        try:
            await eventually(
                lambda: readiness.missing.get("mongodb") not in (None, "connecting", "no primary"),
                what="the cause is known",
            )
            return readiness.missing["mongodb"]
        finally:
            await stop([connecting])


@pytest.fixture
def guarded_mongod(tmp_path: Path) -> Iterator[Daemon]:
    """A replica set with access control, and no user."""
    key = tmp_path / "key"
    key.write_text("a" * 40)
    key.chmod(0o600)
    (port,) = free_ports(1)
    command = mongod_command(mongod_program(), port=port, folder=tmp_path / "data")
    daemon = Daemon([*command, "--keyFile", str(key)], port, {})
    with child_process(daemon):
        with MongoClient[dict[str, object]](HOST, port, directConnection=True) as client:
            members = [{"_id": 0, "host": f"{HOST}:{port}"}]
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
            wait_until(
                lambda: client.admin.command("hello").get("isWritablePrimary"), what="a primary"
            )
        yield daemon


async def test_a_refused_user_is_named_and_stays_the_cause_while_there_is_a_primary(
    guarded_mongod: Daemon,
) -> None:
    host = f"{HOST}:{guarded_mongod.port}/?replicaSet={REPLICA_SET}"
    expected = "authentication failed: unknown user or wrong password in TRADEDAD_MONGO_URL"
    with capture_logs() as logged:
        assert await cause_of(f"mongodb://canary:wrong@{host}") == expected
    reasons = [line["reason"] for line in logged if line["event"] == "not ready"]
    assert expected in reasons
    assert "canary" not in str(logged)
    assert (await cause_of(f"mongodb://{host}")).startswith("not authorized: ")


async def test_a_server_that_cannot_be_used_is_named_with_the_cause(tmp_path: Path) -> None:
    (port, unused) = free_ports(2)
    command = mongod_command(mongod_program(), port=port, folder=tmp_path)
    number = command.index("--replSet")
    alone = Daemon(command[:number] + command[number + 2 :], port, {})
    with child_process(alone):
        assert (await cause_of(f"mongodb://{HOST}:{port}/")).startswith(
            "the server of TRADEDAD_MONGO_URL is not a replica set"
        )
        assert (await cause_of(f"mongodb://{HOST}:{port}/?replicaSet=other")).startswith(
            "no server of TRADEDAD_MONGO_URL is a member of the replica set"
        )
        assert await cause_of(f"mongodb://{HOST}:{port}/?tls=true") == (
            f"{HOST}:{port}: TLS handshake failed; does the server use TLS? (TRADEDAD_MONGO_URL)"
        )
    assert await cause_of(f"mongodb://{HOST}:{unused}/") == (
        f"{HOST}:{unused}: connection refused (TRADEDAD_MONGO_URL)"
    )
    assert await cause_of("mongodb://db.invalid:1/") == (
        "db.invalid:1: the host name cannot be resolved (TRADEDAD_MONGO_URL)"
    )


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


def commands(name: str, command: str) -> float:
    return REGISTRY.get_sample_value(name, {"command": command}) or 0.0


async def test_the_latency_and_failures_of_commands_are_measured_by_bounded_names(
    mongo: Mongo,
) -> None:
    seconds = "tradedad_mongodb_command_seconds_count"
    failures = "tradedad_mongodb_command_failures_total"
    inserts, others = commands(seconds, "insert"), commands(seconds, "other")
    failed = commands(failures, "other")
    await mongo.db["measured"].insert_one({"_id": "one"})
    assert commands(seconds, "insert") == inserts + 1
    with pytest.raises(OperationFailure):
        await mongo.db.command("noSuchCommand")
    assert commands(seconds, "other") == others + 1
    assert commands(failures, "other") == failed + 1
    assert REGISTRY.get_sample_value(seconds, {"command": "noSuchCommand"}) is None
