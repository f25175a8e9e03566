"""Sessions over real HTTP and MongoDB: refresh, theft, termination and listing."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from yarl import URL

from services.auth.settings import AuthSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth, running_auth

Body = dict[str, Any]
NEW = "another long password"


async def age(auth: Auth, **fields: timedelta) -> None:
    """Move times of all sessions into the past."""
    for name, by in fields.items():
        moved = {"$subtract": [f"${name}", int(by.total_seconds() * 1_000)]}
        await auth.mongo.db["sessions"].update_many({}, [{"$set": {name: moved}}])


async def test_a_refresh_token_is_replaced_by_its_successor(auth: Auth, ann: Body) -> None:
    refreshed = await auth.refresh(ann["refresh_token"])
    assert refreshed.status == 200
    assert refreshed.headers["Cache-Control"] == "no-store"
    assert refreshed.body["refresh_token"] != ann["refresh_token"]
    assert refreshed.body["session_id"] == ann["session_id"]
    assert (await auth.me(refreshed.body["access_token"])).status == 200
    assert (await auth.refresh(refreshed.body["refresh_token"])).status == 200


async def test_fifty_concurrent_refreshes_rotate_once_and_get_the_same_successor(
    auth: Auth, ann: Body
) -> None:
    replies = await asyncio.gather(*(auth.refresh(ann["refresh_token"]) for _ in range(50)))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body["refresh_token"] for reply in replies}) == 1
    session = await auth.mongo.db["sessions"].find_one({"_id": ann["session_id"]})
    assert session is not None
    assert session["rotations"] == 1
    assert (await auth.refresh(replies[0].body["refresh_token"])).status == 200


async def test_a_refresh_that_is_repeated_after_a_lost_reply_keeps_the_session(
    auth: Auth, ann: Body
) -> None:
    lost = await auth.refresh(ann["refresh_token"])
    again = await auth.refresh(ann["refresh_token"])
    assert again.body["refresh_token"] == lost.body["refresh_token"]


async def test_the_reuse_of_a_refresh_token_ends_the_session_of_thief_and_owner(
    auth: Auth, settings: AuthSettings, ann: Body
) -> None:
    thief = (await auth.refresh(ann["refresh_token"])).body
    await age(auth, seen_at=timedelta(seconds=settings.refresh_grace_secs + 1))
    owner = await auth.refresh(ann["refresh_token"])
    assert (owner.status, owner.body["code"]) == (401, "revoked")
    assert (await auth.refresh(thief["refresh_token"])).status == 401
    for token in (ann["access_token"], thief["access_token"]):
        assert (await auth.me(token)).body["code"] == "revoked"
    assert (await auth.events())[-1] == "refresh_reused"


async def test_a_session_that_another_replica_ended_has_ended_here_too(
    auth: Auth, settings: AuthSettings, ann: Body
) -> None:
    async with running_auth(settings) as other:
        assert (await other.post("/auth/logout", token=ann["access_token"])).status == 204
    assert (await auth.me(ann["access_token"])).body["code"] == "revoked"
    assert (await auth.refresh(ann["refresh_token"])).status == 401


async def test_two_replicas_agree_on_the_first_refresh(
    auth: Auth, settings: AuthSettings, ann: Body
) -> None:
    async with running_auth(settings) as other:
        replies = await asyncio.gather(
            *(replica.refresh(ann["refresh_token"]) for replica in (auth, other) * 10)
        )
        assert {reply.status for reply in replies} == {200}
        assert len({reply.body["refresh_token"] for reply in replies}) == 1
        for replica in (auth, other):
            assert (await replica.me(replies[0].body["access_token"])).status == 200


async def test_an_idle_session_and_an_old_session_have_ended(auth: Auth, ann: Body) -> None:
    await age(auth, expires_at=timedelta(days=7))
    assert (await auth.refresh(ann["refresh_token"])).status == 401
    assert (await auth.me(ann["access_token"])).status == 401
    busy = (await auth.login(EMAIL, PASSWORD)).body
    await age(auth, ends_at=timedelta(days=30), expires_at=timedelta(days=6, hours=23))
    await auth.refresh(busy["refresh_token"])
    ends_at = datetime.fromisoformat(busy["session_ends_at"])
    assert ends_at > datetime.now(UTC) + timedelta(days=29)
    session = await auth.mongo.db["sessions"].find_one({"_id": busy["session_id"]})
    assert session is not None
    assert session["expires_at"] == session["ends_at"] < ends_at


async def test_a_malformed_refresh_token_is_refused_and_ends_no_session(
    auth: Auth, ann: Body
) -> None:
    session_id, family, secret = ann["refresh_token"].split(".")
    for token in (
        "",
        "x",
        "a.b.c",
        f"{session_id}.{family}",
        f"{session_id}.{secret}.{secret}",
        f"{session_id}.{secret}.{family}",
        f"{'0' * 32}.{family}.{secret}",
        "ü.ü.ü",
        "x" * 5_000,
    ):
        reply = await auth.refresh(token)
        assert (reply.status, reply.body["code"]) == (401, "unauthenticated")
    assert (await auth.post("/auth/refresh")).body["code"] == "unauthenticated"
    assert (await auth.post("/auth/refresh", {"token": "x"})).body["field"] == "token"
    assert (await auth.refresh(ann["refresh_token"])).status == 200


async def test_a_logout_with_either_token_ends_the_session(auth: Auth, ann: Body) -> None:
    other = (await auth.login(EMAIL, PASSWORD)).body
    assert (await auth.post("/auth/logout", token=ann["access_token"])).status == 204
    assert (await auth.me(ann["access_token"])).body["code"] == "revoked"
    by_refresh = {"refresh_token": other["refresh_token"]}
    assert (await auth.post("/auth/logout", by_refresh)).status == 204
    assert (await auth.post("/auth/logout", by_refresh)).status == 204
    assert (await auth.me(other["access_token"])).body["code"] == "revoked"
    assert (await auth.post("/auth/logout")).status == 401


async def test_a_logout_with_a_replaced_refresh_token_ends_the_session(
    auth: Auth, ann: Body
) -> None:
    newest = (await auth.refresh(ann["refresh_token"])).body
    by_replaced = {"refresh_token": ann["refresh_token"]}
    assert (await auth.post("/auth/logout", by_replaced)).status == 204
    assert (await auth.me(newest["access_token"])).body["code"] == "revoked"
    assert (await auth.refresh(newest["refresh_token"])).status == 401


async def test_a_logout_with_a_guessed_refresh_token_ends_no_session(auth: Auth, ann: Body) -> None:
    session_id, _, secret = ann["refresh_token"].split(".")
    guess = {"refresh_token": f"{session_id}.{secret}.{secret}"}
    assert (await auth.post("/auth/logout", guess)).status == 204
    assert (await auth.me(ann["access_token"])).status == 200


async def test_logout_all_ends_all_sessions_of_this_user_only(auth: Auth, ann: Body) -> None:
    await auth.signup("bob@example.com", PASSWORD)
    bob = (await auth.login("bob@example.com", PASSWORD)).body
    other = (await auth.login(EMAIL, PASSWORD)).body
    reply = await auth.post("/auth/logout-all", token=ann["access_token"])
    assert (reply.status, reply.body) == (200, {"sessions_ended": 2})
    for body in (ann, other):
        assert (await auth.me(body["access_token"])).body["code"] == "revoked"
        assert (await auth.refresh(body["refresh_token"])).status == 401
    assert (await auth.me(bob["access_token"])).status == 200
    assert (await auth.login(EMAIL, PASSWORD)).status == 200


async def test_sessions_are_listed_with_their_origin_and_without_secrets(
    auth: Auth, ann: Body
) -> None:
    await auth.request(
        "POST",
        "/auth/login",
        json={"email": EMAIL, "password": PASSWORD},
        headers={"User-Agent": "a browser " * 40},
    )
    reply = await auth.get("/auth/sessions", ann["access_token"])
    newest, first = reply.body["sessions"]
    assert (first["session_id"], first["current"]) == (ann["session_id"], True)
    assert not newest["current"]
    assert newest["address"] == "127.0.0.1"
    assert newest["user_agent"] == "a browser " * 20
    assert sorted(newest) == [
        "address", "created_at", "current", "ends_at", "expires_at", "seen_at", "session_id",
        "user_agent",
    ]  # fmt: skip


async def test_a_user_agent_that_is_not_text_is_accepted(auth: Auth, ann: Body) -> None:
    url = URL(auth.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    body = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
    head = b"POST /auth/login HTTP/1.1\r\nHost: x\r\nUser-Agent: \xff\xfe\x80\r\n"
    writer.write(head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
    response = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert response.startswith(b"HTTP/1.1 200 ")
    (newest, _) = (await auth.get("/auth/sessions", ann["access_token"])).body["sessions"]
    assert newest["user_agent"] == "???"


async def test_ending_another_session_requires_a_recent_password(auth: Auth, ann: Body) -> None:
    other = (await auth.login(EMAIL, PASSWORD)).body
    path = f"/auth/sessions/{other['session_id']}"
    token = ann["access_token"]
    await age(auth, authenticated_at=timedelta(minutes=16))

    async def end() -> tuple[int, Any]:
        reply = await auth.request("DELETE", path, headers={"Authorization": f"Bearer {token}"})
        return reply.status, reply.body and reply.body["code"]

    assert await end() == (403, "reauthentication_required")
    wrong = await auth.post("/auth/reauthenticate", {"password": "wrong"}, token)
    assert (wrong.status, wrong.body["code"]) == (401, "bad_credentials")
    assert (await auth.post("/auth/reauthenticate", {"password": PASSWORD}, token)).status == 204
    assert await end() == (204, None)
    assert await end() == (404, "not_found")
    assert (await auth.me(other["access_token"])).body["code"] == "revoked"
    assert (await auth.me(token)).status == 200


async def test_a_user_cannot_end_or_list_the_sessions_of_another_user(
    auth: Auth, ann: Body
) -> None:
    await auth.signup("bob@example.com", PASSWORD)
    bob = (await auth.login("bob@example.com", PASSWORD)).body
    for session_id in (ann["session_id"], "no-such-session", "%00", "\ud800"):
        reply = await auth.request(
            "DELETE",
            f"/auth/sessions/{session_id.encode(errors='replace').decode()}",
            headers={"Authorization": f"Bearer {bob['access_token']}"},
        )
        assert (reply.status, reply.body["code"]) == (404, "not_found")
    assert (await auth.me(ann["access_token"])).status == 200
    listed = (await auth.get("/auth/sessions", bob["access_token"])).body["sessions"]
    assert [session["session_id"] for session in listed] == [bob["session_id"]]


async def test_a_new_password_ends_the_other_sessions_and_replaces_the_old_password(
    auth: Auth, ann: Body
) -> None:
    other = (await auth.login(EMAIL, PASSWORD)).body
    body = {"current_password": "wrong", "new_password": NEW}
    reply = await auth.post("/auth/password", body, ann["access_token"])
    assert (reply.status, reply.body["code"]) == (401, "bad_credentials")
    body["current_password"] = PASSWORD
    reply = await auth.post("/auth/password", body, ann["access_token"])
    assert (reply.status, reply.body) == (200, {"sessions_ended": 1})
    assert (await auth.me(other["access_token"])).body["code"] == "revoked"
    assert (await auth.refresh(other["refresh_token"])).status == 401
    assert (await auth.me(ann["access_token"])).status == 200
    assert (await auth.refresh(ann["refresh_token"])).status == 200
    assert (await auth.login(EMAIL, PASSWORD)).status == 401
    assert (await auth.login(EMAIL, NEW)).status == 200


async def test_a_new_password_must_follow_the_policy(auth: Auth, ann: Body) -> None:
    for new in ("short", "passwordpassword1", "my tradedad password", PASSWORD):
        reply = await auth.post(
            "/auth/password",
            {"current_password": PASSWORD, "new_password": new},
            ann["access_token"],
        )
        assert (reply.status, reply.body["field"]) == (422, "new_password")


async def test_one_of_two_concurrent_password_changes_succeeds(auth: Auth, ann: Body) -> None:
    other = (await auth.login(EMAIL, PASSWORD)).body
    changes = [(ann, "a first new password"), (other, "a second new password")]
    replies = await asyncio.gather(
        *(
            auth.post(
                "/auth/password",
                {"current_password": PASSWORD, "new_password": new},
                body["access_token"],
            )
            for body, new in changes
        )
    )
    assert sorted(reply.status for reply in replies) == [200, 401]
    logins = [await auth.login(EMAIL, new) for _, new in changes]
    assert sorted(login.status for login in logins) == [200, 401]


async def test_sessions_of_a_user_are_limited(auth: Auth, settings: AuthSettings) -> None:
    few = settings.model_copy(update={"max_sessions_per_user": 3})
    async with running_auth(few) as auth:
        await auth.signup(EMAIL, PASSWORD)
        bodies = [(await auth.login(EMAIL, PASSWORD)).body for _ in range(5)]
        replies = [await auth.me(body["access_token"]) for body in bodies]
        assert [reply.status for reply in replies] == [401, 401, 200, 200, 200]
