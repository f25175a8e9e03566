"""The REST API over HTTP, NATS, a real persister and a real database."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from shared.bus.resources import ensure_revocations_bucket
from shared.contracts.messages import FeedState, FeedStatus, encode
from shared.contracts.revocations import SessionRevoked
from shared.contracts.revocations import encode as encode_revocation
from shared.contracts.subjects import STATUS
from shared.market.exchange_time import WINDOW_MS
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, fresh_quote
from tests.support.buses import bus_of
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.rest import (
    CALL,
    MONDAY,
    NIFTY,
    RELIANCE,
    bars_from,
    get,
    store_bars,
    store_instruments,
)
from tests.support.persisters import answering_persister
from tests.support.servers import MongoServer, NatsServer
from tests.support.settings import mongo_settings
from tests.support.waiting import eventually

PROBLEM = "application/problem+json"


@pytest.fixture
async def gateway(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> AsyncIterator[InProcessGateway]:
    async with answering_persister(nats, mongo_settings), running_gateway(nats) as gateway:
        yield gateway


@pytest.fixture
async def alone(nats: NatsServer) -> AsyncIterator[InProcessGateway]:
    """A gateway without a persister."""
    async with running_gateway(nats, question_timeout_secs=0.3) as gateway:
        yield gateway


async def test_bars_are_paged_up_to_the_last_one(gateway: InProcessGateway, mongo: Mongo) -> None:
    await store_bars(mongo, bars_from(MONDAY_10_00, 5))
    pages = []
    cursor: dict[str, Any] = {}
    while True:
        page = await get(gateway, "/v1/bars", key=KEY, limit=2, **MONDAY, **cursor)
        assert page.status == 200, page.text
        pages.append([bar["start"] for bar in page.body["bars"]])
        if "next" not in page.body:
            break
        cursor = {"cursor": page.body["next"]}
    starts = [MONDAY_10_00 + number * WINDOW_MS for number in range(5)]
    assert pages == [starts[:2], starts[2:4], starts[4:]]


async def test_a_bar_has_the_stored_values(gateway: InProcessGateway, mongo: Mongo) -> None:
    await store_bars(mongo, bars_from(MONDAY_10_00, 1))
    reply = await get(gateway, "/v1/bars", key=KEY, from_="2026-11-23", to="2026-11-24")
    assert reply.body == {
        "key": KEY,
        "interval": "5m",
        "bars": [
            {
                "start": MONDAY_10_00, "end": MONDAY_10_00 + WINDOW_MS, "open": 1_400.0,
                "high": 1_401.5, "low": 1_399.95, "close": 1_400.05, "ltq": 5,
                "ltt": MONDAY_10_00, "volume": 3_000_000_000, "vtt": 9_000_000, "atp": 1_400.1,
                "ticks": 7, "state": "complete",
            }
        ],
    }  # fmt: skip
    assert reply.headers["Content-Type"] == "application/json"
    assert reply.headers["X-Content-Type-Options"] == "nosniff"


async def test_longer_bars_are_computed_from_stored_bars(
    gateway: InProcessGateway, mongo: Mongo
) -> None:
    await store_bars(mongo, bars_from(MONDAY_10_00, 6))
    reply = await get(gateway, "/v1/bars", key=KEY, interval="15m", **MONDAY)
    assert [(bar["start"], bar["volume"], bar["high"]) for bar in reply.body["bars"]] == [
        (MONDAY_10_00, 9_000_000_003, 1_403.5),
        (MONDAY_10_00 + 3 * WINDOW_MS, 9_000_000_012, 1_406.5),
    ]


async def test_a_longer_bar_that_is_not_over_is_forming_and_whole(
    gateway: InProcessGateway, mongo: Mongo
) -> None:
    await store_bars(mongo, bars_from(MONDAY_10_00, 4))
    reply = await get(
        gateway, "/v1/bars", key=KEY, interval="15m", from_=MONDAY_10_00, to=MONDAY_10_00 + 1
    )
    assert [(bar["volume"], bar["state"]) for bar in reply.body["bars"]] == [
        (9_000_000_003, "complete")
    ]
    reply = await get(gateway, "/v1/bars", key=KEY, interval="15m", **MONDAY)
    assert [bar["state"] for bar in reply.body["bars"]] == ["complete", "forming"]


async def test_a_cursor_of_another_request_is_refused_with_the_name_of_the_parameter(
    gateway: InProcessGateway, mongo: Mongo
) -> None:
    await store_bars(mongo, bars_from(MONDAY_10_00, 3))
    first: dict[str, Any] = {"key": KEY, "from_": MONDAY_10_00, "limit": 1}
    cursor = (await get(gateway, "/v1/bars", **first)).body["next"]
    for name, value in (
        ("key", OTHER_KEY), ("interval", "1d"), ("from", MONDAY_10_00 + 1), ("to", "2026-11-25")
    ):  # fmt: skip
        other = first | {name if name != "from" else "from_": value, "cursor": cursor}
        reply = await get(gateway, "/v1/bars", **other)
        assert (reply.status, reply.body["field"]) == (422, name)
        assert reply.body["detail"].startswith(f"{name} must be the same")


async def test_a_month_of_bars_is_one_response(gateway: InProcessGateway, mongo: Mongo) -> None:
    count = 22 * 75
    await store_bars(mongo, bars_from(MONDAY_10_00, count))
    end = MONDAY_10_00 + count * WINDOW_MS
    reply = await get(gateway, "/v1/bars", key=KEY, from_=MONDAY_10_00, to=end, limit=2_000)
    assert len(reply.body["bars"]) == count
    assert "next" not in reply.body
    assert reply.headers["Content-Encoding"] == "gzip"


async def test_bars_that_the_client_has_are_not_sent_again(
    gateway: InProcessGateway, mongo: Mongo
) -> None:
    await store_bars(mongo, bars_from(MONDAY_10_00, 2))
    past: dict[str, Any] = {"key": KEY, "from_": "2026-11-01", "to": "2026-11-24"}
    first = await get(gateway, "/v1/bars", **past)
    assert first.headers["Cache-Control"] == "private, max-age=60"
    again = {"If-None-Match": first.headers["ETag"]}
    same = await get(gateway, "/v1/bars", headers=again, **past)
    assert (same.status, same.text, same.headers["ETag"]) == (304, "", first.headers["ETag"])
    await store_bars(mongo, bars_from(MONDAY_10_00, 3))
    changed = await get(gateway, "/v1/bars", headers=again, **past)
    assert (changed.status, len(changed.body["bars"])) == (200, 3)


async def test_bars_that_may_still_change_are_not_cached(gateway: InProcessGateway) -> None:
    reply = await get(gateway, "/v1/bars", key=KEY, from_="2026-11-01")
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "private, no-cache")
    assert reply.body["bars"] == []


async def test_instruments_are_found_by_words_and_by_key(
    gateway: InProcessGateway, mongo: Mongo
) -> None:
    await store_instruments(mongo, [RELIANCE, NIFTY, CALL])

    async def found(**query: Any) -> list[str]:
        reply = await get(gateway, "/v1/instruments", **query)
        assert reply.status == 200, reply.text
        return [instrument["symbol"] for instrument in reply.body["instruments"]]

    assert await found(q="reli") == ["RELIANCE"]
    assert await found(q="nifty 24000 ce") == [CALL.symbol]
    assert await found(q="nifty", type="INDEX,EQ") == ["NIFTY"]
    assert await found(q="nifty", segment=["NSE_FO", "MCX_FO"]) == [CALL.symbol]
    assert await found(q="nifty", expiry="2026-12-31") == []
    by_key = await get(gateway, "/v1/instruments", keys=f"{CALL.key},NSE_EQ|NONE,{KEY}")
    assert [instrument["key"] for instrument in by_key.body["instruments"]] == [CALL.key, KEY]
    assert by_key.body["unknown"] == ["NSE_EQ|NONE"]


async def test_quotes_are_the_last_known_ones_and_missing_keys_have_a_reason(
    gateway: InProcessGateway,
) -> None:
    await gateway.publish(
        fresh_quote(ltp=1_405.5), fresh_quote(key=OTHER_KEY, volume=None, ltq=None)
    )

    async def known() -> bool:
        reply = await get(gateway, "/v1/quotes", keys=[KEY, OTHER_KEY, "NSE_EQ|NONE"])
        assert reply.status == 200
        assert reply.headers["Cache-Control"] == "no-store"
        quotes = {quote["key"]: quote for quote in reply.body["quotes"]}
        missing: dict[str, str] = reply.body["missing"]
        if len(quotes) < 2:
            return False
        assert quotes[KEY]["ltp"] == 1_405.5
        assert "volume" not in quotes[OTHER_KEY]
        assert missing == {"NSE_EQ|NONE": "not_followed"}
        return True

    await eventually(known, what="both quotes")


async def test_the_status_has_the_state_of_the_feed_and_whether_it_is_current(
    gateway: InProcessGateway,
) -> None:
    before = await get(gateway, "/v1/status")
    assert (before.body["feed_is_current"], "feed" in before.body) == (False, False)
    status = FeedStatus(
        state=FeedState.LIVE, since=1, epoch=3, segments={"NSE_EQ": "NORMAL_OPEN"}, simulated=False
    )
    await gateway.ingest.publish(STATUS, encode(status))

    async def has_feed() -> bool:
        body = (await get(gateway, "/v1/status")).body
        if not body["feed_is_current"]:
            return False
        assert body["feed"]["segments"] == status.segments
        assert body["feed"]["simulated"] is False, "false is sent, not left out"
        return True

    await eventually(has_feed, what="the status has the feed")
    assert before.body["gateway"] == {
        "ready": True, "waiting_for": {}, "streams": 0, "instruments": 0,
    }  # fmt: skip


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
    async with running_gateway(nats, question_timeout_secs=2, questions_at_once=1) as gateway:
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
