from collections.abc import Mapping
from ipaddress import ip_network

import pytest
from aiohttp import hdrs, web
from aiohttp.test_utils import make_mocked_request

from services.auth.core.entities import RequestSource
from services.auth.core.sessions import SessionTokens
from services.auth.http import cookies
from services.auth.http.authenticator import Authenticator
from services.auth.http.request_context import RequestContext, path_id
from shared.errors import Forbidden, NotFound, Unauthenticated
from shared.web.forwarded import ForwardedHeaders

ALLOWED_ORIGIN = "https://app.tradedad.example"
COOKIE = {hdrs.COOKIE: f"{cookies.REFRESH}=a-token"}


def request_with(
    headers: Mapping[str, str], *, peer: str = "192.0.2.1", path: str = "/auth/refresh"
) -> web.Request:
    """Return a request without a body, from this peer."""
    request = make_mocked_request("POST", path, headers={hdrs.HOST: "tradedad.example", **headers})
    return request.clone(remote=peer)


@pytest.fixture
def context(authenticator: Authenticator) -> RequestContext:
    return RequestContext(authenticator, ForwardedHeaders(()), {ALLOWED_ORIGIN})


@pytest.fixture
def context_behind_proxy(authenticator: Authenticator) -> RequestContext:
    return RequestContext(authenticator, ForwardedHeaders([ip_network("192.0.2.0/24")]), ())


def test_the_source_is_the_peer_and_its_user_agent(context: RequestContext) -> None:
    headers = {hdrs.USER_AGENT: "a browser", "X-Forwarded-For": "198.51.100.1"}
    assert context.source(request_with(headers)) == RequestSource("192.0.2.1", "a browser")


def test_the_source_behind_a_trusted_proxy_is_the_forwarded_address(
    context_behind_proxy: RequestContext,
) -> None:
    request = request_with({"X-Forwarded-For": "198.51.100.1"})
    assert context_behind_proxy.source(request) == RequestSource("198.51.100.1", "")


def test_a_user_agent_is_cut_after_200_characters(context: RequestContext) -> None:
    request = request_with({hdrs.USER_AGENT: "x" * 300})
    assert context.source(request).user_agent == "x" * 200


async def test_the_caller_is_the_account_of_the_access_token(
    context: RequestContext, tokens: SessionTokens
) -> None:
    headers: dict[str, str] = {hdrs.AUTHORIZATION: f"Bearer {tokens.access.token}"}
    caller = await context.caller(request_with(headers))
    assert (caller.user, caller.source.address) == (tokens.user, "192.0.2.1")


async def test_a_request_without_an_access_token_has_no_caller(context: RequestContext) -> None:
    with pytest.raises(Unauthenticated):
        await context.caller(request_with({}))


async def test_a_request_without_a_body_and_a_cookie_has_no_refresh_token(
    context: RequestContext,
) -> None:
    assert await context.refresh_token(request_with({})) is None


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {hdrs.ORIGIN: ALLOWED_ORIGIN}]
)
async def test_the_cookie_is_used_in_requests_of_allowed_pages(
    context: RequestContext, headers: dict[str, str]
) -> None:
    assert await context.refresh_token(request_with(COOKIE | headers)) == "a-token"


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {hdrs.ORIGIN: "https://evil.example"}]
)
async def test_the_cookie_is_refused_in_requests_of_other_pages(
    context: RequestContext, headers: dict[str, str]
) -> None:
    with pytest.raises(Forbidden):
        await context.refresh_token(request_with(COOKIE | headers))


def test_the_forwarded_host_counts_only_behind_a_trusted_proxy(
    context: RequestContext, context_behind_proxy: RequestContext
) -> None:
    headers = {hdrs.ORIGIN: "https://public.example", "X-Forwarded-Host": "public.example"}
    context_behind_proxy.check_same_origin(request_with(headers))
    with pytest.raises(Forbidden):
        context.check_same_origin(request_with(headers))


@pytest.mark.parametrize("value", ["", "0" * 31, "0" * 33, "G" * 32, "0" * 31 + "\n"])
def test_a_path_without_the_form_of_an_id_is_not_found(value: str) -> None:
    request = make_mocked_request("GET", "/", match_info={"user_id": value})
    with pytest.raises(NotFound):
        path_id(request, "user_id")


def test_an_id_is_read_from_the_path() -> None:
    request = make_mocked_request("GET", "/", match_info={"user_id": "0a" * 16})
    assert path_id(request, "user_id") == "0a" * 16
