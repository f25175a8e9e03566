"""Browsers: the refresh token in a cookie, and other people's pages kept out."""

from http.cookies import SimpleCookie
from ipaddress import ip_network
from typing import Any

import pytest

from services.auth.http import cookies
from services.auth.settings import AuthSettings
from tests.support.auth_service import EMAIL, PASSWORD, Auth, running_auth
from tests.support.http import Reply

OURS = {"Sec-Fetch-Site": "same-origin"}


def cookie_of(answer: Reply, name: str) -> Any:
    """The cookie of this name that an answer sets."""
    jar = SimpleCookie()
    for line in answer.headers.getall("Set-Cookie", []):
        jar.load(line)
    return jar.get(name)


async def log_in(auth: Auth, headers: dict[str, str] | None = None, **more: Any) -> Reply:
    body = {"email": EMAIL, "password": PASSWORD, "cookie": True} | more
    return await auth.ask(
        "POST", "/auth/login", json=body, headers=OURS if headers is None else headers
    )


@pytest.fixture
async def page(auth: Auth) -> Reply:
    """A page's login."""
    await auth.signup(EMAIL, PASSWORD)
    return await log_in(auth)


def with_cookie(answer: Reply, **headers: str) -> dict[str, str]:
    token = cookie_of(answer, cookies.REFRESH).value
    return {"Cookie": f"{cookies.REFRESH}={token}"} | headers


async def test_a_page_gets_its_refresh_token_where_no_script_can_read_it(page: Reply) -> None:
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
    assert int(cookie_of(page, cookies.REFRESH)["max-age"]) in range(
        30 * 86_400 - 60, 30 * 86_400 + 1
    )


async def test_a_program_gets_no_cookie(auth: Auth, ann: dict[str, Any]) -> None:
    login = await auth.login(EMAIL, PASSWORD)
    assert "Set-Cookie" not in login.headers
    assert {"refresh_token", "device_token"} < set(login.body)


async def test_a_page_renews_its_tokens_by_cookie(auth: Auth, page: Reply) -> None:
    renewed = await auth.ask("POST", "/auth/refresh", headers=with_cookie(page, **OURS))
    assert renewed.status == 200
    assert "refresh_token" not in renewed.body
    fresh = cookie_of(renewed, cookies.REFRESH)
    assert fresh.value != cookie_of(page, cookies.REFRESH).value
    assert fresh["httponly"]
    again = await auth.ask("POST", "/auth/refresh", headers=with_cookie(renewed, **OURS))
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
async def test_another_sites_page_can_do_nothing_with_the_cookie(
    auth: Auth, page: Reply, headers: dict[str, str]
) -> None:
    for path in ("/auth/refresh", "/auth/logout"):
        answer = await auth.ask("POST", path, headers=with_cookie(page, **headers))
        assert (answer.status, answer.body["code"]) == (403, "forbidden")
        assert "Set-Cookie" not in answer.headers
    login = await log_in(auth, headers)
    assert (login.status, login.body["code"]) == (403, "forbidden")
    session = await auth.mongo.db["sessions"].find_one({"_id": page.body["session_id"]})
    assert session is not None
    assert (session["rotations"], "ended_at" in session) == (0, False)


async def test_a_form_of_another_site_can_log_nobody_in_or_out(auth: Auth, page: Reply) -> None:
    # What a form can send without asking first: no JSON type, no header of its own.
    body = f'{{"email":"{EMAIL}","password":"{PASSWORD}","cookie":true}}'
    headers = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
    login = await auth.ask("POST", "/auth/login", data=body, headers=headers)
    assert login.status == 403
    assert "Set-Cookie" not in login.headers


async def test_an_old_browser_is_believed_by_its_origin(auth: Auth, page: Reply) -> None:
    host = auth.url.removeprefix("http://")
    for origin, status in ((auth.url, 200), (f"https://{host}", 200), ("https://x.y", 403)):
        answer = await auth.ask("POST", "/auth/refresh", headers=with_cookie(page, Origin=origin))
        assert answer.status == status


async def test_behind_a_trusted_proxy_the_host_is_the_one_it_was_asked_for(
    settings: AuthSettings,
) -> None:
    behind = settings.model_copy(update={"trusted_proxies": frozenset([ip_network("127.0.0.1")])})
    async with running_auth(behind) as auth:
        await auth.signup(EMAIL, PASSWORD)
        page = await log_in(auth)
        headers = with_cookie(
            page, Origin="https://tradedad.example", **{"X-Forwarded-Host": "tradedad.example"}
        )
        assert (await auth.ask("POST", "/auth/refresh", headers=headers)).status == 200


async def test_logout_takes_the_cookie_away(auth: Auth, page: Reply) -> None:
    answer = await auth.ask("POST", "/auth/logout", headers=with_cookie(page, **OURS))
    assert answer.status == 204
    gone = cookie_of(answer, cookies.REFRESH)
    assert (gone.value, gone["max-age"]) == ("", "0")
    assert (await auth.me(page.body["access_token"])).body["code"] == "revoked"


async def test_a_cookie_alone_opens_nothing_but_refresh_and_logout(auth: Auth, page: Reply) -> None:
    headers = with_cookie(page, **OURS)
    for method, path in (
        ("GET", "/auth/me"),
        ("GET", "/auth/sessions"),
        ("POST", "/auth/logout-all"),
    ):
        assert (await auth.ask(method, path, headers=headers)).status == 401


async def test_a_known_browser_is_told_by_its_cookie(auth: Auth, page: Reply) -> None:
    device = cookie_of(page, cookies.DEVICE).value
    for _ in range(12):
        await auth.login(EMAIL, "not the right password")
    assert (await log_in(auth)).status == 429
    known = {"Cookie": f"{cookies.DEVICE}={device}"} | OURS
    assert (await log_in(auth, known)).status == 200
