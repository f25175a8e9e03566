"""The refresh token in a cookie of a browser, and pages of other sites."""

from http.cookies import SimpleCookie
from ipaddress import ip_network
from typing import Any

import pytest

from services.auth.http import cookies
from services.auth.settings import AuthSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth, running_auth
from tests.support.http import Reply

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def cookie_of(reply: Reply, name: str) -> Any:
    """The cookie of this name that a reply sets."""
    jar = SimpleCookie()
    for line in reply.headers.getall("Set-Cookie", []):
        jar.load(line)
    return jar.get(name)


async def log_in(auth: Auth, headers: dict[str, str] | None = None, **more: Any) -> Reply:
    body = {"email": EMAIL, "password": PASSWORD, "cookie": True} | more
    return await auth.request(
        "POST", "/auth/login", json=body, headers=SAME_ORIGIN if headers is None else headers
    )


@pytest.fixture
async def page(auth: Auth) -> Reply:
    """The reply to the login of a page."""
    await auth.signup(EMAIL, PASSWORD)
    return await log_in(auth)


def with_cookie(reply: Reply, **headers: str) -> dict[str, str]:
    token = cookie_of(reply, cookies.REFRESH).value
    return {"Cookie": f"{cookies.REFRESH}={token}"} | headers


async def test_a_page_gets_its_refresh_token_in_a_cookie_that_no_script_can_read(
    page: Reply,
) -> None:
    assert page.status == 200
    assert "refresh_token" not in page.body
    assert "device_token" not in page.body
    for name in (cookies.REFRESH, cookies.DEVICE):
        cookie = cookie_of(page, name)
        assert name.startswith("__Host-")
        assert cookie["httponly"]
        assert cookie["secure"]
        assert cookie["samesite"] == "Strict"
        assert cookie["path"] == "/"
        assert cookie["domain"] == ""
        assert cookie.value not in page.text
    max_age_secs = int(cookie_of(page, cookies.REFRESH)["max-age"])
    assert 29 * 86_400 < max_age_secs <= 30 * 86_400


async def test_a_client_that_is_not_a_page_gets_no_cookie(auth: Auth, ann: dict[str, Any]) -> None:
    login = await auth.login(EMAIL, PASSWORD)
    assert "Set-Cookie" not in login.headers
    assert {"refresh_token", "device_token"} < set(login.body)


async def test_a_page_refreshes_its_tokens_by_cookie(auth: Auth, page: Reply) -> None:
    refreshed = await auth.request(
        "POST", "/auth/refresh", headers=with_cookie(page, **SAME_ORIGIN)
    )
    assert refreshed.status == 200
    assert "refresh_token" not in refreshed.body
    successor = cookie_of(refreshed, cookies.REFRESH)
    assert successor.value != cookie_of(page, cookies.REFRESH).value
    assert successor["httponly"]
    again = await auth.request(
        "POST", "/auth/refresh", headers=with_cookie(refreshed, **SAME_ORIGIN)
    )
    assert again.status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"},
    ],
)
async def test_a_page_of_another_site_cannot_use_the_cookie(
    auth: Auth, page: Reply, headers: dict[str, str]
) -> None:
    for path in ("/auth/refresh", "/auth/logout"):
        reply = await auth.request("POST", path, headers=with_cookie(page, **headers))
        assert (reply.status, reply.body["code"]) == (403, "forbidden")
        assert "Set-Cookie" not in reply.headers
    login = await log_in(auth, headers)
    assert (login.status, login.body["code"]) == (403, "forbidden")
    session = await auth.mongo.db["sessions"].find_one({"_id": page.body["session_id"]})
    assert session is not None
    assert (session["rotations"], "ended_at" in session) == (0, False)


async def test_a_form_of_another_site_cannot_log_in(auth: Auth, page: Reply) -> None:
    # A form can send this without a preflight: no JSON content type, no header of its own.
    body = f'{{"email":"{EMAIL}","password":"{PASSWORD}","cookie":true}}'
    headers = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
    login = await auth.request("POST", "/auth/login", data=body, headers=headers)
    assert login.status == 403
    assert "Set-Cookie" not in login.headers


async def test_an_old_browser_is_identified_by_its_origin(auth: Auth, page: Reply) -> None:
    host = auth.url.removeprefix("http://")
    for origin, status in ((auth.url, 200), (f"https://{host}", 200), ("https://x.y", 403)):
        reply = await auth.request(
            "POST", "/auth/refresh", headers=with_cookie(page, Origin=origin)
        )
        assert reply.status == status


async def test_behind_a_trusted_proxy_the_host_is_the_forwarded_one(
    settings: AuthSettings,
) -> None:
    behind = settings.model_copy(update={"trusted_proxies": frozenset([ip_network("127.0.0.1")])})
    async with running_auth(behind) as auth:
        await auth.signup(EMAIL, PASSWORD)
        page = await log_in(auth)
        headers = with_cookie(
            page, Origin="https://tradedad.example", **{"X-Forwarded-Host": "tradedad.example"}
        )
        assert (await auth.request("POST", "/auth/refresh", headers=headers)).status == 200


async def test_a_logout_deletes_the_cookie(auth: Auth, page: Reply) -> None:
    reply = await auth.request("POST", "/auth/logout", headers=with_cookie(page, **SAME_ORIGIN))
    assert reply.status == 204
    deleted = cookie_of(reply, cookies.REFRESH)
    assert (deleted.value, deleted["max-age"]) == ("", "0")
    assert (await auth.me(page.body["access_token"])).body["code"] == "revoked"


async def test_a_cookie_alone_is_accepted_only_for_refresh_and_logout(
    auth: Auth, page: Reply
) -> None:
    headers = with_cookie(page, **SAME_ORIGIN)
    for method, path in (
        ("GET", "/auth/me"),
        ("GET", "/auth/sessions"),
        ("POST", "/auth/logout-all"),
    ):
        assert (await auth.request(method, path, headers=headers)).status == 401


async def test_a_known_browser_is_recognised_by_its_cookie_and_is_not_delayed(
    auth: Auth, page: Reply
) -> None:
    device = cookie_of(page, cookies.DEVICE).value
    for _ in range(12):
        await auth.login(EMAIL, "not the right password")
    assert (await log_in(auth)).status == 429
    known = {"Cookie": f"{cookies.DEVICE}={device}"} | SAME_ORIGIN
    assert (await log_in(auth, known)).status == 200
