"""Signup and login over real HTTP and MongoDB."""

import asyncio
import threading
from datetime import datetime

import pytest
from zxcvbn_rs_py import Entropy, zxcvbn

from services.auth.core import password_policy
from services.auth.settings import AuthSettings
from services.auth.signing.keyring import Key
from shared.errors import Unauthenticated
from shared.runtime.clock import SystemClock
from shared.web.key_set import KeySet
from shared.web.verifier import TokenVerifier
from tests.support.auth_service import EMAIL, PASSWORD, Auth


async def test_a_new_user_signs_up_logs_in_and_reads_the_own_account(auth: Auth) -> None:
    signup = await auth.signup(EMAIL, PASSWORD)
    assert signup.status == 201
    assert sorted(signup.body) == ["created_at", "email", "roles", "user_id"]
    assert datetime.fromisoformat(signup.body["created_at"]).utcoffset() is not None
    login = await auth.login(EMAIL, PASSWORD)
    assert login.status == 200
    assert login.headers["Cache-Control"] == "no-store"
    assert login.body["token_type"] == "Bearer"
    assert login.body["expires_in"] == 600
    assert login.body["user_id"] == signup.body["user_id"]
    me = await auth.me(login.body["access_token"])
    assert (me.status, me.body) == (200, signup.body)


async def test_other_services_can_verify_the_token_with_the_published_keys(
    auth: Auth, settings: AuthSettings
) -> None:
    await auth.signup(EMAIL, PASSWORD)
    login = (await auth.login(EMAIL, PASSWORD)).body
    keys = KeySet(auth.http, f"{auth.url}/.well-known/jwks.json", SystemClock())
    principal = await TokenVerifier(keys, settings.tokens, SystemClock()).verify(
        login["access_token"]
    )
    assert principal.user_id == login["user_id"]
    assert principal.session_id == login["session_id"]
    assert principal.roles == frozenset()


async def test_an_email_address_is_one_account_in_upper_and_lower_case(auth: Auth) -> None:
    await auth.signup("Ann@Example.com", PASSWORD)
    taken = await auth.signup("ANN@example.com", "another long password")
    assert (taken.status, taken.body["code"]) == (409, "email_taken")
    assert (await auth.login("aNN@eXample.com", PASSWORD)).status == 200


async def test_one_of_twenty_concurrent_signups_with_the_same_address_succeeds(auth: Auth) -> None:
    replies = await asyncio.gather(*(auth.signup(EMAIL, f"{PASSWORD} {i}") for i in range(20)))
    assert sorted(reply.status for reply in replies) == [201] + [409] * 19
    winner = next(i for i, reply in enumerate(replies) if reply.status == 201)
    assert (await auth.login(EMAIL, f"{PASSWORD} {winner}")).status == 200
    assert await auth.mongo.db["users"].count_documents({}) == 1


async def test_a_wrong_password_and_an_unknown_user_get_the_same_reply(auth: Auth) -> None:
    await auth.signup(EMAIL, PASSWORD)
    wrong = await auth.login(EMAIL, "not the right password")
    unknown = await auth.login("nobody@example.com", PASSWORD)
    assert (wrong.status, wrong.body["code"]) == (401, "bad_credentials")
    assert (unknown.status, unknown.text) == (wrong.status, wrong.text)
    assert await auth.mongo.db["sessions"].count_documents({}) == 0


@pytest.mark.parametrize(
    "password",
    [
        "Seventy-three bytes of quite ordinary text, neither more nor less, I hope",
        "übermäßig gewöhnliche Wörter für ein sehr öffentliches Gänseblümchen",
        "🔑🐴🔋📎🎈🌵🧦🪐🥁🛶🧩🦔🍋🪁🧲🐙🎺🌋🥾",
    ],
    ids=["73 bytes", "umlauts", "emoji"],
)
async def test_every_byte_of_a_password_longer_than_bcrypts_limit_counts(
    auth: Auth, password: str
) -> None:
    assert len(password.encode()) >= 73
    assert (await auth.signup(EMAIL, password)).status == 201
    assert (await auth.login(EMAIL, password)).status == 200
    assert (await auth.login(EMAIL, password[:-1] + "!")).status == 401


@pytest.mark.parametrize(
    "password",
    ["", "short", "x\0" * 20, "long " * 3_000],
    ids=["empty", "short", "NUL", "15000 bytes"],
)
async def test_a_login_with_an_impossible_password_is_a_wrong_password(
    auth: Auth, password: str
) -> None:
    await auth.signup(EMAIL, PASSWORD)
    reply = await auth.login(EMAIL, password)
    assert (reply.status, reply.body["code"]) == (401, "bad_credentials")


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ("", 400, "bad_message", None),
        ("{", 400, "bad_message", None),
        ('{"email":"ann@example.com","password":"\\ud800"}', 400, "bad_message", None),
        ("[]", 422, "invalid_field", "body"),
        ("{}", 422, "invalid_field", "email"),
        ('{"email":"ann@example.com"}', 422, "invalid_field", "password"),
        ('{"email":"ann@example.com","password":7}', 422, "invalid_field", "password"),
        ('{"email":"ann","password":"correct horse battery"}', 422, "invalid_field", "email"),
        ('{"email":null,"password":"correct horse battery"}', 422, "invalid_field", "email"),
        ('{"email":"ann@example.com","password":"short"}', 422, "invalid_field", "password"),
        (
            '{"email":"ann@example.com","password":"\\u0000 long enough otherwise"}',
            422,
            "invalid_field",
            "password",
        ),
        (
            '{"email":"ann@example.com","password":"my tradedad password"}',
            422,
            "invalid_field",
            "password",
        ),
        (
            '{"email":"ann@example.com","password":"correct horse battery","admin":true}',
            422,
            "invalid_field",
            "admin",
        ),
    ],
)
async def test_an_invalid_signup_names_the_field_and_the_rule(
    auth: Auth, body: str, status: int, code: str, field: str | None
) -> None:
    reply = await auth.request("POST", "/auth/signup", data=body)
    assert (reply.status, reply.body["code"]) == (status, code)
    assert reply.body.get("field") == field
    assert reply.headers["Content-Type"].startswith("application/problem+json")
    assert field is None or reply.body["detail"].startswith(f"{field}: ")
    assert await auth.mongo.db["users"].count_documents({}) == 0


async def test_new_passwords_are_judged_on_the_threads_of_the_hashes(
    auth: Auth, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []

    def record(text: str, user_inputs: list[str]) -> Entropy:
        threads.append(threading.current_thread().name)
        return zxcvbn(text, user_inputs)

    monkeypatch.setattr(password_policy, "zxcvbn", record)
    await auth.signup(EMAIL, PASSWORD)
    login = (await auth.login(EMAIL, PASSWORD)).body
    change = {"current_password": PASSWORD, "new_password": "another long password"}
    assert (await auth.post("/auth/password", change, login["access_token"])).status == 200
    assert [name.startswith("bcrypt") for name in threads] == [True, True]


async def test_a_body_above_16_kib_is_too_large(auth: Auth) -> None:
    reply = await auth.signup(EMAIL, "x" * 16 * 1024)
    assert (reply.status, reply.body["code"]) == (413, "too_large")


async def test_only_public_keys_are_published(auth: Auth, key: Key) -> None:
    reply = await auth.request("GET", "/.well-known/jwks.json")
    assert [jwk["kid"] for jwk in reply.body["keys"]] == [key.kid]
    assert "d" not in reply.body["keys"][0]
    with pytest.raises(Unauthenticated):
        await KeySet(auth.http, f"{auth.url}/.well-known/jwks.json", SystemClock()).find("other")
