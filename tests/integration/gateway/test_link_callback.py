"""The browser's way back from Upstox: a page with a text to copy, which changes nothing."""

from collections.abc import AsyncIterator
from html import escape
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.gateway.link_rest import PATH, LinkRest, gateway_with_links
from tests.support.gateway.rest import send
from tests.support.http import Reply
from tests.support.servers import NatsServer

HOSTILE = "<script>alert(1)</script>"
CALLBACK = f"{PATH}/callback"
STATE = "user-1." + "x" * 43


@pytest.fixture
async def rest(nats: NatsServer) -> AsyncIterator[LinkRest]:
    async with gateway_with_links(nats) as rest:
        yield rest


def check_page(reply: Reply) -> None:
    """A page that cannot act, is not kept, and sends its address nowhere."""
    assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Referrer-Policy"] == "no-referrer"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    policy = reply.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "script-src" not in policy
    assert "RateLimit" in reply.headers
    assert '<a href="/">' in reply.text


async def test_a_login_ends_with_a_page_that_shows_the_text_to_copy(rest: LinkRest) -> None:
    state = await rest.begin()
    before = len(rest.links.requests)
    reply = await rest.come_back(state=state, code="abc123")
    assert reply.status == 200
    check_page(reply)
    assert f"<code>{state}:abc123</code>" in reply.text
    assert "Copy it nowhere else" in reply.text
    assert len(rest.links.requests) == before


@pytest.mark.parametrize("user", [None, "ann", "bob"])
async def test_the_page_links_nothing_whoever_opens_it(rest: LinkRest, user: str | None) -> None:
    state = await rest.begin("ann")
    token = None if user is None else rest.gateway.issuer.token(sub=user)
    for method in ("GET", "HEAD"):
        reply = await send(rest.gateway, method, CALLBACK, token=token, state=state, code="abc123")
        assert reply.status == 200
    assert (await rest.state_of("ann"), await rest.state_of("bob")) == ("unlinked", "unlinked")


@pytest.mark.parametrize("code", [HOSTILE.replace(" ", ""), "&lt;b&gt;", "\"'<!--", "</code><b>"])
async def test_a_code_is_shown_as_text_and_never_as_html(rest: LinkRest, code: str) -> None:
    reply = await rest.come_back(state=STATE, code=code)
    assert reply.status == 200
    assert f"<code>{STATE}:{escape(code)}</code>" in reply.text
    assert code not in reply.text
    assert await rest.text_of(STATE, code) == f"{STATE}:{code}"


async def test_an_error_of_upstox_is_said_in_words_and_leaves_the_login_open(
    rest: LinkRest,
) -> None:
    state = await rest.begin()
    before = len(rest.links.requests)
    reply = await rest.come_back(error="access_denied", state=state)
    assert reply.status == 400
    check_page(reply)
    assert "You have not allowed it" in reply.text
    for error in (HOSTILE, "Call 555-0100 now"):
        reply = await rest.come_back(error=error, state=state)
        assert reply.status == 400
        assert error not in reply.text
        assert "555" not in reply.text
    assert len(rest.links.requests) == before
    assert (await rest.finish(await rest.text_of(state))).status == 200


BAD_ANSWERS: list[dict[str, Any]] = [
    {}, {"code": "c"}, {"state": STATE}, {"state": STATE, "code": ""}, {"state": "", "code": "c"},
    {"state": HOSTILE, "code": "c"}, {"state": "user-1", "code": "c"},
    {"state": "." + "x" * 43, "code": "c"}, {"state": "a/b." + "x" * 43, "code": "c"},
    {"state": "trading.>." + "x" * 43, "code": "c"}, {"state": STATE + "\n", "code": "c"},
    {"state": STATE, "code": HOSTILE + " "}, {"state": STATE, "code": "c\r\nSet-Cookie: a=b"},
    {"state": STATE, "code": "x" * 513}, {"state": "u" * 30_000, "code": "c"},
    {"state": STATE, "code": ["c", "d"]}, {"state": [STATE, STATE], "code": "c"},
    {"error": "x" * 65},
]  # fmt: skip


@pytest.mark.parametrize("query", BAD_ANSWERS, ids=lambda query: str(query)[:60])
async def test_an_answer_that_is_not_valid_is_not_shown(
    rest: LinkRest, query: dict[str, Any]
) -> None:
    reply = await rest.come_back(**query)
    assert reply.status == 422
    check_page(reply)
    assert "answer is not complete" in reply.text
    assert "script" not in reply.text
    assert "<code>" not in reply.text
    assert len(reply.text) < 1_000
    assert rest.links.requests == []


async def test_other_parameters_of_upstox_are_ignored(rest: LinkRest) -> None:
    reply = await rest.come_back(state=STATE, code="abc123", version=HOSTILE, extra="")
    assert reply.status == 200
    assert "script" not in reply.text


async def test_the_page_is_limited_by_address(nats: NatsServer) -> None:
    limits = {"address_requests_per_sec": 0.01, "address_requests_burst": 2}
    async with gateway_with_links(nats, **limits) as rest:
        for expected in (200, 200, 429):
            reply = await rest.come_back(state=STATE, code="c")
            assert reply.status == expected
            check_page(reply)
        assert int(reply.headers["Retry-After"]) > 0


async def test_code_and_state_are_not_logged(rest: LinkRest) -> None:
    state = await rest.begin()
    with capture_logs() as entries:
        for code in ("c0de-1", "c0de-2 "):
            await rest.come_back(state=state, code=code)
        await rest.come_back(state=state, code="c0de-3", error="access_denied")
    assert "c0de" not in str(entries)
    assert state not in str(entries)
