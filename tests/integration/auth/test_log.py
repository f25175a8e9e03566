"""Auth logs failed logins and other events of accounts at info, without a secret."""

from ipaddress import ip_network

import pytest
from structlog.testing import capture_logs

from services.auth.settings import AuthSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth

WRONG = "canary-wrong-password-8841"


@pytest.fixture
def settings(settings: AuthSettings) -> AuthSettings:
    """Behind a gateway, and with few free attempts."""
    proxies = frozenset([ip_network("127.0.0.1/32")])
    return settings.model_copy(update={"trusted_proxies": proxies, "free_account_attempts": 2})


async def login(auth: Auth, email: str, password: str) -> int:
    async with auth.http.post(
        f"{auth.url}/auth/login",
        json={"email": email, "password": password},
        headers={"X-Forwarded-For": "192.0.2.9"},
    ) as response:
        return response.status


async def test_a_failed_login_is_logged_with_address_user_and_cause(auth: Auth) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    async with auth.http.post(f"{auth.url}/auth/signup", json=body) as response:
        user_id = (await response.json())["user_id"]
    with capture_logs() as logs:
        assert await login(auth, EMAIL, WRONG) == 401
        assert await login(auth, "nobody@example.com", WRONG) == 401
        assert await login(auth, EMAIL, PASSWORD) == 200
        assert [await login(auth, "other@example.com", WRONG) for _ in range(4)][-1] == 429
    failed = [entry for entry in logs if entry["event"] == "login failed"]
    assert {entry["log_level"] for entry in failed} == {"info"}
    assert {entry["address"] for entry in failed} == {"192.0.2.9"}
    assert failed[0]["user_id"] == user_id
    assert "user_id" not in failed[1]
    assert len(failed[1]["email"]) == 24
    (succeeded,) = [entry for entry in logs if entry["event"] == "login"]
    assert (succeeded["user_id"], succeeded["address"]) == (user_id, "192.0.2.9")
    limited = [entry for entry in logs if entry["event"] == "rate limit hit"]
    assert limited[0]["address"] == "192.0.2.9"
    assert limited[0]["email"] == failed[-1]["email"]
    for secret in (WRONG, PASSWORD, "nobody@example.com", "other@example.com", EMAIL):
        assert secret not in repr(logs)
