"""The command for MongoDB makes a replica set with users that can do what they need, and no more."""

import dataclasses
import json
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from embedded import daemons
from embedded.ports import HOST, free_ports
from operations import __main__
from operations.deployments import DEPLOYMENTS, MONGO_USERS
from operations.first_secrets import SecretFolder
from operations.mongo_setup import MongoSetup, MongoSetupFailed
from services.persister.calendar.calendar_store import CalendarStore
from services.persister.history.page_store import PageStore
from services.persister.instruments.instrument_store import InstrumentStore
from services.persister.storage.bar_store import BarStore
from services.persister.storage.daily_candles import DailyCandles
from services.persister.storage.unpublished_bars import UnpublishedBars
from services.trading.store.journal import prepare_collections
from shared.runtime import exit_codes
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.mongo import Document, Mongo, connect_mongo
from tests.support.patience import PATIENCE_MS, PATIENCE_SECS
from tests.support.processes import child_process
from tests.support.servers import Daemon, data_folder, mongod_program
from tests.support.settings import mongo_settings

ROLES = daemons.ROOT / "deploy" / "mongo"
OWN = {"persister": {"bars_5m"}, "trading": {"trading_journal"}}
ROLE: dict[str, Any] = {
    "createRole": "tradedadAuth",
    "privileges": [
        {"resource": {"db": "tradedad", "collection": "audit"}, "actions": ["find", "insert"]}
    ],
    "roles": [],
}


@pytest.fixture
def guarded() -> Iterator[tuple[list[str], str]]:
    """The members of a set of two mongods with access control that is not initiated, and its key."""
    with data_folder("tradedad-mongo-") as folder, ExitStack() as stack:
        key = folder / "key"
        key.write_text(secrets.token_hex(256))
        key.chmod(0o600)
        members = []
        for port in free_ports(2):
            path: Path = folder / str(port)
            command = daemons.mongod_command(mongod_program(), port=port, folder=path)
            stack.enter_context(child_process(Daemon([*command, "--keyFile", str(key)], port, {})))
            members.append(f"{HOST}:{port}")
        yield members, key.read_text()


def client(members: list[str], user: str, password: str) -> MongoClient[dict[str, Any]]:
    return MongoClient(url(members, user, password))


def url(members: list[str], user: str, password: str) -> str:
    hosts = ",".join(members)
    return f"mongodb://{user}:{password}@{hosts}/?replicaSet=tradedad&authSource=tradedad"


def as_member(members: list[str], key: str) -> MongoClient[dict[str, Any]]:
    """A client with all rights: the user that members are to each other."""
    return MongoClient(
        members, replicaSet="tradedad", username="__system", password=key, authSource="local",
        authMechanism="SCRAM-SHA-256",
    )  # fmt: skip


def test_users_have_their_roles_and_a_second_run_changes_a_password(
    guarded: tuple[list[str], str],
) -> None:
    members, key = guarded
    MongoSetup(members, key, {"auth": "first", "trading": "second"}, [ROLE], {}).run(PATIENCE_SECS)
    with client(members, "auth", "first") as auth, client(members, "trading", "second") as trading:
        auth["tradedad"]["audit"].insert_one({"event": "login"})
        with pytest.raises(OperationFailure, match="not authorized"):
            auth["tradedad"]["audit"].delete_many({})
        trading["tradedad"]["trading_journal"].insert_one({"seq": 1})
        with pytest.raises(OperationFailure, match="not authorized"):
            trading["admin"].command("replSetGetConfig")
    MongoSetup(members, key, {"auth": "next", "trading": "second"}, [ROLE], {}).run(PATIENCE_SECS)
    with client(members, "auth", "next") as auth:
        assert auth["tradedad"]["audit"].count_documents({}) == 1
    with client(members, "auth", "first") as auth, pytest.raises(OperationFailure, match="Auth"):
        auth["tradedad"]["audit"].count_documents({})


def test_a_dead_primary_is_replaced_after_five_seconds(guarded: tuple[list[str], str]) -> None:
    members, key = guarded
    MongoSetup(members, key, {}, [], {}).run(PATIENCE_SECS)
    with as_member(members, key) as system:
        config = system.admin.command("replSetGetConfig")["config"]
    assert config["settings"]["electionTimeoutMillis"] == 5_000


