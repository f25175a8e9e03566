import asyncio
from datetime import UTC, datetime

import pytest
from pymongo.errors import WriteError

from services.auth.accounts import Session, User
from services.auth.app import assemble
from services.auth.sessions import MongoSessions
from services.auth.settings import AuthSettings
from services.auth.users import MongoUsers
from shared.errors import EmailTaken
from shared.health import Readiness
from tests.integration.auth.conftest import Auth

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANN = User("u1", "ann@example.com", "v1$hash", NOON, ("admin",))


async def test_an_account_comes_back_as_it_went_in(auth: Auth) -> None:
    users = MongoUsers(auth.mongo.db)
    await users.add(ANN)
    assert await users.find("u1") == ANN
    assert await users.find_by_email("ann@example.com") == ANN
    assert await users.find("u2") is None
    assert await users.find_by_email("bob@example.com") is None


async def test_a_second_account_with_an_address_is_refused_by_the_database(auth: Auth) -> None:
    users = MongoUsers(auth.mongo.db)
    await users.add(ANN)
    with pytest.raises(EmailTaken):
        await users.add(User("u2", ANN.email, "v1$other", NOON))


async def test_the_database_refuses_documents_of_another_form(auth: Auth) -> None:
    for collection, document in (
        ("users", {"_id": "u1", "email": "ann@example.com"}),
        (
            "users",
            {
                "_id": "u1",
                "email": "a@b.c",
                "password_hash": "plain",
                "created_at": NOON,
                "roles": [],
            },
        ),
        ("sessions", {"_id": "s1", "user_id": "u1", "created_at": NOON, "expires_at": "later"}),
    ):
        with pytest.raises(WriteError, match="failed validation"):
            await auth.mongo.db[collection].insert_one(document)


async def test_sessions_expire_by_index_and_are_found_by_user(auth: Auth) -> None:
    await MongoSessions(auth.mongo.db).add(Session("s1", "u1", NOON, NOON))
    indexes = await auth.mongo.db["sessions"].index_information()
    assert indexes["expiry"]["expireAfterSeconds"] == 0
    assert indexes["expiry"]["key"] == [("expires_at", 1)]
    assert indexes["user"]["key"] == [("user_id", 1)]


async def test_a_second_start_changes_nothing_but_an_outdated_validator(
    auth: Auth, settings: AuthSettings
) -> None:
    await auth.mongo.db.command("collMod", "users", validator={})
    async with assemble(settings, Readiness("auth")):
        options = await auth.mongo.db["users"].options()
    assert "email" in options["validator"]["$jsonSchema"]["required"]
    assert options["validationAction"] == "error"


async def test_processes_that_start_together_do_not_trip_over_each_other(auth: Auth) -> None:
    await auth.mongo.client.drop_database(auth.mongo.db.name)
    users, sessions = MongoUsers(auth.mongo.db), MongoSessions(auth.mongo.db)
    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(users.prepare())
            group.create_task(sessions.prepare())
    assert (await auth.mongo.db["users"].index_information())["email"]["unique"]
