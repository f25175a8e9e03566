"""A login at Upstox is finished by the text of its page with the token of the user who began it."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from shared.contracts.upstox_links import LinkFinishRequest, LinkOperation, LinkView
from shared.errors import LinkRefused, LinkTaken, Overloaded, RequestError, Unavailable
from tests.support.gateway.link_rest import PATH, LinkRest, gateway_with_links
from tests.support.gateway.rest import send
from tests.support.servers import NatsServer

FINISH = f"{PATH}/finish"
ADMIN = ("admin",)
STATE = "user-1." + "x" * 43
ANSWER = f"{STATE}:abc123"


@pytest.fixture
async def rest(nats: NatsServer) -> AsyncIterator[LinkRest]:
    async with gateway_with_links(nats) as rest:
        yield rest


async def test_the_user_who_began_a_login_finishes_it(rest: LinkRest) -> None:
    state = await rest.begin()
    reply = await rest.finish(f"  {await rest.text_of(state)}\n")
    assert reply.status == 200, reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    assert msgspec.json.decode(reply.text, type=LinkView).upstox_user_id == "7BB2AA"
    finish = LinkFinishRequest(user_id="user-1", is_admin=False, state=state, code="abc123")
    assert rest.links.requests[-1] == (0, LinkOperation.LINK_FINISH, finish)
    assert await rest.state_of() == "linked"


async def test_another_users_text_is_refused_and_its_owner_can_still_use_it(
    rest: LinkRest,
) -> None:
    text = await rest.text_of(await rest.begin("ann"))
    before = len(rest.links.requests)
    for roles in ((), ADMIN):
        reply = await rest.finish(text, "bob", roles=roles)
        assert (reply.status, reply.body["code"]) == (409, "link_state_invalid")
        assert "another user has begun this login" in reply.body["detail"]
    assert len(rest.links.requests) == before, "something was sent on"
    assert (await rest.finish(text, "ann")).status == 200
    assert (await rest.state_of("ann"), await rest.state_of("bob")) == ("linked", "unlinked")


async def test_a_state_with_another_users_name_finishes_no_login(rest: LinkRest) -> None:
    text = await rest.text_of(await rest.begin("ann"))
    forged = "bob." + text.partition(".")[2]
    assert (await rest.finish(forged, "bob")).body["code"] == "link_state_invalid"
    assert (await rest.state_of("ann"), await rest.state_of("bob")) == ("unlinked", "unlinked")


async def test_a_text_works_once(rest: LinkRest) -> None:
    text = await rest.text_of(await rest.begin())
    assert (await rest.finish(text)).status == 200
    again = await rest.finish(text)
    assert (again.status, again.body["code"]) == (409, "link_state_invalid")


async def test_a_login_of_the_feed_needs_the_role_admin_at_its_end_too(rest: LinkRest) -> None:
    assert (await rest.link("root", purpose="feed", roles=ADMIN)).body["purpose"] == "feed"
    assert rest.links.last.is_admin
    for roles in ((), ("user",), ("ADMIN",)):
        text = await rest.text_of(await rest.begin("root", purpose="feed", roles=ADMIN))
        reply = await rest.finish(text, "root", roles=roles)
        assert not rest.links.last.is_admin
        assert (reply.status, reply.body["code"]) == (403, "forbidden")


async def test_only_a_valid_token_is_accepted(rest: LinkRest) -> None:
    body = msgspec.json.encode({"answer": ANSWER})
    for token in (None, "nonsense"):
        reply = await send(rest.gateway, "POST", FINISH, token=token, body=body)
        assert (reply.status, reply.body["code"]) == (401, "unauthenticated")
    assert rest.links.requests == []


BAD_BODIES: list[tuple[Any, str]] = [
    ({}, "answer"), ({"answer": ""}, "answer"), ({"answer": 5}, "answer"),
    ({"answer": ANSWER, "user_id": "user-1"}, "user_id"), ({"answer": STATE}, "answer"),
    ({"answer": f"{STATE} abc123"}, "answer"), ({"answer": f"{STATE}:c d"}, "answer"),
    ({"answer": "abc123"}, "answer"), ({"answer": "trading.>.x:c"}, "answer"),
    ({"answer": "x" * 60_000}, "answer"), ({"answer": ANSWER + "x" * 600}, "answer"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "field"), BAD_BODIES, ids=lambda one: str(one)[:40])
async def test_a_text_of_another_form_is_refused_by_its_rule(
    rest: LinkRest, body: Any, field: str
) -> None:
    reply = await rest.send("POST", FINISH, body)
    assert (reply.status, reply.body["code"], reply.body["field"]) == (422, "invalid_field", field)
    assert STATE not in reply.text
    assert len(reply.text) < 1_000
    assert rest.links.requests == []


async def test_the_rule_of_the_form_is_named(rest: LinkRest) -> None:
    reply = await rest.finish("https://upstox.example/?code=abc123")
    assert "must be the whole text of the page" in reply.body["detail"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 60_000])
async def test_a_body_that_is_no_object_is_refused(rest: LinkRest, body: bytes) -> None:
    assert (await rest.send("POST", FINISH, body)).status in (400, 422)
    assert rest.links.requests == []


ERRORS: list[tuple[RequestError, int]] = [
    (LinkRefused("Invalid code", upstox_code="UDAPI100057"), 422),
    (LinkTaken("another user has linked this account"), 409),
    (Unavailable("Upstox does not answer"), 503),
    (Overloaded("too many logins", retry_after_secs=3), 503),
]


@pytest.mark.parametrize(("error", "status"), ERRORS, ids=lambda one: str(one)[:16])
async def test_an_error_of_trading_keeps_its_code_and_members(
    rest: LinkRest, error: RequestError, status: int
) -> None:
    rest.links.error = error
    reply = await rest.finish(ANSWER)
    assert (reply.status, reply.body["code"]) == (status, error.code.value)
    assert reply.body["detail"] == error.detail
    assert reply.body.get("upstox_code") == error.members.get("upstox_code")


async def test_without_an_answer_the_outcome_is_said_to_be_unknown(nats: NatsServer) -> None:
    async with gateway_with_links(nats, link_timeout_secs=0.2) as rest:
        text = await rest.text_of(await rest.begin())
        rest.links.lost_answers = 1
        reply = await rest.finish(text)
        assert (reply.status, reply.body["code"]) == (504, "timed_out")
        assert "look at the state of the link" in reply.body["detail"]


async def test_code_and_state_are_not_logged_or_answered(rest: LinkRest) -> None:
    state = await rest.begin()
    with capture_logs() as entries:
        for code, user in (("c0de-1", "user-2"), ("c0de 2", "user-1"), ("c0de-3", "user-1")):
            reply = await rest.finish(f"{state}:{code}", user)
            assert "c0de" not in reply.text
            assert state not in reply.text
    assert "c0de" not in str(entries)
    assert state not in str(entries)
