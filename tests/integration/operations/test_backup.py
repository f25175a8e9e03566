"""A backup under writes is of one moment, and its restore is exact, complete, and never partial."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bson import Decimal128, Int64
from pymongo import MongoClient

from operations.backup.folders import BackupFailed
from operations.backup.manifest import MANIFEST, BadBackup, read_manifest
from operations.backup.restore import (
    EPOCHS_ADDED,
    RestoreRefused,
    restore_backup,
    verify_backup,
)
from operations.backup.snapshot import STAGING, take_backup
from services.auth.stores.users import MongoUsers
from services.persister.storage.bar_store import BarStore
from services.persister.storage.documents import bar_document
from services.trading.store.journal import prepare_collections
from shared.contracts.messages import Bar, BarState
from shared.errors import StaleEpoch
from shared.runtime.epoch_guard import EpochGuard
from shared.runtime.health import Readiness
from shared.runtime.mongo import Document, Mongo, connect_mongo
from shared.runtime.mongo_command import DatabaseFailed
from shared.runtime.settings import MongoSettings
from shared.runtime.tasks import stop
from tests.support.builders import KEY, MONDAY_10_00
from tests.support.servers import MongoServer
from tests.support.waiting import eventually

ACCOUNTS = 40
TOTAL = ACCOUNTS * 1_000


def bar(number: int) -> Bar:
    return Bar(
        key=KEY, start=MONDAY_10_00 + number * 300_000, open=1_400.05, high=1_401.1, low=1_399.95,
        close=1_400.35, ltq=5, ltt=None, volume=3_000_000_000, vtt=9_000_000_000, atp=None,
        oi=None, ticks=7, state=BarState.COMPLETE, silent_ms=0, epoch=4,
    )  # fmt: skip


@pytest.fixture
async def stored(mongo: Mongo) -> Mongo:
    """A database with the collections of services, and documents of many types."""
    await MongoUsers(mongo.db).prepare()
    await BarStore(mongo).prepare()
    await prepare_collections(mongo, audit_days=1)
    await mongo.db["bars_5m"].insert_many([bar_document(bar(number)) for number in range(3_000)])
    await mongo.db["numbers"].insert_many(
        [{"_id": 1, "a": Int64(1), "b": 1}, {"_id": Int64(2), "price": Decimal128("1.50")}]
    )
    return mongo


@pytest.fixture
def target(mongo_settings: MongoSettings) -> MongoSettings:
    """Another database, which is empty."""
    return mongo_settings.model_copy(update={"database": f"{mongo_settings.database}_new"})


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def open_to_others(folder: Path) -> list[Path]:
    paths = [folder, *folder.iterdir()]
    return [path for path in paths if path.stat().st_mode & 0o077]


async def take(settings: MongoSettings, folder: Path, **more: Any) -> None:
    await asyncio.to_thread(take_backup, settings, folder, **more)


async def restore(settings: MongoSettings, folder: Path, *, replace: bool = False) -> None:
    await asyncio.to_thread(restore_backup, settings, folder, replace=replace)


@asynccontextmanager
async def connected(settings: MongoSettings) -> AsyncIterator[Mongo]:
    async with connect_mongo(settings, Readiness("test")) as mongo:
        yield mongo


async def described(mongo: Mongo) -> dict[str, Any]:
    """Options, indexes and documents of each collection."""
    found = {}
    async for collection in await mongo.db.list_collections():
        name = collection["name"]
        indexes = [dict(index) async for index in await mongo.db[name].list_indexes()]
        documents = await mongo.db[name].find().sort("_id").to_list()
        found[name] = (collection["options"], indexes, documents)
    return found


class Transfers:
    """Moves money between accounts of two collections, each time in one transaction."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self.count = 0

    async def run(self) -> None:
        async with self._mongo.client.start_session() as session:
            while True:
                await session.with_transaction(self._move)
                self.count += 1

    async def _move(self, session: Any) -> None:
        for name, amount in (("accounts_a", -1), ("accounts_z", 1)):
            which, change = {"_id": self.count % ACCOUNTS}, {"$inc": {"money": amount}}
            await self._mongo.db[name].update_one(which, change, session=session)


