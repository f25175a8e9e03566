"""The browser's way back from Upstox: a page in words, for one use, without a token."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from shared.contracts.upstox_links import LinkFinishRequest, LinkOperation
from shared.errors import LinkRefused, LinkTaken, Overloaded, RequestError, Unavailable
from tests.support.gateway.fake_links import LINKED
from tests.support.gateway.link_rest import PATH, LinkRest, gateway_with_links
from tests.support.gateway.rest import send
from tests.support.http import Reply
from tests.support.servers import NatsServer

HOSTILE = "<script>alert(1)</script>"
CALLBACK = f"{PATH}/callback"


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


async def test_a_login_ends_with_a_page_that_names_the_account(rest: LinkRest) -> None:
    state = await rest.begin()
    reply = await rest.come_back(state=state, code="abc123")
    assert reply.status == 200
    check_page(reply)
    assert "The Upstox account 7BB2AA (Asha Rao) is linked" in reply.text
    finish = LinkFinishRequest(user_id="user-1", state=state, code="abc123")
    assert rest.links.requests[-1] == (0, LinkOperation.LINK_FINISH, finish)


async def test_a_state_works_once(rest: LinkRest) -> None:
    state = await rest.begin()
    await rest.come_back(state=state, code="abc123")
    again = await rest.come_back(state=state, code="def456")
    assert again.status == 409
    check_page(again)
    assert "was finished before" in again.text


async def test_a_state_of_another_user_finishes_no_login_of_this_one(rest: LinkRest) -> None:
    state = await rest.begin("ann")
    forged = "bob." + state.rpartition(".")[2]
    reply = await rest.come_back(state=forged, code="abc123")
    assert reply.status == 409
    assert rest.links.last.user_id == "bob"
    assert (await rest.state_of("ann"), await rest.state_of("bob")) == ("unlinked", "unlinked")


async def test_a_token_of_the_browser_changes_nothing(rest: LinkRest) -> None:
    state = await rest.begin("ann")
    token = rest.gateway.issuer.token(sub="bob")
    reply = await send(rest.gateway, "GET", CALLBACK, token=token, state=state, code="abc123")
    assert reply.status == 200
    assert (await rest.state_of("ann"), await rest.state_of("bob")) == ("linked", "unlinked")


async def test_a_head_request_does_not_use_the_login_up(rest: LinkRest) -> None:
    state = await rest.begin()
    reply = await rest.send("HEAD", CALLBACK, user=None, state=state, code="abc123")
    assert reply.status == 405
    assert (await rest.come_back(state=state, code="abc123")).status == 200


async def test_the_names_of_upstox_are_shown_as_text(rest: LinkRest) -> None:
    rest.links.linked_as = msgspec.structs.replace(LINKED, user_name=HOSTILE)
    reply = await rest.come_back(state=await rest.begin(), code="abc123")
    assert HOSTILE not in reply.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in reply.text


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
    assert (await rest.come_back(state=state, code="abc123")).status == 200


STATE = "user-1." + "x" * 43
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
async def test_an_answer_that_is_not_valid_reaches_nobody(
    rest: LinkRest, query: dict[str, Any]
) -> None:
    reply = await rest.come_back(**query)
    assert reply.status == 422
    check_page(reply)
    assert "answer is not complete" in reply.text
    assert "script" not in reply.text.replace("script-src", "")
    assert len(reply.text) < 1_000
    assert rest.links.requests == []


async def test_other_parameters_of_upstox_are_ignored(rest: LinkRest) -> None:
    reply = await rest.come_back(state=await rest.begin(), code="abc123", version="2", extra="")
    assert reply.status == 200


ERRORS: list[tuple[RequestError, int, str]] = [
    (LinkRefused(f"Invalid code {HOSTILE}", upstox_code="UDAPI100057"), 422, "&lt;script&gt;"),
    (LinkTaken("another user has linked this account"), 409, "Another user has linked"),
    (Unavailable("Upstox does not answer"), 503, "Upstox does not answer"),
    (Overloaded("too many logins", retry_after_secs=3), 503, "Too many logins"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "status", "words"), ERRORS, ids=lambda one: str(one)[:16])
async def test_an_error_of_trading_is_said_in_words(
    rest: LinkRest, error: RequestError, status: int, words: str
) -> None:
    state = await rest.begin()
    rest.links.error = error
    reply = await rest.come_back(state=state, code="abc123")
    assert reply.status == status
    check_page(reply)
    assert words in reply.text
    assert HOSTILE not in reply.text
    assert ("Retry-After" in reply.headers) is isinstance(error, Overloaded)


async def test_without_an_answer_the_page_says_to_look_at_the_link(nats: NatsServer) -> None:
    async with gateway_with_links(nats, link_timeout_secs=0.2) as rest:
        state = await rest.begin()
        rest.links.lost_answers = 1
        reply = await rest.come_back(state=state, code="abc123")
        assert reply.status == 504
        assert "look at the state of the link" in reply.text
        assert "trading.0" not in reply.text


async def test_the_page_is_limited_by_address(nats: NatsServer) -> None:
    limits = {"address_requests_per_sec": 0.01, "address_requests_burst": 2}
    async with gateway_with_links(nats, **limits) as rest:
        for expected in (409, 409, 429):
            reply = await rest.come_back(state=STATE, code="c")
            assert reply.status == expected
            check_page(reply)
        assert int(reply.headers["Retry-After"]) > 0
        assert len(rest.links.requests) == 2


async def test_code_and_state_are_not_logged(rest: LinkRest) -> None:
    state = await rest.begin()
    with capture_logs() as entries:
        for code in ("c0de-1", "c0de-2", "c0de-3 "):
            reply = await rest.come_back(state=state, code=code)
            assert code.strip() not in reply.text
            assert state not in reply.text
        await rest.come_back(state=state, code="c0de-4", error="access_denied")
    assert "c0de" not in str(entries)
    assert state not in str(entries)
