"""What administrators may do by requests."""

from typing import Any

import pytest

from tests.support.auth_service import EMAIL, PASSWORD, Auth

BOB = "bob@example.com"


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


async def test_accounts_are_searched_by_the_beginning_of_their_address(
    auth: Auth, root: str, bob: dict[str, Any]
) -> None:
    for prefix, found in (
        ("bob@", [BOB]),
        ("BOB", []),
        ("b.b", []),
        ("%00", []),
        ("", [EMAIL, BOB]),
    ):
        reply = await auth.get(f"/auth/admin/users?prefix={prefix}", root)
        assert [user["email"] for user in reply.body["users"]] == found


async def test_the_audit_log_is_read_from_its_newest_entry_in_pages(
    auth: Auth, root: str, bob: dict[str, Any]
) -> None:
    await auth.post(f"/auth/admin/users/{bob['user_id']}/revoke", token=root)
    first = (await auth.get("/auth/admin/audit?limit=2", root)).body
    assert [entry["event"] for entry in first["entries"]] == ["user_revoked", "login"]
    assert first["entries"][0]["user_id"] == bob["user_id"]
    assert "by" in first["entries"][0]
    second = (await auth.get(f"/auth/admin/audit?limit=9&before={first['next']}", root)).body
    assert [entry["event"] for entry in second["entries"]] == ["signup", "login", "signup"]
    assert "next" not in second
    of_bob = await auth.get(f"/auth/admin/audit?user_id={bob['user_id']}", root)
    assert [entry["event"] for entry in of_bob.body["entries"]] == [
        "user_revoked", "login", "signup",
    ]  # fmt: skip
    wrong = await auth.get("/auth/admin/audit?before=x", root)
    assert (wrong.status, wrong.body["field"]) == (422, "before")


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
        await auth.get("/auth/admin/audit", token),
    ]
    assert [(reply.status, reply.body["code"]) for reply in replies] == [(403, "forbidden")] * 5
    assert (await auth.post(f"{user}/disable")).status == 401


async def test_a_removed_role_gives_no_right_any_more(auth: Auth, root: str) -> None:
    await auth.mongo.db["users"].update_one({"email": EMAIL}, {"$set": {"roles": []}})
    assert (await auth.get("/auth/admin/users", root)).status == 403


async def test_an_unknown_user_is_not_found(auth: Auth, root: str) -> None:
    for user_id in ("0" * 32, "nobody", "a.b"):
        for action in ("disable", "enable", "revoke"):
            reply = await auth.post(f"/auth/admin/users/{user_id}/{action}", token=root)
            assert (reply.status, reply.body["code"]) == (404, "not_found")
