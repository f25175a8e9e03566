"""The REST API refuses bad, unauthorised and excess requests, and those that it cannot answer."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from shared.bus.resources import ensure_revocations_bucket
from shared.contracts.revocations import SessionRevoked
from shared.contracts.revocations import encode as encode_revocation
from tests.support.builders import KEY
from tests.support.buses import bus_of
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.rest import MONDAY, get
from tests.support.patience import OUTAGE_SECS
from tests.support.persisters import answering_persister
from tests.support.servers import MongoServer, NatsServer
from tests.support.settings import mongo_settings
from tests.support.waiting import eventually

PROBLEM = "application/problem+json"


@pytest.fixture
async def alone(nats: NatsServer) -> AsyncIterator[InProcessGateway]:
    """A gateway without a persister."""
    async with running_gateway(nats, question_timeout_secs=0.3) as gateway:
        yield gateway


BAD: list[tuple[str, dict[str, Any], str, str]] = [
    ("/v1/bars", {"from_": 1}, "key", "required"),
    ("/v1/bars", {"key": "RELIANCE", "from_": 1}, "key", "SEGMENT|TOKEN"),
    ("/v1/bars", {"key": KEY}, "from", "required"),
    ("/v1/bars", {"key": KEY, "from_": "yesterday"}, "from", "Unix milliseconds"),
    ("/v1/bars", {"key": KEY, "from_": 10, "to": 10}, "to", "later than `from`"),
    ("/v1/bars", {"key": KEY, "from_": 1, "limit": 2_001}, "limit", "2000"),
    ("/v1/bars", {"key": KEY, "from_": 1, "interval": "2m"}, "interval", "'5m'"),
    ("/v1/bars", {"key": KEY, "from_": 1, "page": 2}, "page", "not permitted"),
    ("/v1/bars", {"key": KEY, "from_": [1, 2]}, "from", "more than once"),
    ("/v1/bars", {"key": KEY, "from_": 1, "cursor": "x" * 97}, "cursor", "96"),
    ("/v1/bars", {"key": KEY, "from_": 1, "cursor": "beyond"}, "cursor", "an earlier page"),
    ("/v1/bars", {"key": KEY, "from_": 1, "cursor": "9" * 15}, "cursor", "an earlier page"),
    ("/v1/gaps", {"key": KEY, "from_": 1, "cursor": "-1.aa"}, "cursor", "an earlier page"),
    ("/v1/gaps", {"key": KEY, "from_": 1, "limit": 501}, "limit", "500"),
    ("/v1/instruments", {}, "keys", "either `q`"),
    ("/v1/instruments", {"q": "a", "keys": KEY}, "keys", "either `q`"),
    ("/v1/instruments", {"keys": KEY, "limit": 3}, "limit", "applies to a search"),
    ("/v1/instruments", {"q": " \t "}, "q", "a word"),
    ("/v1/instruments", {"q": "a\x00b"}, "q", "printable"),
    ("/v1/quotes", {}, "keys", "required"),
    ("/v1/quotes", {"keys": f"{KEY},NONE"}, "keys.1", "SEGMENT|TOKEN"),
]
"""Path, query, the invalid field, and a part of the detail."""


async def test_an_invalid_parameter_is_named_with_the_rule_that_it_breaks(
    gateway: InProcessGateway,
) -> None:
    for path, query, field, rule in BAD:
        reply = await get(gateway, path, **query)
        assert (reply.status, reply.body["code"]) == (422, "invalid_field"), reply.text
        assert reply.body["field"] == field
        assert rule in reply.body["detail"]
        assert reply.headers["Content-Type"].startswith(PROBLEM)


async def test_only_a_valid_token_is_accepted(alone: InProcessGateway) -> None:
    for token, code in (
        (None, "unauthenticated"),
        ("nonsense", "unauthenticated"),
        (alone.issuer.token(exp=int(time.time()) - 60), "token_expired"),
        (alone.issuer.token(aud="another"), "unauthenticated"),
    ):
        for path in ("/v1/bars", "/v1/gaps", "/v1/instruments", "/v1/quotes", "/v1/status"):
            reply = await get(alone, path, token=token)
            assert (reply.status, reply.body["code"]) == (401, code)
            assert reply.headers["WWW-Authenticate"] == "Bearer"
            assert reply.headers["Content-Type"].startswith(PROBLEM)


async def test_the_token_of_a_revoked_session_is_refused(
    nats: NatsServer, alone: InProcessGateway
) -> None:
    token = alone.issuer.token(sid="ended")
    assert (await get(alone, "/v1/status", token=token)).status == 200
    async with bus_of(nats, "auth") as auth:
        await ensure_revocations_bucket(auth, ttl_secs=600)
        until = int(time.time()) + 600
        await auth.client.publish(
            *encode_revocation(SessionRevoked(session_id="ended", until=until))
        )

    async def refused() -> bool:
        reply = await get(alone, "/v1/status", token=token)
        return (reply.status, reply.body.get("code")) == (401, "revoked")

    await eventually(refused, what="a refusal")


async def test_without_a_persister_requests_fail_and_quotes_are_served(
    alone: InProcessGateway,
) -> None:
    for path, query in (
        ("/v1/bars", {"key": KEY, **MONDAY}),
        ("/v1/gaps", {"key": KEY, **MONDAY}),
        ("/v1/instruments", {"q": "reliance"}),
    ):
        reply = await get(alone, path, **query)
        assert (reply.status, reply.body["code"]) in ((504, "timed_out"), (503, "unavailable"))
        assert reply.headers["Content-Type"].startswith(PROBLEM)
    assert (await get(alone, "/v1/quotes", keys=KEY)).status == 200


async def test_without_nats_requests_are_unavailable(
    nats: NatsServer, alone: InProcessGateway
) -> None:
    nats.kill()
    await alone.wait_not_ready()

    async def unavailable() -> bool:
        reply = await get(alone, "/v1/bars", key=KEY, **MONDAY)
        assert reply.status in (503, 504), reply.text
        return bool(reply.body["code"] == "unavailable")

    await eventually(unavailable, what="503")
    status = await get(alone, "/v1/status")
    assert (status.status, status.body["gateway"]["ready"]) == (200, False)


async def test_without_a_database_requests_are_unavailable_until_it_returns(
    nats: NatsServer, own_mongod: MongoServer
) -> None:
    settings = mongo_settings(own_mongod.url, "test", has_outages=True)
    async with answering_persister(nats, settings), running_gateway(nats) as gateway:
        assert (await get(gateway, "/v1/bars", key=KEY, **MONDAY)).status == 200
        own_mongod.kill()
        reply = await get(gateway, "/v1/bars", key=KEY, **MONDAY)
        assert (reply.status, reply.body["code"]) == (503, "unavailable")
        await asyncio.to_thread(own_mongod.start)

        async def is_back() -> bool:
            return (await get(gateway, "/v1/bars", key=KEY, **MONDAY)).status == 200

        await eventually(is_back, what="bars again")


async def test_one_request_to_the_persister_too_many_is_refused_while_others_wait(
    nats: NatsServer,
) -> None:
    async with running_gateway(
        nats, question_timeout_secs=OUTAGE_SECS, questions_at_once=1
    ) as gateway:
        replies = await asyncio.gather(
            *(get(gateway, "/v1/bars", key=KEY, **MONDAY) for _ in range(3))
        )
    codes = sorted(reply.body["code"] for reply in replies)
    assert codes == ["overloaded", "overloaded", "timed_out"]
    refused = next(reply for reply in replies if reply.status == 503)
    assert refused.headers["Retry-After"] == "1"


async def test_requests_of_a_user_are_limited_apart_from_those_of_other_users(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats, requests_per_sec=0.005, requests_burst=2) as gateway:
        token, other = (gateway.issuer.token(sub=name) for name in ("user-1", "user-2"))
        first = await get(gateway, "/v1/status", token=token)
        assert first.headers["RateLimit-Policy"] == '"user";q=2;w=400'
        assert first.headers["RateLimit"] == '"user";r=1;t=200'
        await get(gateway, "/v1/status", token=token)
        refused = await get(gateway, "/v1/status", token=token)
        assert (refused.status, refused.body["code"]) == (429, "rate_limited")
        assert 0 < int(refused.headers["Retry-After"]) <= 200
        assert refused.headers["RateLimit"].startswith('"user";r=0;t=')
        assert (await get(gateway, "/v1/status", token=other)).status == 200


async def test_requests_with_invalid_tokens_from_an_address_are_limited(nats: NatsServer) -> None:
    async with running_gateway(
        nats, address_requests_per_sec=0.001, address_requests_burst=3,
        trusted_proxies="127.0.0.1/32",
    ) as gateway:  # fmt: skip
        bad = {"X-Forwarded-For": "192.0.2.7"}
        statuses = [
            (await get(gateway, "/v1/status", token="bad", headers=bad)).status for _ in range(5)
        ]
        assert statuses == [401, 401, 401, 429, 429]
        good = {"X-Forwarded-For": "192.0.2.8"}
        assert (await get(gateway, "/v1/status", headers=good)).status == 200
        # An entry of the client before that of the proxy is ignored.
        forged = {"X-Forwarded-For": "192.0.2.99, 192.0.2.7"}
        assert (await get(gateway, "/v1/status", headers=forged)).status == 429


def counted(route: str, status: str) -> float:
    labels = {"route": route, "status": status}
    return REGISTRY.get_sample_value("tradedad_gateway_http_requests_total", labels) or 0.0


async def test_requests_are_counted_by_route_and_not_by_requested_path(
    alone: InProcessGateway,
) -> None:
    quotes, other = counted("/v1/quotes", "200"), counted("other", "404")
    await get(alone, "/v1/quotes", keys=KEY)
    for path in ("/v1/a", "/b", "/wp-login.php"):
        await get(alone, path)
    assert counted("/v1/quotes", "200") == quotes + 1
    assert counted("other", "404") == other + 3


async def test_unknown_paths_and_methods_are_problems_too(
    alone: InProcessGateway,
) -> None:
    nowhere = await get(alone, "/v1/nothing")
    assert (nowhere.status, nowhere.body["code"]) == (404, "not_found")
    posted = await get(alone, "/v1/bars", method="POST")
    assert (posted.status, posted.body["code"]) == (405, "method_not_allowed")
    assert posted.headers["Allow"] == "GET, HEAD"
