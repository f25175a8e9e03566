from datetime import UTC, datetime, timedelta
from http.cookies import Morsel

import pytest
from aiohttp import web

from services.auth.http import cookies

NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture
def response() -> web.Response:
    return web.Response()


def cookie(response: web.Response, name: str) -> "Morsel[str]":
    return response.cookies[name]


@pytest.mark.parametrize("name", [cookies.REFRESH, cookies.DEVICE])
def test_a_cookie_is_hidden_from_scripts_and_other_sites(response: web.Response, name: str) -> None:
    cookies.set_refresh(response, "token", NOW, NOW + timedelta(days=1))
    cookies.set_device(response, "token")
    assert name.startswith("__Host-")
    assert cookie(response, name)["httponly"]
    assert cookie(response, name)["secure"]
    assert cookie(response, name)["samesite"] == "Strict"
    assert cookie(response, name)["path"] == "/"
    assert cookie(response, name)["domain"] == ""


def test_the_refresh_cookie_lasts_until_the_end_of_its_session(response: web.Response) -> None:
    cookies.set_refresh(response, "token", NOW, NOW + timedelta(days=1))
    assert cookie(response, cookies.REFRESH).value == "token"
    assert cookie(response, cookies.REFRESH)["max-age"] == "86400"


def test_the_refresh_cookie_of_a_session_that_is_over_expires_at_once(
    response: web.Response,
) -> None:
    cookies.set_refresh(response, "token", NOW, NOW - timedelta(seconds=1))
    assert cookie(response, cookies.REFRESH)["max-age"] == "0"


def test_the_device_cookie_lasts_180_days(response: web.Response) -> None:
    cookies.set_device(response, "token")
    assert cookie(response, cookies.DEVICE).value == "token"
    assert cookie(response, cookies.DEVICE)["max-age"] == str(180 * 86_400)


def test_a_cleared_refresh_cookie_is_empty_and_expires_at_once(response: web.Response) -> None:
    cookies.clear_refresh(response)
    assert cookie(response, cookies.REFRESH).value == ""
    assert cookie(response, cookies.REFRESH)["max-age"] == "0"
