"""Links to Upstox accounts over HTTP and NATS, answered by the contract's types."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from shared.contracts.trading import partition_of
from shared.contracts.upstox_links import (
    LinkBeginRequest,
    LinkOperation,
    LinkPurpose,
    LinkRequestRequest,
    LinkStatusRequest,
    LinkView,
    UnlinkRequest,
)
from shared.errors import LinkRefused, NotFound, RateLimited, RequestError, Unavailable
from tests.support.gateway.fake_links import LINKED, answering_links
from tests.support.gateway.held_requests import holding
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.link_rest import PATH, LinkRest, gateway_with_links
from tests.support.gateway.rest import send
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

USER = "user-1"
TRADING = LinkPurpose.TRADING
ADMIN = ("admin",)
OWN_APP = {"purpose": "trading", "client_id": "app-1", "client_secret": "s3cret!"}

OPERATIONS: list[tuple[str, str, dict[str, Any], Any, LinkOperation, msgspec.Struct]] = [
    ("GET", PATH, {"purpose": "trading"}, None, LinkOperation.LINK_STATUS,
     LinkStatusRequest(user_id=USER, purpose=TRADING)),
    ("POST", PATH, {}, {"purpose": "trading"}, LinkOperation.LINK_BEGIN,
     LinkBeginRequest(user_id=USER, purpose=TRADING)),
    ("POST", PATH, {}, OWN_APP, LinkOperation.LINK_BEGIN,
     LinkBeginRequest(
         user_id=USER, purpose=TRADING, client_id="app-1", client_secret="s3cret!",
     )),
    ("POST", f"{PATH}/request", {}, {"purpose": "trading"}, LinkOperation.LINK_REQUEST,
     LinkRequestRequest(user_id=USER, purpose=TRADING)),
    ("DELETE", PATH, {"purpose": "trading"}, None, LinkOperation.UNLINK,
     UnlinkRequest(user_id=USER, purpose=TRADING)),
]  # fmt: skip
"""Method, path, query, body, and the operation with the request that trading gets."""
IDS = ["status", "begin", "begin-own-app", "request", "unlink"]


@pytest.fixture
async def rest(nats: NatsServer) -> AsyncIterator[LinkRest]:
    async with gateway_with_links(nats) as rest:
        yield rest


async def test_each_operation_reaches_trading_and_its_reply_is_relayed(rest: LinkRest) -> None:
    for method, path, query, body, operation, expected in OPERATIONS:
        reply = await rest.send(method, path, body, **query)
        assert reply.status == 200, reply.text
        assert rest.links.requests[-1] == (0, operation, expected)
        assert reply.headers["Cache-Control"] == "no-store"
        assert "RateLimit" in reply.headers
        if operation is not LinkOperation.LINK_BEGIN:
            assert msgspec.json.decode(reply.text, type=LinkView).purpose is TRADING


async def test_a_user_links_sees_and_unlinks_the_own_account_only(rest: LinkRest) -> None:
    await rest.link("ann")
    assert await rest.state_of("ann") == "linked"
    assert await rest.state_of("bob") == "unlinked"
    await rest.send("DELETE", user="bob", purpose="trading")
    assert await rest.state_of("ann") == "linked"
    await rest.send("DELETE", user="ann", purpose="trading")
    assert await rest.state_of("ann") == "unlinked"


async def test_the_user_is_that_of_the_token_and_never_of_the_request(rest: LinkRest) -> None:
    for method, path, query, body, *_ in OPERATIONS:
        if body is None:
            reply = await rest.send(method, path, **query, user_id="user-2")
        else:
            reply = await rest.send(method, path, body | {"user_id": "user-2"})
        assert (reply.status, reply.body["field"]) == (422, "user_id")
    assert rest.links.requests == []


async def test_a_user_is_served_by_its_own_partition(nats: NatsServer) -> None:
    async with (
        answering_links(nats, partitions=3) as links,
        running_gateway(nats, trading_partitions=3) as gateway,
    ):
        rest = LinkRest(gateway, links)
        users = [f"user-{number}" for number in range(10)]
        for user in users:
            await rest.link(user)
        seen = {(request.user_id, partition) for partition, _, request in links.requests}
        assert seen == {(user, partition_of(user, 3)) for user in users}


async def test_only_a_valid_token_is_accepted(rest: LinkRest) -> None:
    for token in (None, "nonsense"):
        for method, path, query, body, *_ in OPERATIONS:
            raw = None if body is None else json.dumps(body)
            reply = await send(rest.gateway, method, path, token=token, body=raw, **query)
            assert (reply.status, reply.body["code"]) == (401, "unauthenticated")
    assert rest.links.requests == []


async def test_the_link_of_the_feed_needs_the_role_admin(rest: LinkRest) -> None:
    feed = {"purpose": "feed"}
    for roles in ((), ("user",), ("ADMIN",)):
        for method, path, query, body, *_ in OPERATIONS:
            reply = await rest.send(
                method, path, body and body | feed, roles=roles, **(query and feed)
            )
            assert (reply.status, reply.body["code"]) == (403, "forbidden")
    assert rest.links.requests == []
    for method, path, query, body, operation, _ in OPERATIONS:
        reply = await rest.send(method, path, body and body | feed, roles=ADMIN, **(query and feed))
        assert reply.status == 200, reply.text
        assert rest.links.requests[-1][1] is operation
        assert rest.links.last.purpose is LinkPurpose.FEED


async def test_the_purpose_has_no_default(rest: LinkRest) -> None:
    for method, path, _, body, *_ in OPERATIONS:
        reply = await rest.send(method, path, None if body is None else {})
        assert (reply.status, reply.body["field"]) == (422, "purpose")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff", b"[" * 60_000, b'{"purpose": 1e400}'],
    ids=lambda body: str(body)[:12],
)
async def test_a_body_that_is_no_login_is_refused(rest: LinkRest, body: bytes) -> None:
    for path in (PATH, f"{PATH}/request"):
        reply = await rest.send("POST", path, body)
        assert reply.status in (400, 422), reply.text
    assert rest.links.requests == []


async def test_huge_inputs_are_refused(rest: LinkRest) -> None:
    reply = await rest.send("POST", PATH, b" " * (64 * 1024 + 1))
    assert (reply.status, reply.body["code"]) == (413, "too_large")
    for name in ("client_id", "client_secret"):
        reply = await rest.send("POST", PATH, OWN_APP | {name: "x" * 60_000})
        assert (reply.status, reply.body["field"]) == (422, name)
        assert len(reply.text) < 1_000
    reply = await rest.send("GET", purpose="x" * 30_000)
    assert (reply.status, reply.body["field"]) == (422, "purpose")
    assert rest.links.requests == []


ERRORS: list[tuple[RequestError, int, dict[str, str]]] = [
    (LinkRefused("no such app", field="client_id", upstox_code="UDAPI100068"), 422,
     {"code": "link_refused", "upstox_code": "UDAPI100068", "field": "client_id"}),
    (NotFound("nothing is linked"), 404, {"code": "not_found"}),
    (RateLimited("too many logins"), 429, {"code": "rate_limited"}),
    (Unavailable("another process takes over"), 503, {"code": "unavailable"}),
]  # fmt: skip


@pytest.mark.parametrize(("error", "status", "members"), ERRORS, ids=lambda one: str(one)[:20])
async def test_an_error_of_trading_keeps_its_code_and_members(
    rest: LinkRest, error: RequestError, status: int, members: dict[str, str]
) -> None:
    rest.links.error = error
    for method, path, query, body, *_ in OPERATIONS:
        reply = await rest.send(method, path, body, **query)
        assert reply.status == status
        assert reply.body | members == reply.body
        assert reply.body["detail"] == error.detail


async def test_without_an_answer_requests_fail_in_time(nats: NatsServer) -> None:
    async with gateway_with_links(nats, order_timeout_secs=0.2, link_timeout_secs=0.2) as rest:
        for method, path, query, body, operation, _ in OPERATIONS:
            rest.links.lost_answers = 1
            reply = await rest.send(method, path, body, **query)
            assert (reply.status, reply.body["code"]) == (504, "timed_out")
            calls_upstox = operation in (LinkOperation.LINK_REQUEST, LinkOperation.UNLINK)
            assert ("outcome is not known" in reply.body["detail"]) is calls_upstox


async def test_one_request_too_many_is_refused_while_others_wait(nats: NatsServer) -> None:
    async with (
        holding(nats, "trading.0.link_status") as held,
        running_gateway(nats) as gateway,
    ):
        requests = [
            asyncio.create_task(send(gateway, "GET", PATH, purpose="trading")) for _ in range(66)
        ]
        await eventually(
            lambda: (len(held.waiting), sum(one.done() for one in requests)) == (64, 2),
            what="64 requests wait",
        )
        await held.answer(LINKED)
        replies = await asyncio.gather(*requests)
    assert sorted(reply.status for reply in replies) == [200] * 64 + [503] * 2
    assert {reply.body.get("code") for reply in replies} == {None, "overloaded"}


async def test_other_methods_of_a_path_are_refused(rest: LinkRest) -> None:
    for method, path, allowed in (
        ("PUT", PATH, "DELETE, GET, HEAD, POST"), ("GET", f"{PATH}/request", "POST"),
        ("POST", f"{PATH}/callback", "GET, HEAD"), ("GET", f"{PATH}/finish", "POST"),
        ("GET", "/v1/hooks/upstox/user-1/orders", "POST"),
    ):  # fmt: skip
        reply = await rest.send(method, path)
        assert (reply.status, reply.headers["Allow"]) == (405, allowed), path
    assert rest.links.requests == []


async def test_no_secret_is_logged_or_answered(rest: LinkRest) -> None:
    secret = "sEcReT-ClIeNt"
    bodies: list[dict[str, Any]] = [
        OWN_APP | {"client_secret": secret}, OWN_APP | {"client_secret": f"{secret} x"},
        OWN_APP | {"client_secret": secret, "purpose": "feed"},
        {"purpose": "trading", "client_secret": secret},
    ]  # fmt: skip
    with capture_logs() as entries:
        for error in (None, LinkRefused("the app is refused")):
            rest.links.error = error
            for body in bodies:
                assert secret not in (await rest.send("POST", PATH, body)).text
    assert secret not in str(entries)
