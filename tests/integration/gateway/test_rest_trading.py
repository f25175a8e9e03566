"""Orders and accounts over HTTP and NATS, answered by the contract's types."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from shared.contracts import trading as contract
from shared.contracts.order_terms import Account, OrderType, Product, Side, Validity
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
from tests.support.builders import KEY, OTHER_KEY
from tests.support.buses import bus_of, flushed
from tests.support.gateway.fake_trading import REPLIES, FakeTrading, answering_trading
from tests.support.gateway.in_process import InProcessGateway, running_gateway
from tests.support.gateway.rest import send
from tests.support.http import Reply
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

PLACED = {
    "account": "paper", "key": KEY, "side": "BUY", "product": "I", "quantity": 10,
    "order_type": "LIMIT", "price": "100.05",
}  # fmt: skip
ENCODED_KEY = "NSE_EQ%7CINE002A01018"
QUOTED_INDEX = "NSE_INDEX%7CNifty%2050"
COMMAND = {"Idempotency-Key": "c-1"}
USER = "user-1"


@dataclass(frozen=True)
class Doors:
    """A gateway with a trading service behind it."""

    gateway: InProcessGateway
    trading: FakeTrading

    async def send(
        self, method: str, path: str, body: Any = None, *, key: str | None = "c-1", **query: Any
    ) -> Reply:
        """Send a request with an Idempotency-Key; a `body` that is not bytes is encoded."""
        raw = body if isinstance(body, bytes | None) else json.dumps(body)
        headers = {} if key is None else {"Idempotency-Key": key}
        return await send(self.gateway, method, path, headers=headers, body=raw, **query)


@pytest.fixture
async def doors(nats: NatsServer) -> AsyncIterator[Doors]:
    async with answering_trading(nats) as trading, running_gateway(nats) as gateway:
        yield Doors(gateway, trading)


OPERATIONS: list[tuple[str, str, dict[str, Any], Any, Operation, msgspec.Struct]] = [
    ("POST", "/v1/orders", {}, PLACED, Operation.PLACE, contract.OrderRequest(
        user_id=USER, command_key="c-1", account=Account.PAPER, key=KEY, side=Side.BUY,
        product=Product.INTRADAY, quantity=10, order_type=OrderType.LIMIT, price=Decimal("100.05"),
    )),
    ("POST", "/v1/orders/preview", {}, PLACED, Operation.PREVIEW, contract.OrderRequest(
        user_id=USER, account=Account.PAPER, key=KEY, side=Side.BUY,
        product=Product.INTRADAY, quantity=10, order_type=OrderType.LIMIT, price=Decimal("100.05"),
    )),
    ("GET", "/v1/orders", {"account": "paper", "open_only": "true", "limit": 5}, None,
     Operation.ORDERS,
     contract.OrdersQuery(user_id=USER, account=Account.PAPER, open_only=True, limit=5)),
    ("DELETE", "/v1/orders", {"account": "upstox"}, None, Operation.CANCEL_ALL,
     contract.AccountCommand(user_id=USER, command_key="c-1", account=Account.UPSTOX)),
    ("GET", "/v1/orders/events", {"after": 6, "limit": 2}, None, Operation.EVENTS,
     contract.EventsQuery(user_id=USER, after=6, limit=2)),
    ("GET", "/v1/orders/o-1", {}, None, Operation.ORDER,
     contract.OrderQuery(user_id=USER, order_id="o-1")),
    ("PATCH", "/v1/orders/o-1", {}, {"price": 100.1, "validity": "IOC"}, Operation.MODIFY,
     contract.ModifyRequest(
         user_id=USER, command_key="c-1", order_id="o-1", price=Decimal("100.1"),
         validity=Validity.IOC,
     )),
    ("DELETE", "/v1/orders/o-1", {}, None, Operation.CANCEL,
     contract.CancelRequest(user_id=USER, command_key="c-1", order_id="o-1")),
    ("GET", "/v1/trades", {"account": "paper"}, None, Operation.TRADES,
     contract.OrdersQuery(user_id=USER, account=Account.PAPER)),
    ("GET", "/v1/positions", {"account": "paper"}, None, Operation.POSITIONS,
     contract.AccountQuery(user_id=USER, account=Account.PAPER)),
    ("DELETE", "/v1/positions", {"account": "paper"}, None, Operation.EXIT,
     contract.ExitRequest(user_id=USER, command_key="c-1", account=Account.PAPER)),
    ("DELETE", f"/v1/positions/{ENCODED_KEY}", {"account": "paper", "product": "I"}, None,
     Operation.EXIT, contract.ExitRequest(
         user_id=USER, command_key="c-1", account=Account.PAPER, key=KEY, product=Product.INTRADAY,
     )),
    ("GET", "/v1/holdings", {"account": "paper"}, None, Operation.HOLDINGS,
     contract.AccountQuery(user_id=USER, account=Account.PAPER)),
    ("GET", "/v1/funds", {"account": "upstox"}, None, Operation.FUNDS,
     contract.AccountQuery(user_id=USER, account=Account.UPSTOX)),
    ("GET", "/v1/limits", {"account": "paper"}, None, Operation.LIMITS,
     contract.AccountQuery(user_id=USER, account=Account.PAPER)),
    ("PUT", "/v1/kill-switch", {}, {"is_on": True}, Operation.SET_KILL_SWITCH,
     contract.SetKillSwitchRequest(user_id=USER, command_key="c-1", is_on=True)),
    ("POST", "/v1/paper/reset", {}, None, Operation.RESET,
     contract.AccountCommand(user_id=USER, command_key="c-1", account=Account.PAPER)),
]  # fmt: skip
"""Method, path, query, body, and the operation with the request that trading gets."""
COMMANDS = [
    row for row in OPERATIONS if row[0] != "GET" and row[4] is not Operation.PREVIEW
]  # fmt: skip


async def test_each_operation_reaches_trading_and_its_reply_is_relayed(doors: Doors) -> None:
    assert {row[4] for row in OPERATIONS} == set(Operation)
    for method, path, query, body, operation, expected in OPERATIONS:
        reply = await doors.send(method, path, body, **query)
        assert reply.status == (201 if operation is Operation.PLACE else 200), reply.text
        assert doors.trading.requests[-1] == (0, operation, expected)
        assert reply.text == msgspec.json.encode(REPLIES[operation]).decode()
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Content-Type"] == "application/json"
        assert "RateLimit" in reply.headers


async def test_a_placed_order_has_a_location_that_shows_it(doors: Doors) -> None:
    reply = await doors.send("POST", "/v1/orders", PLACED)
    assert reply.headers["Location"] == "/v1/orders/o-1"
    shown = await doors.send("GET", reply.headers["Location"])
    assert shown.body["order"] == reply.body


async def test_the_user_is_that_of_the_token_and_never_of_the_body(doors: Doors) -> None:
    token = doors.gateway.issuer.token(sub="user-2")
    await send(doors.gateway, "GET", "/v1/funds", token=token, account="paper")
    assert doors.trading.last.user_id == "user-2"
    reply = await doors.send("POST", "/v1/orders", PLACED | {"user_id": "user-2"})
    assert (reply.status, reply.body["field"]) == (422, "user_id")
    reply = await doors.send("GET", "/v1/funds", account="paper", user_id="user-2")
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


async def test_amounts_keep_every_digit_from_text_and_from_numbers(doors: Doors) -> None:
    for text, expected in (
        ('"100.05"', "100.05"), ("100.05", "100.05"), ("100.10", "100.10"), ("0", "0"),
        ("123456789012.3456", "123456789012.3456"), ("2.5e1", "25"), ("1e5", "100000"),
    ):  # fmt: skip
        body = json.dumps(PLACED).replace('"100.05"', text).encode()
        reply = await doors.send("POST", "/v1/orders", body)
        assert reply.status == 201, reply.text
        assert doors.trading.last.price == Decimal(expected)
        assert str(doors.trading.last.price) == expected or "e" in text


BAD_AMOUNTS = [
    '""', '"abc"', '"1e5"', '"+1"', '"-1"', '" 1"', '"1."', '".5"', '"NaN"', '"Infinity"',
    '"100.00001"', "100.00001", "-1", "-0.05", "1e400", "1e-400", "1000000000000", "true",
    "[]", "{}", '"1_0"', '"\u0661"', "100.050000000000001",
]  # fmt: skip


async def test_any_other_amount_is_refused_with_the_name_of_its_field(doors: Doors) -> None:
    for text in BAD_AMOUNTS:
        body = json.dumps(PLACED).replace('"100.05"', text).encode()
        reply = await doors.send("POST", "/v1/orders", body)
        assert (reply.status, reply.body["code"], reply.body["field"]) == (
            422, "invalid_field", "price",
        )  # fmt: skip
        assert "4 after" in reply.body["detail"]
    assert doors.trading.requests == []


async def test_a_body_that_is_not_json_is_a_bad_message(doors: Doors) -> None:
    for body in (
        b"", b"{", b'{"price": NaN}', b'{"price": Infinity}', b"\xff", b"[" * 5_000,
        b'{"price": 1e99999999999999999999}',
    ):  # fmt: skip
        for method, path in (("POST", "/v1/orders"), ("PUT", "/v1/kill-switch")):
            reply = await doors.send(method, path, body)
            assert (reply.status, reply.body["code"]) == (400, "bad_message"), body


BAD: list[tuple[str, str, dict[str, Any], Any, str]] = [
    ("POST", "/v1/orders", {}, {}, "account"),
    ("POST", "/v1/orders", {}, PLACED | {"account": "live"}, "account"),
    ("POST", "/v1/orders", {}, PLACED | {"key": "RELIANCE"}, "key"),
    ("POST", "/v1/orders", {}, PLACED | {"quantity": 0}, "quantity"),
    ("POST", "/v1/orders", {}, PLACED | {"quantity": "1"}, "quantity"),
    ("POST", "/v1/orders", {}, PLACED | {"quantity": 1.5}, "quantity"),
    ("POST", "/v1/orders", {}, PLACED | {"quantity": True}, "quantity"),
    ("POST", "/v1/orders", {}, PLACED | {"quantity": 10_000_001}, "quantity"),
    ("POST", "/v1/orders", {}, PLACED | {"order_type": "limit"}, "order_type"),
    ("POST", "/v1/orders", {}, PLACED | {"tag": "x"}, "tag"),
    ("POST", "/v1/orders", {}, PLACED | {"disclosed_quantity": -1}, "disclosed_quantity"),
    ("POST", "/v1/orders", {}, [], "body"),
    ("POST", "/v1/orders/preview", {}, PLACED | {"side": "LONG"}, "side"),
    ("PATCH", "/v1/orders/o-1", {}, {}, "body"),
    ("PATCH", "/v1/orders/o-1", {}, {"price": None}, "body"),
    ("PATCH", "/v1/orders/o-1", {}, {"side": "BUY"}, "side"),
    ("PATCH", f"/v1/orders/{'x' * 65}", {}, {"quantity": 1}, "order_id"),
    ("GET", "/v1/orders/%24where", {}, None, "order_id"),
    ("GET", "/v1/orders", {}, None, "account"),
    ("GET", "/v1/orders", {"account": "paper", "limit": 201}, None, "limit"),
    ("GET", "/v1/orders", {"account": "paper", "open_only": "1"}, None, "open_only"),
    ("GET", "/v1/orders/events", {"after": -1}, None, "after"),
    ("GET", "/v1/trades", {"account": "paper", "open_only": "true"}, None, "open_only"),
    ("GET", "/v1/positions", {"account": "both"}, None, "account"),
    ("GET", "/v1/holdings", {}, None, "account"),
    ("GET", "/v1/funds", {}, None, "account"),
    ("GET", "/v1/limits", {}, None, "account"),
    ("DELETE", "/v1/orders", {}, None, "account"),
    ("DELETE", "/v1/positions", {}, None, "account"),
    ("DELETE", "/v1/positions", {"account": "paper", "product": "I"}, None, "product"),
    ("DELETE", f"/v1/positions/{ENCODED_KEY}", {"account": "paper"}, None, "product"),
    ("DELETE", f"/v1/positions/{ENCODED_KEY}", {"product": "I"}, None, "account"),
    ("DELETE", "/v1/positions/NIFTY", {"account": "paper", "product": "I"}, None, "key"),
    ("PUT", "/v1/kill-switch", {}, {"is_on": 1}, "is_on"),
    ("PUT", "/v1/kill-switch", {}, {}, "is_on"),
]
"""Method, path, query, body, and the field that is named."""


async def test_an_invalid_input_is_named_and_does_not_reach_trading(doors: Doors) -> None:
    for method, path, query, body, field in BAD:
        reply = await doors.send(method, path, body, **query)
        assert (reply.status, reply.body["code"]) == (422, "invalid_field"), reply.text
        assert reply.body["field"] == field
    assert doors.trading.requests == []


async def test_the_key_of_a_position_is_decoded_once(doors: Doors) -> None:
    path = f"/v1/positions/{QUOTED_INDEX}"
    await doors.send("DELETE", path, account="paper", product="D")
    assert doors.trading.last.key == OTHER_KEY == "NSE_INDEX|Nifty 50"
    await doors.send("DELETE", "/v1/positions/A%7CB%2FC%2525", account="paper", product="D")
    assert doors.trading.last.key == "A|B/C%25"


async def test_each_command_needs_a_valid_idempotency_key(doors: Doors) -> None:
    bad = [None, "", " ", "a b", "ü", "x" * 65, "a,b", "a/b"]
    for key, (method, path, query, body, *_) in itertools.product(bad, COMMANDS):
        reply = await doors.send(method, path, body, key=key, **query)
        assert (reply.status, reply.body["code"], reply.body["field"]) == (
            400, "idempotency_key_missing", "Idempotency-Key",
        )  # fmt: skip
    assert doors.trading.requests == []


async def test_two_idempotency_keys_are_refused_and_the_longest_is_accepted(doors: Doors) -> None:
    async with doors.gateway.http.post(
        doors.gateway.url + "/v1/paper/reset",
        headers=[
            ("Authorization", f"Bearer {doors.gateway.issuer.token()}"),
            ("Idempotency-Key", "a"),
            ("Idempotency-Key", "b"),
        ],
    ) as response:
        assert response.status == 400
    longest = "aZ09_.:-" * 8
    assert (await doors.send("POST", "/v1/paper/reset", key=longest)).status == 200
    assert doors.trading.last.command_key == longest


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


async def test_an_error_of_trading_keeps_its_code_and_members(doors: Doors) -> None:
    requests = [("POST", "/v1/orders", PLACED), ("GET", "/v1/orders/o-1", None)]
    for (error, status, members), request in itertools.product(ERRORS, requests):
        doors.trading.error = error
        reply = await doors.send(*request)
        assert reply.status == status
        assert reply.body | members == reply.body
        assert reply.body["detail"] == error.detail
        assert ("Retry-After" in reply.headers) == (status in (429, 503))


async def test_a_command_that_trading_cannot_execute_now_may_be_repeated(doors: Doors) -> None:
    doors.trading.error = Unavailable("another process takes over")
    reply = await doors.send("DELETE", "/v1/orders/o-1")
    assert (reply.status, reply.body["code"]) == (503, "unavailable")
    assert "takes over; repeat the request with the same Idempotency-Key" in reply.body["detail"]
    assert "repeat" not in (await doors.send("GET", "/v1/orders/o-1")).body["detail"]


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
        running_gateway(nats, order_timeout_secs=2, trading_requests_at_once=1) as gateway,
    ):
        await silent.client.subscribe("trading.*.*")
        await flushed(silent.client)
        replies = await asyncio.gather(
            *(send(gateway, "GET", "/v1/funds", account="paper") for _ in range(3))
        )
    assert sorted(reply.body["code"] for reply in replies) == [
        "overloaded", "overloaded", "timed_out",
    ]  # fmt: skip


async def test_only_a_valid_token_is_accepted(doors: Doors) -> None:
    for token in (None, "nonsense"):
        for method, path, query, body, *_ in OPERATIONS:
            raw = None if body is None else json.dumps(body)
            reply = await send(
                doors.gateway, method, path, token=token, headers=COMMAND, body=raw, **query
            )
            assert (reply.status, reply.body["code"]) == (401, "unauthenticated")
    assert doors.trading.requests == []


async def test_other_methods_of_a_path_are_refused(doors: Doors) -> None:
    for method, path, allowed in (
        ("DELETE", "/v1/orders/events", "GET, HEAD"), ("GET", "/v1/orders/preview", "POST"),
        ("PATCH", "/v1/orders/preview", "POST"), ("PUT", "/v1/orders", "DELETE, GET, HEAD, POST"),
        ("POST", "/v1/orders/o-1", "DELETE, GET, HEAD, PATCH"),
        ("GET", "/v1/positions/A%7CB", "DELETE"), ("GET", "/v1/kill-switch", "PUT"),
    ):  # fmt: skip
        reply = await doors.send(method, path)
        assert (reply.status, reply.headers["Allow"]) == (405, allowed), path
    assert doors.trading.requests == []


async def test_a_compressed_or_long_body_is_refused(doors: Doors) -> None:
    long = b'{"is_on": %b}' % (b" " * 70_000)
    assert (await doors.send("PUT", "/v1/kill-switch", long)).status == 413
    reply = await send(
        doors.gateway, "PUT", "/v1/kill-switch", body=b"x",
        headers=COMMAND | {"Content-Encoding": "gzip"},
    )  # fmt: skip
    assert (reply.status, reply.body["code"]) == (415, "unsupported_encoding")
