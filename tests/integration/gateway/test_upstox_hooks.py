"""The posts of Upstox's webhook and notifier: hints that anybody can send, and that prove nothing."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.contracts.upstox_links import HintKind, LinkHint, LinkHintReply
from shared.errors import NotFound, RequestError, Unavailable
from tests.support.gateway.fake_links import LINKED
from tests.support.gateway.held_requests import holding
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.link_rest import PATH, LinkRest, gateway_with_links
from tests.support.gateway.rest import send
from tests.support.http import Reply
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

ORDERS = "/v1/hooks/upstox/user-1/orders"
TOKEN = "/v1/hooks/upstox/user-1/token"
UPDATE: dict[str, Any] = {
    "update_type": "order", "user_id": "7BB2AA", "order_id": "250101000000001", "status": "complete",
}  # fmt: skip
APPROVED: dict[str, Any] = {
    "client_id": "app-1", "user_id": "7BB2AA", "access_token": "t0ken-1", "token_type": "Bearer",
    "expires_at": "1", "issued_at": "0", "message_type": "access_token",
}  # fmt: skip
HINTS = {
    ORDERS: LinkHint(
        user_id="user-1", kind=HintKind.ORDER, upstox_user_id="7BB2AA", order_id="250101000000001"
    ),
    TOKEN: LinkHint(
        user_id="user-1", kind=HintKind.TOKEN, client_id="app-1", upstox_user_id="7BB2AA",
        access_token="t0ken-1",
    ),
}  # fmt: skip
POSTS = {ORDERS: UPDATE, TOKEN: APPROVED}


@pytest.fixture
async def rest(nats: NatsServer) -> AsyncIterator[LinkRest]:
    async with gateway_with_links(nats) as rest:
        yield rest


async def post(rest: LinkRest, path: str, body: Any) -> Reply:
    return await rest.send("POST", path, body, user=None)


async def test_a_post_is_passed_on_and_answered_without_a_word(rest: LinkRest) -> None:
    for path, body in POSTS.items():
        reply = await post(rest, path, body)
        assert (reply.status, reply.text) == (202, "")
        assert reply.headers["Cache-Control"] == "no-store"
        assert rest.links.hints()[-1] == HINTS[path]


@pytest.mark.parametrize("error", [NotFound("no such user"), Unavailable("no")], ids=str)
async def test_the_answer_is_the_same_if_trading_refuses(
    rest: LinkRest, error: RequestError
) -> None:
    rest.links.error = error
    for path, body in POSTS.items():
        reply = await post(rest, path, body)
        assert (reply.status, reply.text) == (202, "")


async def test_the_answer_is_the_same_without_a_trading_service(nats: NatsServer) -> None:
    async with running_gateway(nats, hook_timeout_secs=0.2) as gateway:
        for path, body in POSTS.items():
            reply = await send(gateway, "POST", path, token=None, body=json.dumps(body))
            assert (reply.status, reply.text) == (202, "")


async def test_a_post_of_another_user_names_that_user_only(rest: LinkRest) -> None:
    body = UPDATE | {"kind": "token", "access_token": "x", "our_user_id": "user-1"}
    await post(rest, "/v1/hooks/upstox/ann/orders", body)
    (hint,) = rest.links.hints()
    assert (hint.user_id, hint.kind, hint.access_token) == ("ann", HintKind.ORDER, None)


@pytest.mark.parametrize("user_id", ["a.b", "a%20b", "%3E", "x" * 65, "%00", "a%0A", "%C3%A9"])
async def test_an_id_that_is_none_is_refused(rest: LinkRest, user_id: str) -> None:
    for door, body in (("orders", UPDATE), ("token", APPROVED)):
        reply = await post(rest, f"/v1/hooks/upstox/{user_id}/{door}", body)
        assert (reply.status, reply.body["field"]) == (422, "user_id")
    assert (await post(rest, "/v1/hooks/upstox//orders", UPDATE)).status == 404
    assert (await post(rest, "/v1/hooks/upstox/a%2Fb/c/orders", UPDATE)).status == 404
    assert rest.links.requests == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 422), (b"\xff\xfe", 400), (b"[" * 60_000, 400),
        (b" " * (64 * 1024 + 1), 413),
        (json.dumps({"order_id": "x" * 60_000, "access_token": "x" * 5_000}).encode(), 422),
        (json.dumps({"order_id": {"$ne": 1}, "access_token": {"$ne": 1}}).encode(), 422),
    ],
    ids=["empty", "cut", "list", "binary", "deep", "huge", "long", "operator"],
)  # fmt: skip
async def test_a_body_that_is_no_post_of_upstox_is_refused(
    rest: LinkRest, body: bytes, status: int
) -> None:
    for path in POSTS:
        reply = await post(rest, path, body)
        assert reply.status == status, reply.text
        assert len(reply.text) < 1_000
    assert rest.links.requests == []


async def test_a_compressed_body_is_refused(rest: LinkRest) -> None:
    headers = {"Content-Encoding": "gzip"}
    reply = await send(rest.gateway, "POST", ORDERS, token=None, headers=headers, body=b"x")
    assert reply.status == 415


async def test_posts_for_one_user_are_limited_and_those_for_others_are_not(
    nats: NatsServer,
) -> None:
    async with gateway_with_links(nats, hooks_per_sec=0.01, hooks_burst=2) as rest:
        for path, expected in ((ORDERS, 202), (TOKEN, 202), (ORDERS, 429), (TOKEN, 429)):
            reply = await post(rest, path, POSTS[path])
            assert reply.status == expected
        assert reply.body["code"] == "rate_limited"
        assert int(reply.headers["Retry-After"]) > 0
        other = await post(rest, "/v1/hooks/upstox/user-2/orders", UPDATE)
        assert other.status == 202
        assert len(rest.links.hints()) == 3
        # The user's own requests are counted separately.
        assert await rest.state_of() == "unlinked"


async def test_posts_from_one_address_are_limited(nats: NatsServer) -> None:
    limits = {"address_requests_per_sec": 0.01, "address_requests_burst": 3}
    async with gateway_with_links(nats, **limits) as rest:
        paths = [f"/v1/hooks/upstox/user-{number}/orders" for number in range(5)]
        statuses = [(await post(rest, path, UPDATE)).status for path in paths]
        assert statuses == [202, 202, 202, 429, 429]
        assert len(rest.links.hints()) == 3


async def test_posts_that_wait_are_few_and_delay_no_user(nats: NatsServer) -> None:
    async with (
        holding(nats, "trading.0.link_hint") as hints,
        holding(nats, "trading.0.link_status") as requests,
        running_gateway(nats) as gateway,
    ):
        body = json.dumps(UPDATE)
        posts = [
            asyncio.create_task(send(gateway, "POST", ORDERS, token=None, body=body))
            for _ in range(24)
        ]
        await eventually(
            lambda: (len(hints.waiting), sum(one.done() for one in posts)) == (16, 8),
            what="16 posts wait",
        )
        reading = asyncio.create_task(send(gateway, "GET", PATH, purpose="trading"))
        await eventually(lambda: requests.waiting, what="the request of the user is sent")
        await requests.answer(LINKED)
        assert (await reading).status == 200
        await hints.answer(LinkHintReply(taken=True))
        assert {reply.status for reply in await asyncio.gather(*posts)} == {202}


async def test_a_token_is_not_logged_or_answered(rest: LinkRest) -> None:
    with capture_logs() as entries:
        for fields in ({}, {"access_token": "t0ken-2 x"}, {"message_type": "t0ken-3"}):
            reply = await post(rest, TOKEN, APPROVED | fields)
            assert "t0ken" not in reply.text
        rest.links.error = NotFound("no")
        await post(rest, TOKEN, APPROVED)
    assert "t0ken" not in str(entries)
