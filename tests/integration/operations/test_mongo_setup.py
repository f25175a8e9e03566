"""The command for MongoDB makes a replica set with users that can do what they need, and no more."""

import json
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from embedded import daemons
from embedded.ports import HOST, free_ports
from operations.deployments import MONGO_USERS
from operations.mongo_setup import MongoSetup, MongoSetupFailed
from services.persister.calendar.calendar_store import CalendarStore
from services.persister.history.page_store import PageStore
from services.persister.instruments.instrument_store import InstrumentStore
from services.persister.storage.bar_store import BarStore
from services.persister.storage.daily_candles import DailyCandles
from services.persister.storage.unpublished_bars import UnpublishedBars
from services.trading.store.journal import prepare_collections
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from tests.support.patience import PATIENCE_SECS
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
    return MongoClient(
        members, replicaSet="tradedad", username=user, password=password, authSource="tradedad"
    )


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
    with MongoClient[dict[str, Any]](
        members, replicaSet="tradedad", username="__system", password=key, authSource="local",
        authMechanism="SCRAM-SHA-256",
    ) as system:  # fmt: skip
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
        hosts = ",".join(members)
        url = f"mongodb://{user}:password@{hosts}/?replicaSet=tradedad&authSource=tradedad"
        settings = mongo_settings(url, "tradedad")
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


def test_a_server_that_is_away_is_named_with_the_cause() -> None:
    (port,) = free_ports(1)
    with pytest.raises(MongoSetupFailed, match=f"MongoDB at {HOST}:{port}: .*refused"):
        MongoSetup([f"{HOST}:{port}"], "key", {}, [], {}).run(0.1)
