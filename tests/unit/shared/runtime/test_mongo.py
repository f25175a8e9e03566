"""The MongoDB client follows the primary, and reports bad URLs without their text."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import SecretStr
from pymongo import IndexModel
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import AutoReconnect, OperationFailure

from shared.errors import ConfigError
from shared.runtime.health import Readiness
from shared.runtime.mongo import (
    DEPENDENCY,
    Document,
    Mongo,
    _PrimaryWatch,
    _Refusal,
    connect_mongo,
    ensure_collection,
)
from shared.runtime.settings import MongoSettings

CANARY = "canary-secret-0c3f"
NOT_A_REPLICA_SET = (
    "the server of TRADEDAD_MONGO_URL is not a replica set, which transactions need; "
    "start mongod with --replSet"
)
AUTHENTICATION_FAILED = (
    "authentication failed: unknown user or wrong password in TRADEDAD_MONGO_URL"
)
NOT_AUTHORIZED = (
    "not authorized: the user of TRADEDAD_MONGO_URL lacks a role for TRADEDAD_MONGO_DATABASE, "
    "or the URL has no user"
)
SCHEMA = {"required": ["name"]}


class FakeDatabase:
    """Records what is created; raises `error` when a collection is."""

    def __init__(self, error: OperationFailure | None = None) -> None:
        self.error = error
        self.created: dict[str, Any] = {}
        self.commands: list[tuple[str, str]] = []
        self.indexes: list[IndexModel] = []

    async def create_collection(self, _: str, **options: Any) -> None:
        if self.error is not None:
            raise self.error
        self.created = options

    async def command(self, command: str, name: str, **options: Any) -> None:
        self.commands.append((command, name))
        assert options["validator"] == {"$jsonSchema": SCHEMA}

    def __getitem__(self, _: str) -> "FakeDatabase":
        return self

    async def create_indexes(self, indexes: list[IndexModel]) -> None:
        self.indexes = indexes


class FakeClient:
    """Replies to `hello` with a reply or an exception."""

    def __init__(self, reply: dict[str, Any] | Exception) -> None:
        self.reply = reply
        self.admin = self
        self.topology_description = SimpleNamespace(server_descriptions=dict)

    def get_database(self, *_: object, **__: object) -> "FakeClient":
        return self

    async def command(self, _: object) -> dict[str, Any]:
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def database(fake: FakeDatabase) -> AsyncDatabase[Document]:
    return cast("AsyncDatabase[Document]", fake)


@pytest.mark.parametrize(
    "option", ["tls=true&ssl=false", "directConnection=true&loadBalanced=true"]
)
async def test_an_option_that_only_the_driver_refuses_is_reported_without_the_url(
    option: str,
) -> None:
    settings = MongoSettings.model_construct(
        url=SecretStr(f"mongodb://u:{CANARY}@h/?{option}"), database="test", timeout_ms=100
    )
    with pytest.raises(ConfigError) as raised:
        async with connect_mongo(settings, Readiness("test")):
            pass
    (problem,) = raised.value.problems
    assert problem.startswith("TRADEDAD_MONGO_URL: ")
    assert CANARY not in problem


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ({"isWritablePrimary": True, "setName": "tradedad"}, None),
        ({"isWritablePrimary": True, "msg": "isdbgrid"}, None),
        ({"isWritablePrimary": True}, NOT_A_REPLICA_SET),
        (OperationFailure("Authentication failed.", 18), AUTHENTICATION_FAILED),
        (OperationFailure("requires authentication", 13), NOT_AUTHORIZED),
        ({"isWritablePrimary": False}, "no primary"),
        ({}, "no primary"),
        (AutoReconnect("away"), "AutoReconnect"),
    ],
)
async def test_a_probe_sets_readiness(
    reply: dict[str, Any] | Exception, reason: str | None
) -> None:
    readiness = Readiness("test")
    mongo = Mongo(cast("Any", FakeClient(reply)), "test", readiness)
    assert await mongo.probe() is (reason is None)
    assert readiness.missing.get(DEPENDENCY) == reason


def test_a_change_of_the_primary_sets_readiness_at_once() -> None:
    readiness = Readiness("test")
    refused = _Refusal()
    watch = _PrimaryWatch(readiness, refused)
    secondary = SimpleNamespace(server_type_name="RSSecondary", error=None)

    def change(*, has_primary: bool) -> None:
        description = SimpleNamespace(
            has_writable_server=lambda: has_primary, server_descriptions=lambda: {"a": secondary}
        )
        watch.description_changed(cast("Any", SimpleNamespace(new_description=description)))

    change(has_primary=False)
    assert readiness.missing == {DEPENDENCY: "no primary"}
    change(has_primary=True)
    assert readiness.is_ready()
    readiness.down(DEPENDENCY, "refused")
    refused.cause = "refused"
    change(has_primary=True)
    change(has_primary=False)
    assert readiness.missing == {DEPENDENCY: "refused"}


@pytest.mark.parametrize("by_id", [True, False])
async def test_a_new_collection_has_its_schema_and_indexes(by_id: bool) -> None:
    fake = FakeDatabase()
    index = IndexModel([("name", 1)])
    await ensure_collection(database(fake), "things", SCHEMA, [index], by_id=by_id)
    assert fake.created["validator"] == {"$jsonSchema": SCHEMA}
    assert ("clusteredIndex" in fake.created) is by_id
    assert (fake.commands, fake.indexes) == ([], [index])


async def test_the_schema_of_an_existing_collection_is_updated() -> None:
    fake = FakeDatabase(OperationFailure("exists", 48))
    await ensure_collection(database(fake), "things", SCHEMA, [])
    assert fake.commands == [("collMod", "things")]


async def test_any_other_failure_to_create_a_collection_is_raised() -> None:
    fake = FakeDatabase(OperationFailure("not allowed", 13))
    with pytest.raises(OperationFailure, match="not allowed"):
        await ensure_collection(database(fake), "things", SCHEMA, [])
    assert fake.commands == []
