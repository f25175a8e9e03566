"""Floods of attempts are delayed, and no user is locked out of an account."""

import asyncio
from ipaddress import ip_network
from typing import Any

import pytest
from prometheus_client import REGISTRY

from services.auth.settings import AuthSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth, running_auth

WRONG = "not the right password"


@pytest.fixture
def settings(settings: AuthSettings) -> AuthSettings:
    """All requests come through a proxy, so that a test can use any address."""
    return settings.model_copy(
        update={
            "trusted_proxies": frozenset([ip_network("127.0.0.0/8")]),
            "free_account_attempts": 5,
            "free_address_attempts": 8,
            "free_signups": 4,
        }
    )


async def log_in(auth: Auth, password: str, address: str, email: str = EMAIL, **more: Any) -> int:
    reply = await auth.request(
        "POST",
        "/auth/login",
        json={"email": email, "password": password} | more,
        headers={"X-Forwarded-For": address},
    )
    if reply.status == 429:
        assert reply.body["code"] == "too_many_attempts"
        assert 1 <= int(reply.headers["Retry-After"]) <= 120
    return reply.status


def hashes() -> float:
    return REGISTRY.get_sample_value("tradedad_auth_password_hash_seconds_count") or 0.0


async def test_guesses_at_one_account_from_many_addresses_are_delayed(
    auth: Auth, ann: dict[str, Any]
) -> None:
    before = hashes()
    statuses = await asyncio.gather(
        *(log_in(auth, WRONG, f"198.51.100.{number}") for number in range(60))
    )
    assert sorted(set(statuses)) == [401, 429]
    assert statuses.count(401) <= 7
    assert hashes() - before <= 7, "a delayed attempt was hashed"
    assert await log_in(auth, PASSWORD, "203.0.113.1") == 429


async def test_the_owner_can_log_in_during_an_attack(auth: Auth, ann: dict[str, Any]) -> None:
    for number in range(10):
        await log_in(auth, WRONG, f"198.51.100.{number}")
    assert await log_in(auth, PASSWORD, "203.0.113.1", device_token=ann["device_token"]) == 200
    assert (await auth.refresh(ann["refresh_token"])).status == 200


async def test_a_flood_on_one_account_does_not_delay_another_account(
    auth: Auth, ann: dict[str, Any]
) -> None:
    await auth.signup("bob@example.com", PASSWORD)
    for number in range(10):
        await log_in(auth, WRONG, f"198.51.100.{number}")
    assert await log_in(auth, PASSWORD, "203.0.113.1", "bob@example.com") == 200


async def test_attempts_at_an_unknown_account_are_delayed_too(auth: Auth) -> None:
    statuses = [
        await log_in(auth, WRONG, f"198.51.100.{number}", "nobody@example.com")
        for number in range(8)
    ]
    assert statuses == [401] * 6 + [429] * 2


async def test_an_address_that_tries_many_accounts_is_delayed_and_no_other_address(
    auth: Auth, ann: dict[str, Any]
) -> None:
    attacker = "198.51.100.7"
    statuses = [
        await log_in(auth, WRONG, attacker, f"{number}@example.com") for number in range(12)
    ]
    assert statuses == [401] * 9 + [429] * 3
    assert await log_in(auth, PASSWORD, attacker) == 429
    assert await log_in(auth, PASSWORD, "203.0.113.1") == 200


async def test_addresses_of_one_ipv6_network_count_as_one(auth: Auth, ann: dict[str, Any]) -> None:
    statuses = [
        await log_in(auth, WRONG, f"2001:db8:1:2::{number:x}", f"{number}@example.com")
        for number in range(12)
    ]
    assert statuses[-1] == 429
    assert await log_in(auth, PASSWORD, "2001:db8:1:3::1") == 200


async def test_a_forged_forwarded_address_is_ignored(settings: AuthSettings) -> None:
    direct = settings.model_copy(update={"trusted_proxies": frozenset()})
    async with running_auth(direct) as auth:
        statuses = [
            await log_in(auth, WRONG, f"198.51.100.{number}", f"{number}@example.com")
            for number in range(12)
        ]
    assert statuses == [401] * 9 + [429] * 3


async def test_signups_of_one_address_are_limited(auth: Auth) -> None:
    replies = [
        await auth.request(
            "POST",
            "/auth/signup",
            json={"email": f"{number}@example.com", "password": PASSWORD},
            headers={"X-Forwarded-For": "198.51.100.7"},
        )
        for number in range(7)
    ]
    assert [reply.status for reply in replies] == [201] * 5 + [429] * 2


async def test_replicas_count_attempts_together(
    auth: Auth, settings: AuthSettings, ann: Any
) -> None:
    async with running_auth(settings) as other:
        statuses = [
            await log_in(replica, WRONG, f"198.51.100.{number}")
            for number, replica in enumerate((auth, other) * 5)
        ]
    assert statuses == [401] * 6 + [429] * 4


async def test_guesses_at_the_password_of_a_stolen_session_are_limited(
    auth: Auth, ann: dict[str, Any]
) -> None:
    body = {"current_password": WRONG, "new_password": "another long password"}
    replies = [await auth.post("/auth/password", body, ann["access_token"]) for _ in range(8)]
    assert [reply.status for reply in replies] == [401] * 6 + [429] * 2


async def test_logins_above_the_hash_queue_are_refused_with_a_time_to_retry(
    settings: AuthSettings,
) -> None:
    narrow = settings.model_copy(
        update={
            "hash_workers": 1,
            "hash_queue": 1,
            "bcrypt_cost": 10,
            "free_account_attempts": 100,
            "free_address_attempts": 100,
        }
    )
    async with running_auth(narrow) as auth:
        replies = await asyncio.gather(
            *(auth.login(f"{number}@example.com", WRONG) for number in range(12))
        )
    refused = [reply for reply in replies if reply.status == 503]
    assert {reply.status for reply in replies} == {401, 503}
    assert {reply.body["code"] for reply in refused} == {"overloaded"}
    assert all(int(reply.headers["Retry-After"]) >= 1 for reply in refused)