async def test_the_roles_of_deploy_suffice_to_make_collections_and_give_no_others(
    guarded: tuple[list[str], str],
) -> None:
    members, key = guarded
    roles = [json.loads(path.read_text()) for path in sorted(ROLES.glob("*-role.json"))]
    passwords = dict.fromkeys(MONGO_USERS, "password")
    MongoSetup(members, key, passwords, roles, {}).run(PATIENCE_SECS)

    async def as_user(user: str, prepare: Callable[[Mongo], Awaitable[None]]) -> None:
        settings = mongo_settings(url(members, user, "password"), "tradedad")
        async with connect_mongo(settings, Readiness("test")) as mongo:
            await prepare(mongo)
            await prepare(mongo)  # the second time changes collections
            for other in {"users", "bars_5m", "trading_journal"} - OWN[user]:
                with pytest.raises(OperationFailure, match="not authorized"):
                    await mongo.db[other].find_one({})

    async def persister(mongo: Mongo) -> None:
        for days in (30, 0):  # an index is created, and dropped
            await BarStore(mongo, retention_days=days).prepare()
        await InstrumentStore(mongo).prepare()
        await CalendarStore(mongo).prepare()
        await UnpublishedBars(mongo).prepare()
        await DailyCandles(mongo).prepare()
        await PageStore(mongo, SystemClock()).prepare()

    async def trading(mongo: Mongo) -> None:
        await prepare_collections(mongo, audit_days=1)

    await as_user("persister", persister)
    await as_user("trading", trading)


def test_the_command_makes_users_who_take_a_backup_and_restore_it_and_can_do_no_more(
    guarded: tuple[list[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members, key = guarded
    deployment = dataclasses.replace(DEPLOYMENTS["compose"], mongo_members=tuple(members))
    folder = tmp_path / "secrets"
    SecretFolder(folder).fill(deployment, SystemClock(), datetime.now(UTC))
    (folder / "mongo-keyfile").write_text(key)
    monkeypatch.setattr(__main__, "DEPLOYMENTS", {"compose": deployment})
    prepare = ["prepare-mongo", f"--secrets={folder}", f"--roles={ROLES}"]
    for _ in range(2):  # an installation gets its users by repeating the command
        assert __main__.main([*prepare, f"--timeout-secs={PATIENCE_SECS}"]) == exit_codes.OK
    monkeypatch.setenv("TRADEDAD_MONGO_TIMEOUT_MS", str(PATIENCE_MS))

    def run_as(user: str, *arguments: str) -> int:
        monkeypatch.setenv("TRADEDAD_MONGO_URL", (folder / f"{user}-mongo-url").read_text())
        return __main__.main(["backup", *arguments])

    with (
        as_member(members, key) as system,
        MongoClient[Document]((folder / "backup-mongo-url").read_text()) as backup,
        MongoClient[Document]((folder / "restore-mongo-url").read_text()) as restore,
    ):
        database = system["tradedad"]
        database.create_collection("users", validator={"email": {"$type": "string"}})
        database["users"].create_index("email", unique=True)
        database["users"].insert_one({"_id": 1, "email": "me@example.com"})
        database["trading_partitions"].insert_one({"_id": "0", "epoch": 4})
        saved = str(tmp_path / "saved")
        assert run_as("backup", "take", saved) == exit_codes.OK
        for write in (
            lambda: backup["tradedad"]["users"].insert_one({"_id": 2, "email": "x"}),
            lambda: backup["tradedad"]["users"].delete_many({}),
            lambda: backup["tradedad"]["users"].drop(),
            lambda: backup["tradedad"].create_collection("more"),
            lambda: backup["other"]["users"].find_one({}),
            lambda: restore["other"]["users"].find_one({}),
            lambda: restore["tradedad"].command("createUser", "x", pwd="x", roles=[]),
            lambda: restore["admin"]["system.users"].find_one({}),
        ):
            with pytest.raises(OperationFailure, match="not authorized"):
                write()
        database["users"].insert_one({"_id": 2, "email": "later@example.com"})
        database["later"].insert_one({"_id": 1})
        assert run_as("backup", "restore", saved, "--replace") != exit_codes.OK
        assert run_as("restore", "restore", saved) == exit_codes.FAILED  # there is data
        assert run_as("restore", "restore", saved, "--replace") == exit_codes.OK
        assert list(database["users"].find()) == [{"_id": 1, "email": "me@example.com"}]
        assert sorted(database.list_collection_names()) == ["trading_partitions", "users"]
        assert set(database["users"].index_information()) == {"_id_", "email_1"}
        system.drop_database("tradedad")
        assert run_as("restore", "restore", saved) == exit_codes.OK
        assert database["users"].count_documents({}) == 1


def test_a_server_that_is_away_is_named_with_the_cause() -> None:
    (port,) = free_ports(1)
    with pytest.raises(MongoSetupFailed, match=f"MongoDB at {HOST}:{port}: .*refused"):
        MongoSetup([f"{HOST}:{port}"], "key", {}, [], {}).run(0.1)
