"""Orders and accounts over HTTP and NATS, answered by the contract's types."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator

import msgspec
import pytest

from shared.contracts.trading import Operation, partition_of
from shared.errors import (
    CommandInFlight,
    IdempotencyKeyReused,
    InvalidField,
    NotFound,
    OrderFinal,
    OrderRefused,
    Overloaded,
    RateLimited,
    RequestError,
    Unavailable,
)
from tests.support.buses import bus_of, flushed
from tests.support.gateway.fake_trading import REPLIES, answering_trading
from tests.support.gateway.in_process import running_gateway
from tests.support.gateway.rest import send
from tests.support.gateway.trading_rest import (
    COMMAND,
    OPERATIONS,
    PLACED,
    TradingRest,
    gateway_with_trading,
)
from tests.support.patience import OUTAGE_SECS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


@pytest.fixture
async def rest(nats: NatsServer) -> AsyncIterator[TradingRest]:
    async with gateway_with_trading(nats) as rest:
        yield rest


async def test_each_operation_reaches_trading_and_its_reply_is_relayed(rest: TradingRest) -> None:
    assert {row[4] for row in OPERATIONS} == set(Operation)
    for method, path, query, body, operation, expected in OPERATIONS:
        reply = await rest.send(method, path, body, **query)
        assert reply.status == (201 if operation is Operation.PLACE else 200), reply.text
        assert rest.trading.requests[-1] == (0, operation, expected)
        assert reply.text == msgspec.json.encode(REPLIES[operation]).decode()
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Content-Type"] == "application/json"
        assert "RateLimit" in reply.headers


async def test_a_placed_order_has_a_location_that_shows_it(rest: TradingRest) -> None:
    reply = await rest.send("POST", "/v1/orders", PLACED)
    assert reply.headers["Location"] == "/v1/orders/o-1"
    shown = await rest.send("GET", reply.headers["Location"])
    assert shown.body["order"] == reply.body


async def test_the_user_is_that_of_the_token_and_never_of_the_body(rest: TradingRest) -> None:
    token = rest.gateway.issuer.token(sub="user-2")
    await send(rest.gateway, "GET", "/v1/funds", token=token, account="paper")
    assert rest.trading.last.user_id == "user-2"
    reply = await rest.send("POST", "/v1/orders", PLACED | {"user_id": "user-2"})
    assert (reply.status, reply.body["field"]) == (422, "user_id")
    reply = await rest.send("GET", "/v1/funds", account="paper", user_id="user-2")
    assert (reply.status, reply.body["field"]) == (422, "user_id")


async def test_a_user_is_served_by_its_own_partition(nats: NatsServer) -> None:
    async with (
        answering_trading(nats, partitions=3) as trading,
        running_gateway(nats, trading_partitions=3) as gateway,
    ):
        users = [f"user-{number}" for number in range(20)]
        for user in users:
            token = gateway.issuer.token(sub=user)
            reply = await send(gateway, "GET", "/v1/funds", token=token, account="paper")
            assert reply.status == 200
        seen = {request.user_id: partition for partition, _, request in trading.requests}
        assert seen == {user: partition_of(user, 3) for user in users}
        assert set(seen.values()) == {0, 1, 2}


ERRORS: list[tuple[RequestError, int, dict[str, str]]] = [
    (OrderRefused("too much", field="quantity", rule="freeze", limit="1800", value="2000"), 422,
     {"code": "order_refused", "field": "quantity", "rule": "freeze", "limit": "1800",
      "value": "2000"}),
    (NotFound("no such order", field="order_id"), 404, {"code": "not_found"}),
    (OrderFinal("filled"), 409, {"code": "order_final"}),
    (CommandInFlight("wait", field="command_key"), 409,
     {"code": "command_in_flight", "field": "Idempotency-Key"}),
    (IdempotencyKeyReused("another command", field="command_key"), 422,
     {"code": "idempotency_key_reused", "field": "Idempotency-Key"}),
    (InvalidField("price: must be on a tick", field="price"), 422, {"code": "invalid_field"}),
    (RateLimited("too many orders"), 429, {"code": "rate_limited"}),
    (Overloaded("full"), 503, {"code": "overloaded"}),
]  # fmt: skip


async def test_an_error_of_trading_keeps_its_code_and_members(rest: TradingRest) -> None:
    requests = [("POST", "/v1/orders", PLACED), ("GET", "/v1/orders/o-1", None)]
    for (error, status, members), request in itertools.product(ERRORS, requests):
        rest.trading.error = error
        reply = await rest.send(*request)
        assert reply.status == status
        assert reply.body | members == reply.body
        assert reply.body["detail"] == error.detail
        assert ("Retry-After" in reply.headers) == (status in (429, 503))


async def test_a_command_that_trading_does_not_execute_has_a_known_outcome(
    rest: TradingRest,
) -> None:
    rest.trading.error = Unavailable("another process takes over")
    reply = await rest.send("DELETE", "/v1/orders/o-1")
    assert (reply.status, reply.body["code"]) == (503, "unavailable")
    assert reply.body["detail"] == "another process takes over"


async def test_without_a_trading_service_requests_fail_in_time(nats: NatsServer) -> None:
    async with running_gateway(nats, order_timeout_secs=0.2) as gateway:
        for method, path, query, body, *_ in OPERATIONS:
            raw = None if body is None else json.dumps(body)
            reply = await send(gateway, method, path, headers=COMMAND, body=raw, **query)
            # Between accounts, nats-server does not always report that nobody is subscribed.
            assert (reply.status, reply.body["code"]) in ((504, "timed_out"), (503, "unavailable"))


async def test_without_nats_requests_are_unavailable(nats: NatsServer) -> None:
    async with running_gateway(nats, order_timeout_secs=0.3) as gateway:
        nats.kill()
        await gateway.wait_not_ready()

        async def unavailable() -> bool:
            reply = await send(gateway, "DELETE", "/v1/orders/o-1", headers=COMMAND)
            assert reply.status in (503, 504), reply.text
            assert "same Idempotency-Key" in reply.body["detail"]
            return bool(reply.body["code"] == "unavailable")

        await eventually(unavailable, what="503")


async def test_a_command_without_an_answer_says_that_its_outcome_is_not_known(
    nats: NatsServer,
) -> None:
    async with (
        bus_of(nats, "trading") as silent,
        running_gateway(nats, order_timeout_secs=0.2) as gateway,
    ):
        await silent.client.subscribe("trading.*.*")
        await flushed(silent.client)
        reply = await send(gateway, "POST", "/v1/paper/reset", headers=COMMAND)
        assert (reply.status, reply.body["code"]) == (504, "timed_out")
        assert "the outcome is not known" in reply.body["detail"]
        assert "same Idempotency-Key" in reply.body["detail"]
        query = await send(gateway, "GET", "/v1/funds", account="paper")
        assert (query.status, query.body["code"]) == (504, "timed_out")
        assert "outcome" not in query.body["detail"]


async def test_one_request_to_trading_too_many_is_refused_while_others_wait(
    nats: NatsServer,
) -> None:
    async with (
        bus_of(nats, "trading") as silent,
        running_gateway(
            nats, order_timeout_secs=OUTAGE_SECS, trading_requests_at_once=1
        ) as gateway,
    ):
        await silent.client.subscribe("trading.*.*")
        await flushed(silent.client)
        replies = await asyncio.gather(
            *(send(gateway, "GET", "/v1/funds", account="paper") for _ in range(3))
        )
    assert sorted(reply.body["code"] for reply in replies) == [
        "overloaded", "overloaded", "timed_out",
    ]  # fmt: skip


async def test_a_partition_that_does_not_answer_delays_no_user_of_another(
    nats: NatsServer,
) -> None:
    async with (
        answering_trading(nats, partitions=1) as trading,
        bus_of(nats, "trading") as silent,
        running_gateway(
            nats, order_timeout_secs=OUTAGE_SECS, trading_requests_at_once=1, trading_partitions=2
        ) as gateway,
    ):
        await silent.client.subscribe("trading.1.*")
        await flushed(silent.client)
        served, waiting = (
            next(user for user in map(str, range(99)) if partition_of(user, 2) == partition)
            for partition in range(2)
        )

        async def status(user: str) -> int:
            token = gateway.issuer.token(sub=user)
            return (await send(gateway, "GET", "/v1/funds", token=token, account="paper")).status

        first = asyncio.create_task(status(waiting))
        await eventually(lambda: silent.client.stats["in_msgs"], what="the request is in flight")
        assert await status(served) == 200
        assert await status(waiting) == 503
        assert await first == 504
        assert [partition for partition, *_ in trading.requests] == [0]


async def test_only_a_valid_token_is_accepted(rest: TradingRest) -> None:
    for token in (None, "nonsense"):
        for method, path, query, body, *_ in OPERATIONS:
            raw = None if body is None else json.dumps(body)
            reply = await send(
                rest.gateway, method, path, token=token, headers=COMMAND, body=raw, **query
            )
            assert (reply.status, reply.body["code"]) == (401, "unauthenticated")
    assert rest.trading.requests == []


async def test_other_methods_of_a_path_are_refused(rest: TradingRest) -> None:
    for method, path, allowed in (
        ("DELETE", "/v1/orders/events", "GET, HEAD"), ("GET", "/v1/orders/preview", "POST"),
        ("PATCH", "/v1/orders/preview", "POST"), ("PUT", "/v1/orders", "DELETE, GET, HEAD, POST"),
        ("POST", "/v1/orders/o-1", "DELETE, GET, HEAD, PATCH"),
        ("GET", "/v1/positions/A%7CB", "DELETE"), ("GET", "/v1/kill-switch", "PUT"),
    ):  # fmt: skip
        reply = await rest.send(method, path)
        assert (reply.status, reply.headers["Allow"]) == (405, allowed), path
    assert rest.trading.requests == []