@asynccontextmanager
async def transfers(mongo: Mongo) -> AsyncIterator[Transfers]:
    for name in ("accounts_a", "accounts_z"):
        accounts = [{"_id": n, "money": 500} for n in range(ACCOUNTS)]
        await mongo.db[name].insert_many(accounts)
    moving = Transfers(mongo)
    task = asyncio.create_task(moving.run())
    try:
        yield moving
    finally:
        # The driver may lose one cancellation.
        await stop([task])


async def money(mongo: Mongo) -> int:
    total = 0
    for name in ("accounts_a", "accounts_z"):
        total += sum([account["money"] async for account in mongo.db[name].find()])
    return total


async def test_a_restored_database_has_the_same_documents_options_and_indexes(
    stored: Mongo, mongo_settings: MongoSettings, target: MongoSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    await take(mongo_settings, folder)
    await restore(target, folder)
    async with connected(target) as restored:
        assert await described(restored) == await described(stored)
        (one,) = await restored.db["numbers"].find({"a": {"$type": "long"}}).to_list()
        assert (type(one["a"]), type(one["b"])) == (Int64, int)
    manifest = read_manifest(folder)
    assert manifest.documents == 3_002
    assert entries(tmp_path) == ["backup"]
    assert not open_to_others(folder)


async def test_a_backup_under_writes_is_of_one_moment(
    stored: Mongo, mongo_settings: MongoSettings, target: MongoSettings, tmp_path: Path
) -> None:
    async with transfers(stored) as moving:
        loop = asyncio.get_running_loop()

        def wait_for_transfers(name: str) -> None:
            """Lets money move before each reading of a collection."""
            if name in ("accounts_a", "accounts_z", "bars_5m"):
                seen = moving.count
                moved = eventually(lambda: moving.count >= seen + 5, what="money moves")
                asyncio.run_coroutine_threadsafe(moved, loop).result()

        await take(mongo_settings, tmp_path / "backup", on_collection=wait_for_transfers)
        assert moving.count >= 15
    await restore(target, tmp_path / "backup")
    async with connected(target) as restored:
        assert await money(restored) == TOTAL
        assert await restored.db["accounts_a"].count_documents({}) == ACCOUNTS


async def test_a_database_with_data_is_replaced_only_on_demand(
    stored: Mongo, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    await take(mongo_settings, tmp_path / "backup")
    await stored.db["numbers"].insert_one({"_id": 3})
    await stored.db["later"].insert_one({"_id": 1})
    with pytest.raises(RestoreRefused, match="--replace"):
        await restore(mongo_settings, tmp_path / "backup")
    assert await stored.db["numbers"].count_documents({}) == 3
    await restore(mongo_settings, tmp_path / "backup", replace=True)
    assert await stored.db["numbers"].count_documents({}) == 2
    assert "later" not in await stored.db.list_collection_names()


async def test_a_changed_file_is_refused_before_anything_is_written(
    stored: Mongo, mongo_settings: MongoSettings, target: MongoSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    await take(mongo_settings, folder)
    assert verify_backup(folder).documents == 3_002
    damaged = folder / "numbers.bson.gz"
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    with pytest.raises(BadBackup, match=r"numbers\.bson\.gz: sha256"):
        await restore(target, folder)
    async with connected(target) as restored:
        assert await restored.db.list_collection_names() == []


async def test_a_restore_that_fails_changes_nothing_and_can_be_repeated(
    stored: Mongo, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    await take(mongo_settings, folder)
    before = await described(stored)
    wrong = tmp_path / "wrong"
    shutil.copytree(folder, wrong)
    plain = json.loads((wrong / MANIFEST).read_text())
    plain["collections"][-1]["documents"] += 1  # fails after the others are loaded
    (wrong / MANIFEST).write_text(json.dumps(plain))
    with pytest.raises(BadBackup, match="in manifest"):
        await restore(mongo_settings, wrong, replace=True)
    left = await described(stored)
    assert {name: left[name] for name in left if not name.startswith(STAGING)} == before
    await take(mongo_settings, tmp_path / "second")
    assert verify_backup(tmp_path / "second").documents == 3_002
    await restore(mongo_settings, folder, replace=True)
    assert await described(stored) == before


async def test_a_leader_from_before_the_restore_can_store_nothing(
    stored: Mongo, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    leader = EpochGuard(stored, "trading_partitions", "0")
    epoch = (await leader.take_over())["epoch"]
    await take(mongo_settings, tmp_path / "backup")
    await restore(mongo_settings, tmp_path / "backup", replace=True)

    async def write(_: object) -> None:
        raise AssertionError("must not be called")

    with pytest.raises(StaleEpoch):
        await leader.transact(epoch, {"$inc": {"commits": 1}}, write)
    successor = EpochGuard(stored, "trading_partitions", "0")
    assert (await successor.take_over())["epoch"] == epoch + EPOCHS_ADDED + 1
    await successor.close()
    await leader.close()


async def test_a_backup_is_never_overwritten_and_a_failed_one_leaves_nothing(
    stored: Mongo, mongo_settings: MongoSettings, target: MongoSettings, tmp_path: Path
) -> None:
    with pytest.raises(BackupFailed, match="has no collections"):
        await take(target, tmp_path / "backup")
    assert entries(tmp_path) == []
    await take(mongo_settings, tmp_path / "backup")
    with pytest.raises(BackupFailed, match="never overwritten"):
        await take(mongo_settings, tmp_path / "backup")


@pytest.mark.parametrize("change", ["dropped", "renamed", "replaced"])
async def test_a_collection_that_vanishes_meanwhile_costs_another_attempt(
    stored: Mongo, mongo_settings: MongoSettings, tmp_path: Path, change: str
) -> None:
    loop = asyncio.get_running_loop()
    reads: list[str] = []

    async def vanish() -> None:
        if change == "renamed":
            await stored.db["numbers"].rename("other")
        else:
            await stored.db["numbers"].drop()
        if change == "replaced":
            await stored.db["numbers"].insert_one({"_id": 1})

    def vanish_once(name: str) -> None:
        reads.append(name)
        if name == "bars_5m" and reads.count(name) == 1:
            asyncio.run_coroutine_threadsafe(vanish(), loop).result()

    await take(mongo_settings, tmp_path / "backup", on_collection=vanish_once)
    assert reads.count("bars_5m") == 2
    documents = {"dropped": 3_000, "renamed": 3_002, "replaced": 3_001}
    assert verify_backup(tmp_path / "backup").documents == documents[change]


def test_a_moment_that_mongodb_has_forgotten_is_explained(
    own_mongod: MongoServer, tmp_path: Path
) -> None:
    settings = MongoSettings.model_validate({"url": own_mongod.url, "database": "test"})
    client: MongoClient[Document] = MongoClient(own_mongod.url)
    with client:
        for name in ("a", "b"):
            client["test"][name].insert_many([{"_id": n, "text": "x" * 1_000} for n in range(500)])
        history = {"setParameter": 1, "minSnapshotHistoryWindowInSeconds": 0}
        client.admin.command(history)

        def forget(name: str) -> None:
            if name == "b":
                for value in range(200):
                    client["test"]["b"].update_many({}, {"$set": {"n": value}})
                    client.admin.command("fsync")

        with pytest.raises(BackupFailed, match="minSnapshotHistoryWindowInSeconds"):
            take_backup(settings, tmp_path / "backup", forget)
    assert entries(tmp_path) == []


async def test_a_server_that_is_away_leaves_no_folder(tmp_path: Path) -> None:
    settings = MongoSettings.model_validate(
        {"url": "mongodb://127.0.0.1:9/?replicaSet=none", "timeout_ms": 200}
    )
    with pytest.raises(DatabaseFailed, match=r"127\.0\.0\.1:9: connection refused"):
        await take(settings, tmp_path / "backup")
    assert entries(tmp_path) == []
