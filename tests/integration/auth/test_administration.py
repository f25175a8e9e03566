"""The commands for administrators and accounts: they act on a running auth, and are audited."""

import asyncio
import os
import re
from typing import Any

import pytest

from embedded.ports import HOST, free_ports
from operations.__main__ import main
from services.auth.settings import AuthSettings
from services.auth.stores.revocations import MongoRevocations
from shared.contracts.revocations import SessionRevoked, UserRevoked
from shared.runtime import exit_codes
from tests.support.auth_service import EMAIL, PASSWORD, PEPPER, Auth

BOB = "bob@example.com"
LOGGED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[")
"""A line of the log: in this process it is not configured, and goes to the standard output."""


class Operator:
    """Runs commands with the settings of auth."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    async def run(self, *arguments: str) -> tuple[int, str]:
        """The exit code, and what the command printed for the operator."""
        self._capsys.readouterr()
        code = await asyncio.to_thread(main, arguments)
        output = self._capsys.readouterr()
        lines = (output.out if code == exit_codes.OK else output.err).splitlines(keepends=True)
        return code, "".join(line for line in lines if not LOGGED.match(line))

    async def succeed(self, *arguments: str) -> str:
        code, output = await self.run(*arguments)
        assert code == exit_codes.OK, output
        return output


@pytest.fixture
def operator(
    auth: Auth,
    settings: AuthSettings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Operator:
    variables = {
        "TRADEDAD_AUTH_KEYS_DIR": str(settings.keys_dir),
        "TRADEDAD_AUTH_PEPPER": PEPPER,
        "TRADEDAD_AUTH_NATS_PASSWORD": "test-password",
        "TRADEDAD_MONGO_URL": settings.mongo.url.get_secret_value(),
        "TRADEDAD_MONGO_DATABASE": settings.mongo.database,
        "TRADEDAD_MONGO_TIMEOUT_MS": str(settings.mongo.timeout_ms),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Operator(capsys)


@pytest.fixture
async def bob(auth: Auth) -> dict[str, Any]:
    """The reply to the login of Bob."""
    await auth.signup(BOB, PASSWORD)
    body: dict[str, Any] = (await auth.login(BOB, PASSWORD)).body
    return body


async def revoked_ids(auth: Auth) -> set[str]:
    """Sessions and users whose revocation waits for the auth service to publish it."""
    sessions = await auth.mongo.db["sessions"].find({"announced": False}).to_list()
    users = await auth.mongo.db["users"].find({"announced": False}).to_list()
    return {document["_id"] for document in (*sessions, *users)}


async def test_the_first_administrator_is_made_and_listed(
    auth: Auth, operator: Operator, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    assert await operator.succeed("admins", "list") == ""
    granted = await operator.succeed("admins", "grant", "Ann@Example.com")
    assert granted == f"{EMAIL} is an administrator now\n"
    (line,) = (await operator.succeed("admins", "list")).splitlines()
    assert line.split("\t")[:2] == [EMAIL, ann["user_id"]]
    assert (await auth.get("/auth/admin/users", ann["access_token"])).status == 200
    (entry,) = await auth.audit(event="admin_granted")
    assert (entry["user_id"], entry["address"]) == (ann["user_id"], "local")
    assert entry["user_agent"] == f"operations, uid {os.getuid()}"


async def test_an_administrator_whose_role_is_taken_back_has_no_session_with_it(
    auth: Auth, operator: Operator, ann: dict[str, Any]
) -> None:
    await operator.succeed("admins", "grant", ann["user_id"])
    output = await operator.succeed("admins", "revoke", EMAIL)
    assert "sessions ended: 1" in output
    assert await operator.succeed("admins", "list") == ""
    assert (await auth.refresh(ann["refresh_token"])).status == 401
    assert len(await revoked_ids(auth)) == 1
    assert await auth.events(user_id=ann["user_id"]) == [
        "signup", "login", "admin_granted", "admin_revoked", "user_revoked",
    ]  # fmt: skip
    again = (await auth.login(EMAIL, PASSWORD)).body
    assert (await auth.get("/auth/admin/users", again["access_token"])).status == 403


async def test_a_disabled_user_has_no_access_until_enabled(
    auth: Auth, operator: Operator, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    output = await operator.succeed("users", "disable", BOB)
    assert "sessions ended: 1" in output
    assert (await auth.me(bob["access_token"])).body["code"] == "revoked"
    assert (await auth.login(BOB, PASSWORD)).body["code"] == "account_disabled"
    assert bob["user_id"] in await revoked_ids(auth), "no token of the user is accepted any more"
    lines = (await operator.succeed("users", "list")).splitlines()
    states = [line.split("\t")[2].split()[0] for line in lines]
    assert states == ["enabled", "disabled"]
    await operator.succeed("users", "enable", bob["user_id"])
    assert (await auth.login(BOB, PASSWORD)).status == 200
    events = await auth.events(user_id=bob["user_id"])
    assert events[2:4] == ["user_disabled", "login_disabled"]
    assert "user_enabled" in events
    assert (await auth.me(ann["access_token"])).status == 200


async def test_what_a_command_has_ended_waits_for_the_service_to_publish_it(
    auth: Auth, operator: Operator, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    await operator.succeed("users", "end-sessions", EMAIL)
    await operator.succeed("users", "disable", BOB)
    waiting = await MongoRevocations(auth.mongo.db, retention_secs=600).unpublished()
    kinds = {type(revocation) for revocation in waiting}
    assert kinds == {SessionRevoked, UserRevoked}


async def test_the_sessions_of_one_user_or_of_all_are_ended(
    auth: Auth, operator: Operator, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    assert "sessions ended: 1" in await operator.succeed("users", "end-sessions", BOB)
    assert (await auth.me(bob["access_token"])).body["code"] == "revoked"
    assert (await auth.me(ann["access_token"])).status == 200
    await auth.login(BOB, PASSWORD)
    output = await operator.succeed("users", "end-sessions", "--all")
    assert "2 accounts: sessions ended: 2" in output
    assert (await auth.me(ann["access_token"])).body["code"] == "revoked"


async def test_accounts_are_listed_by_address_and_without_secrets(
    auth: Auth, operator: Operator, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    output = await operator.succeed("users", "list")
    assert [line.split("\t")[0] for line in output.splitlines()] == [EMAIL, BOB]
    assert "v1$" not in output
    limited = await operator.succeed("users", "list", "--limit", "1")
    assert [line.split("\t")[0] for line in limited.splitlines()] == [EMAIL]
    later = await operator.succeed("users", "list", "--after", EMAIL)
    assert [line.split("\t")[0] for line in later.splitlines()] == [BOB]


async def test_an_unknown_account_is_an_error_that_names_it(auth: Auth, operator: Operator) -> None:
    for command in (["admins", "grant"], ["admins", "revoke"], ["users", "disable"],
                    ["users", "enable"], ["users", "end-sessions"]):  # fmt: skip
        code, error = await operator.run(*command, "nobody@example.com")
        assert code == exit_codes.FAILED
        assert "there is no account nobody@example.com" in error
    assert await auth.audit() == []


async def test_a_database_that_is_away_is_named_with_its_setting(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    (port,) = free_ports(1)
    monkeypatch.setenv("TRADEDAD_MONGO_URL", f"mongodb://{HOST}:{port}/?replicaSet=none")
    monkeypatch.setenv("TRADEDAD_MONGO_TIMEOUT_MS", "200")
    code, error = await operator.run("admins", "list")
    assert code == exit_codes.TEMPFAIL
    assert f"{HOST}:{port}: connection refused (TRADEDAD_MONGO_URL)" in error
