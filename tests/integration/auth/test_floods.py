"""Floods of attempts: they wait, and nobody is locked out of their account."""

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
    """Everybody comes through a proxy, so that a test can come from anywhere."""
    return settings.model_copy(
        update={
            "trusted_proxies": frozenset([ip_network("127.0.0.0/8")]),
            "free_account_attempts": 5,
            "free_address_attempts": 8,
            "free_signups": 4,
            "delay_base_secs": 30.0,
        }
    )


async def log_in(auth: Auth, password: str, address: str, email: str = EMAIL, **more: Any) -> int:
    answer = await auth.ask(
        "POST",
        "/auth/login",
        json={"email": email, "password": password} | more,
        headers={"X-Forwarded-For": address},
    )
    if answer.status == 429:
        assert answer.body["code"] == "too_many_attempts"
        assert 1 <= int(answer.headers["Retry-After"]) <= 120
    return answer.status


def hashes() -> float:
    return REGISTRY.get_sample_value("tradedad_auth_hash_seconds_count") or 0.0


async def test_guesses_at_one_account_from_everywhere_must_wait(
    auth: Auth, ann: dict[str, Any]
) -> None:
    before = hashes()
    statuses = await asyncio.gather(
        *(log_in(auth, WRONG, f"198.51.100.{number}") for number in range(60))
    )
    assert sorted(set(statuses)) == [401, 429]
    assert statuses.count(401) <= 7
    assert hashes() - before <= 7, "what must wait costs no hash"
    assert await log_in(auth, PASSWORD, "203.0.113.1") == 429


async def test_the_owner_comes_in_during_the_attack(auth: Auth, ann: dict[str, Any]) -> None:
    for number in range(10):
        await log_in(auth, WRONG, f"198.51.100.{number}")
    assert await log_in(auth, PASSWORD, "203.0.113.1", device_token=ann["device_token"]) == 200
    assert (await auth.refresh(ann["refresh_token"])).status == 200


async def test_a_flood_on_one_account_makes_no_other_account_wait(
    auth: Auth, ann: dict[str, Any]
) -> None:
    await auth.signup("bob@example.com", PASSWORD)
    for number in range(10):
        await log_in(auth, WRONG, f"198.51.100.{number}")
    assert await log_in(auth, PASSWORD, "203.0.113.1", "bob@example.com") == 200


async def test_an_account_that_is_not_there_waits_just_the_same(auth: Auth) -> None:
    statuses = [
        await log_in(auth, WRONG, f"198.51.100.{number}", "nobody@example.com")
        for number in range(8)
    ]
    assert statuses == [401] * 6 + [429] * 2


async def test_one_address_that_tries_many_accounts_must_wait_and_no_other(
    auth: Auth, ann: dict[str, Any]
) -> None:
    attacker = "198.51.100.7"
    statuses = [
        await log_in(auth, WRONG, attacker, f"{number}@example.com") for number in range(12)
    ]
    assert statuses == [401] * 9 + [429] * 3
    assert await log_in(auth, PASSWORD, attacker) == 429
    assert await log_in(auth, PASSWORD, "203.0.113.1") == 200


async def test_all_addresses_of_one_ipv6_network_count_as_one(
    auth: Auth, ann: dict[str, Any]
) -> None:
    statuses = [
        await log_in(auth, WRONG, f"2001:db8:1:2::{number:x}", f"{number}@example.com")
        for number in range(12)
    ]
    assert statuses[-1] == 429
    assert await log_in(auth, PASSWORD, "2001:db8:1:3::1") == 200


async def test_a_made_up_forwarded_address_is_not_believed(settings: AuthSettings) -> None:
    direct = settings.model_copy(update={"trusted_proxies": frozenset()})
    async with running_auth(direct) as auth:
        statuses = [
            await log_in(auth, WRONG, f"198.51.100.{number}", f"{number}@example.com")
            for number in range(12)
        ]
    assert statuses == [401] * 9 + [429] * 3


async def test_one_address_opens_no_accounts_without_end(auth: Auth) -> None:
    answers = [
        await auth.ask(
            "POST",
            "/auth/signup",
            json={"email": f"{number}@example.com", "password": PASSWORD},
            headers={"X-Forwarded-For": "198.51.100.7"},
        )
        for number in range(7)
    ]
    assert [answer.status for answer in answers] == [201] * 5 + [429] * 2


async def test_replicas_count_together(auth: Auth, settings: AuthSettings, ann: Any) -> None:
    async with running_auth(settings) as other:
        statuses = [
            await log_in(one, WRONG, f"198.51.100.{number}")
            for number, one in enumerate((auth, other) * 5)
        ]
    assert statuses == [401] * 6 + [429] * 4


async def test_a_password_in_a_stolen_session_cannot_be_guessed_without_end(
    auth: Auth, ann: dict[str, Any]
) -> None:
    body = {"current_password": WRONG, "new_password": "another long password"}
    answers = [await auth.post("/auth/password", body, ann["access_token"]) for _ in range(8)]
    assert [answer.status for answer in answers] == [401] * 6 + [429] * 2


async def test_more_hashes_than_can_wait_are_told_to_come_back(settings: AuthSettings) -> None:
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
        answers = await asyncio.gather(
            *(auth.login(f"{number}@example.com", WRONG) for number in range(12))
        )
    refused = [answer for answer in answers if answer.status == 503]
    assert {answer.status for answer in answers} == {401, 503}
    assert {answer.body["code"] for answer in refused} == {"overloaded"}
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
