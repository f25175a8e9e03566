"""Administrators, and the command that makes the first one."""

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from services.auth.settings import AuthSettings
from shared.runtime import exit_codes
from tests.support.auth_service import EMAIL, PASSWORD, PEPPER, Auth
from tests.support.patience import PATIENCE_SECS
from tests.support.settings import process_environment

BOB = "bob@example.com"


def command(
    settings: AuthSettings, module: str, *arguments: str
) -> "subprocess.CompletedProcess[str]":
    """Runs a command of auth as an operator does."""
    environ = process_environment() | {
        "TRADEDAD_AUTH_KEYS_DIR": str(settings.keys_dir),
        "TRADEDAD_AUTH_PEPPER": PEPPER,
        "TRADEDAD_AUTH_NATS_PASSWORD": "test-password",
        "TRADEDAD_MONGO_URL": settings.mongo.url.get_secret_value(),
        "TRADEDAD_MONGO_DATABASE": settings.mongo.database,
        "TRADEDAD_LOG_LEVEL": "error",
    }
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        check=False,
    )


@pytest.fixture
async def root(auth: Auth, ann: dict[str, Any]) -> str:
    """The token of Ann, who is an administrator."""
    await auth.mongo.db["users"].update_one({"email": EMAIL}, {"$set": {"roles": ["admin"]}})
    token: str = ann["access_token"]
    return token


@pytest.fixture
async def bob(auth: Auth, root: str) -> dict[str, Any]:
    """The reply to the login of Bob, who is not an administrator."""
    await auth.signup(BOB, PASSWORD)
    body: dict[str, Any] = (await auth.login(BOB, PASSWORD)).body
    return body


async def test_accounts_are_listed_in_pages_without_secrets(
    auth: Auth, root: str, bob: dict[str, Any]
) -> None:
    first = await auth.get("/auth/admin/users?limit=1", root)
    assert [user["email"] for user in first.body["users"]] == [EMAIL]
    assert sorted(first.body["users"][0]) == [
        "created_at", "email", "last_login_at", "roles", "user_id",
    ]  # fmt: skip
    second = await auth.get(f"/auth/admin/users?limit=1&after={first.body['next']}", root)
    assert [user["email"] for user in second.body["users"]] == [BOB]
    assert "next" not in second.body


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "page=1"])
async def test_an_invalid_query_names_the_parameter(auth: Auth, root: str, query: str) -> None:
    reply = await auth.get(f"/auth/admin/users?{query}", root)
    assert (reply.status, reply.body["field"]) == (422, query.partition("=")[0])


async def test_a_disabled_user_has_no_access_until_enabled(
    auth: Auth, root: str, bob: dict[str, Any]
) -> None:
    user = f"/auth/admin/users/{bob['user_id']}"
    reply = await auth.post(f"{user}/disable", token=root)
    assert (reply.status, reply.body) == (200, {"sessions_ended": 1})
    assert (await auth.me(bob["access_token"])).body["code"] == "revoked"
    assert (await auth.refresh(bob["refresh_token"])).status == 401
    assert (await auth.login(BOB, PASSWORD)).body["code"] == "account_disabled"
    assert (await auth.login(BOB, "not the right password")).body["code"] == "bad_credentials"
    listed = (await auth.get("/auth/admin/users", root)).body["users"]
    assert "disabled_at" in listed[1]
    assert (await auth.post(f"{user}/enable", token=root)).status == 204
    assert (await auth.login(BOB, PASSWORD)).status == 200
    entry = (await auth.audit(event="user_disabled"))[0]
    assert (entry["user_id"], "by" in entry) == (bob["user_id"], True)


async def test_an_administrator_ends_all_sessions_of_a_user(
    auth: Auth, root: str, bob: dict[str, Any]
) -> None:
    reply = await auth.post(f"/auth/admin/users/{bob['user_id']}/revoke", token=root)
    assert reply.body == {"sessions_ended": 1}
    assert (await auth.me(bob["access_token"])).body["code"] == "revoked"
    assert (await auth.login(BOB, PASSWORD)).status == 200


async def test_a_user_without_the_role_may_not_administer(
    auth: Auth, root: str, bob: dict[str, Any]
) -> None:
    token = bob["access_token"]
    user = f"/auth/admin/users/{bob['user_id']}"
    replies = [
        await auth.get("/auth/admin/users", token),
        await auth.post(f"{user}/disable", token=token),
        await auth.post(f"{user}/enable", token=token),
        await auth.post(f"{user}/revoke", token=token),
    ]
    assert [(reply.status, reply.body["code"]) for reply in replies] == [(403, "forbidden")] * 4
    assert (await auth.post(f"{user}/disable")).status == 401


async def test_a_removed_role_gives_no_right_any_more(auth: Auth, root: str) -> None:
    await auth.mongo.db["users"].update_one({"email": EMAIL}, {"$set": {"roles": []}})
    assert (await auth.get("/auth/admin/users", root)).status == 403


async def test_an_unknown_user_is_not_found(auth: Auth, root: str) -> None:
    for user_id in ("0" * 32, "nobody", "a.b"):
        for action in ("disable", "enable", "revoke"):
            reply = await auth.post(f"/auth/admin/users/{user_id}/{action}", token=root)
            assert (reply.status, reply.body["code"]) == (404, "not_found")


def test_a_command_makes_the_first_administrator(
    auth: Auth, settings: AuthSettings, ann: dict[str, Any]
) -> None:
    module = "services.auth.grant_admin"
    done = command(settings, module, "Ann@Example.com")
    assert (done.returncode, done.stdout) == (0, f"{EMAIL} is an administrator now\n")
    unknown = command(settings, module, "nobody@example.com")
    assert unknown.returncode == exit_codes.FAILED
    assert "sign up first" in unknown.stderr
    assert command(settings, module, "nonsense").returncode == exit_codes.CONFIG
    assert command(settings, module).returncode == exit_codes.CONFIG


async def test_the_command_grants_the_role_and_writes_to_the_audit_log(
    auth: Auth, settings: AuthSettings, ann: dict[str, Any]
) -> None:
    done = await asyncio.to_thread(command, settings, "services.auth.grant_admin", EMAIL)
    assert done.returncode == 0
    assert (await auth.get("/auth/admin/users", ann["access_token"])).status == 200
    (entry,) = await auth.audit(event="admin_granted")
    assert (entry["user_id"], entry["address"]) == (ann["user_id"], "local")
