"""What the requests for orders and accounts may contain: amounts, fields, keys and bodies."""

import itertools
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.support.builders import OTHER_KEY
from tests.support.gateway.rest import send
from tests.support.gateway.trading_rest import (
    COMMAND,
    COMMANDS,
    ENCODED_KEY,
    PLACED,
    QUOTED_INDEX,
    TradingRest,
    gateway_with_trading,
)
from tests.support.servers import NatsServer


@pytest.fixture
async def rest(nats: NatsServer) -> AsyncIterator[TradingRest]:
    async with gateway_with_trading(nats) as rest:
        yield rest


async def test_amounts_keep_every_digit_from_text_and_from_numbers(rest: TradingRest) -> None:
    for text, expected in (
        ('"100.05"', "100.05"), ("100.05", "100.05"), ("100.10", "100.10"), ("0", "0"),
        ("123456789012.3456", "123456789012.3456"), ("2.5e1", "25"), ("1e5", "100000"),
    ):  # fmt: skip
        body = json.dumps(PLACED).replace('"100.05"', text).encode()
        reply = await rest.send("POST", "/v1/orders", body)
        assert reply.status == 201, reply.text
        assert rest.trading.last.price == Decimal(expected)
        assert str(rest.trading.last.price) == expected or "e" in text


BAD_AMOUNTS = [
    '""', '"abc"', '"1e5"', '"+1"', '"-1"', '" 1"', '"1."', '".5"', '"NaN"', '"Infinity"',
    '"100.00001"', "100.00001", "-1", "-0.05", "1e400", "1e-400", "1000000000000", "true",
    "[]", "{}", '"1_0"', '"\u0661"', "100.050000000000001",
]  # fmt: skip


async def test_any_other_amount_is_refused_with_the_name_of_its_field(rest: TradingRest) -> None:
    for text in BAD_AMOUNTS:
        body = json.dumps(PLACED).replace('"100.05"', text).encode()
        reply = await rest.send("POST", "/v1/orders", body)
        assert (reply.status, reply.body["code"], reply.body["field"]) == (
            422, "invalid_field", "price",
        )  # fmt: skip
        assert "4 after" in reply.body["detail"]
    assert rest.trading.requests == []


async def test_a_body_that_is_not_json_is_a_bad_message(rest: TradingRest) -> None:
    for body in (
        b"", b"{", b'{"price": NaN}', b'{"price": Infinity}', b"\xff", b"[" * 5_000,
        b'{"price": 1e99999999999999999999}',
    ):  # fmt: skip
        for method, path in (("POST", "/v1/orders"), ("PUT", "/v1/kill-switch")):
            reply = await rest.send(method, path, body)
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
    ("POST", "/v1/orders/o-1/preview", {}, {}, "body"),
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


async def test_an_invalid_input_is_named_and_does_not_reach_trading(rest: TradingRest) -> None:
    for method, path, query, body, field in BAD:
        reply = await rest.send(method, path, body, **query)
        assert (reply.status, reply.body["code"]) == (422, "invalid_field"), reply.text
        assert reply.body["field"] == field
    assert rest.trading.requests == []


async def test_the_key_of_a_position_is_decoded_once(rest: TradingRest) -> None:
    path = f"/v1/positions/{QUOTED_INDEX}"
    await rest.send("DELETE", path, account="paper", product="D")
    assert rest.trading.last.key == OTHER_KEY == "NSE_INDEX|Nifty 50"
    await rest.send("DELETE", "/v1/positions/A%7CB%2FC%2525", account="paper", product="D")
    assert rest.trading.last.key == "A|B/C%25"


async def test_each_command_needs_a_valid_idempotency_key(rest: TradingRest) -> None:
    bad = [None, "", " ", "a b", "ü", "x" * 65, "a,b", "a/b"]
    for key, (method, path, query, body, *_) in itertools.product(bad, COMMANDS):
        reply = await rest.send(method, path, body, key=key, **query)
        assert (reply.status, reply.body["code"], reply.body["field"]) == (
            400, "idempotency_key_missing", "Idempotency-Key",
        )  # fmt: skip
    assert rest.trading.requests == []


async def test_two_idempotency_keys_are_refused_and_the_longest_is_accepted(
    rest: TradingRest,
) -> None:
    async with rest.gateway.http.post(
        rest.gateway.url + "/v1/paper/reset",
        headers=[
            ("Authorization", f"Bearer {rest.gateway.issuer.token()}"),
            ("Idempotency-Key", "a"),
            ("Idempotency-Key", "b"),
        ],
    ) as response:
        assert response.status == 400
    longest = "aZ09_.:-" * 8
    assert (await rest.send("POST", "/v1/paper/reset", key=longest)).status == 200
    assert rest.trading.last.command_key == longest


async def test_a_compressed_or_long_body_is_refused(rest: TradingRest) -> None:
    long = b'{"is_on": %b}' % (b" " * 70_000)
    assert (await rest.send("PUT", "/v1/kill-switch", long)).status == 413
    reply = await send(
        rest.gateway, "PUT", "/v1/kill-switch", body=b"x",
        headers=COMMAND | {"Content-Encoding": "gzip"},
    )  # fmt: skip
    assert (reply.status, reply.body["code"]) == (415, "unsupported_encoding")
