import json
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus

import pytest
from aiohttp import hdrs, web
from aiohttp.test_utils import make_mocked_request

from services.auth.core.sessions import SessionTokens
from services.auth.http import cookies
from services.auth.http.responses import (
    clear_refresh_cookie,
    json_response,
    no_content,
    tokens_response,
)
from services.auth.http.schemas import Ended, Users
from tests.unit.auth.fakes import FakeClock


def body_of(response: web.Response) -> dict[str, object]:
    assert response.text is not None
    body: dict[str, object] = json.loads(response.text)
    return body


@pytest.mark.parametrize("response", [json_response(Ended(sessions_ended=1)), no_content()])
def test_responses_are_not_cached(response: web.Response) -> None:
    assert response.headers[hdrs.CACHE_CONTROL] == "no-store"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_json_response_omits_fields_that_are_none() -> None:
    response = json_response(Users(users=[], next=None), HTTPStatus.CREATED)
    assert (response.status, body_of(response)) == (201, {"users": []})


def test_a_program_receives_its_refresh_token_in_the_body(
    tokens: SessionTokens, clock: FakeClock
) -> None:
    response = tokens_response(tokens, clock.now(), device_token="device")
    assert body_of(response)["refresh_token"] == tokens.refresh_token
    assert body_of(response)["device_token"] == "device"
    assert not response.cookies


def test_a_browser_receives_its_refresh_token_as_a_cookie(
    tokens: SessionTokens, clock: FakeClock
) -> None:
    by_cookie = replace(tokens, session=replace(tokens.session, by_cookie=True))
    response = tokens_response(by_cookie, clock.now())
    assert "refresh_token" not in body_of(response)
    cookie = response.cookies[cookies.REFRESH]
    assert cookie.value == tokens.refresh_token
    assert int(cookie["max-age"]) == timedelta(days=1).total_seconds()


def test_the_refresh_cookie_is_cleared_only_if_the_request_has_one() -> None:
    without = make_mocked_request("POST", "/auth/logout")
    assert not clear_refresh_cookie(without, no_content()).cookies
    headers = {hdrs.COOKIE: f"{cookies.REFRESH}=a-token"}
    with_cookie = make_mocked_request("POST", "/auth/logout", headers=headers)
    cleared = clear_refresh_cookie(with_cookie, no_content()).cookies[cookies.REFRESH]
    assert (cleared.value, cleared["max-age"]) == ("", "0")
