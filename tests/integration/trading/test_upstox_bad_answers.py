"""A command is sent at most once, to its own host, whatever the server answers; bad reads fail."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from services.simulator.settings import SIMULATED_TOKEN
from services.trading.upstox.account_calls import NOT_SENT, OVERLOADED
from services.trading.upstox.answers import Answer, Lost, Refused
from services.trading.upstox.calls import UpstoxCalls
from services.trading.upstox.client_configuration import new_client
from services.trading.upstox.rows import OrderBookRows
from shared.errors import UpstoxUnauthorised, UpstoxUnavailable
from tests.support.upstox_calls import (
    account_calls,
    http_response,
    order_terms,
    raw_server,
    self_signed,
    trading_settings,
)

HTML = b"<!DOCTYPE html><title>Attention Required! | Cloudflare</title>"
UDAPI = b'{"status":"error","errors":[{"errorCode":"UDAPI1154","message":"Static IP"}]}'
Command = Callable[[UpstoxCalls], Awaitable[Answer]]
COMMANDS: dict[str, Command] = {
    "POST": lambda calls: calls.place(order_terms(), "o-1"),
    "PUT": lambda calls: calls.modify("25", order_terms(price="1201")),
    "DELETE": lambda calls: calls.cancel("25"),
}


@pytest.mark.parametrize("method", COMMANDS)
@pytest.mark.parametrize(
    ("answer", "lost"),
    [
        (http_response("403 Forbidden", HTML, "text/html"), "HTTP 403"),
        (http_response("429 Too Many Requests", HTML, "text/html"), "HTTP 429"),
        (http_response("502 Bad Gateway", UDAPI), "HTTP 502"),
        (http_response("200 OK", HTML, "text/html"), "HTTP 200 with a body that is not JSON"),
        (http_response("200 OK", b'{"status":"success","data":{}}'), "success without an order id"),
        (http_response("200 OK", b'{"status":"succ'), "HTTP 200 with a body that is not JSON"),
        (http_response("200 OK", b"0123")[:-2], "no complete answer (ProtocolError)"),
        (http_response("307 Temporary Redirect\r\nLocation: /v3/order/place", b""), "HTTP 307"),
        (b"HTTP/1.1 20", "no complete answer (ProtocolError)"),
        (b"", "no complete answer (ProtocolError)"),
    ],
)
async def test_a_bad_answer_is_lost_and_the_command_was_sent_once(
    method: str, answer: bytes, lost: str
) -> None:
    async with raw_server(answer) as server, account_calls(server.url) as calls:
        assert await COMMANDS[method](calls) == Lost(lost)
        assert [request.split()[0] for request in server.requests] == [method.encode()]


@pytest.mark.parametrize("method", COMMANDS)
@pytest.mark.parametrize("through_proxy", [False, True])
async def test_a_reset_is_lost_and_the_command_was_sent_once(
    method: str, *, through_proxy: bool
) -> None:
    async with raw_server(None, is_reset=True) as server:
        proxy = {"proxy_url": server.url} if through_proxy else {}
        url = "http://api.upstox.invalid" if through_proxy else server.url
        async with account_calls(url, **proxy) as calls:
            assert isinstance(await COMMANDS[method](calls), Lost)
        assert [request.split()[0] for request in server.requests] == [method.encode()]


@pytest.mark.parametrize("method", COMMANDS)
async def test_silence_is_lost_and_the_command_was_sent_once(method: str) -> None:
    async with raw_server(None, is_open=True) as server:
        async with account_calls(server.url, timeout_secs=1) as calls:
            assert await COMMANDS[method](calls) == Lost("no complete answer (ReadTimeoutError)")
        assert [request.split()[0] for request in server.requests] == [method.encode()]


@pytest.mark.parametrize("method", COMMANDS)
async def test_several_order_ids_or_a_foreign_one_are_lost(method: str) -> None:
    body = b'{"status":"success","data":{"order_ids":["25","26"],"order_id":"27"}}'
    async with raw_server(http_response("200 OK", body)) as server:
        async with account_calls(server.url) as calls:
            assert isinstance(await COMMANDS[method](calls), Lost)


@pytest.mark.parametrize("method", COMMANDS)
async def test_a_refusal_is_certain(method: str) -> None:
    async with raw_server(http_response("403 Forbidden", UDAPI)) as server:
        async with account_calls(server.url) as calls:
            assert await COMMANDS[method](calls) == Refused("UDAPI1154", "Static IP")


@pytest.mark.parametrize("method", COMMANDS)
@pytest.mark.parametrize("through_proxy", [False, True])
async def test_a_command_without_a_connection_was_not_sent(
    method: str, *, through_proxy: bool
) -> None:
    async with raw_server(None) as server:
        closed = server.url
    proxy = {"proxy_url": closed} if through_proxy else {}
    async with account_calls(closed, **proxy) as calls:
        refused = await COMMANDS[method](calls)
    assert isinstance(refused, Refused)
    assert refused.code == NOT_SENT


async def test_terms_that_cannot_be_sent_are_refused() -> None:
    async with raw_server(None) as server, account_calls(server.url) as calls:
        for terms, tag in ((order_terms(price=None), "o-1"), (order_terms(), "x" * 41)):
            refused = await calls.place(terms, tag)
            assert isinstance(refused, Refused)
            assert refused.code == NOT_SENT
        assert server.requests == []


async def test_a_command_beyond_the_places_was_not_sent() -> None:
    async with raw_server(None, is_open=True) as server:
        async with account_calls(server.url, timeout_secs=2) as calls:
            commands = [asyncio.create_task(calls.cancel("25")) for _ in range(5)]
            answers = await asyncio.gather(*commands)
    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert [answer.code for answer in refused] == [OVERLOADED]
    assert len(server.requests) == 4 == len(answers) - len(refused)


async def test_a_command_that_is_refused_in_its_thread_is_not_sent() -> None:
    late = Refused("deadline_passed", "too late")
    async with raw_server(None) as server, account_calls(server.url) as calls:
        assert await calls.place(order_terms(), "o-1", lambda: late) == late
        assert await calls.modify("25", order_terms(), lambda: late) == late
        assert await calls.cancel("25", lambda: late) == late
        assert server.requests == []


async def test_a_body_without_an_end_is_lost() -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b" " * (17 << 20)
    async with raw_server(endless) as server, account_calls(server.url) as calls:
        answer = await calls.cancel("25")
        assert isinstance(answer, Lost)
        assert "longer than" in answer.detail
        with pytest.raises(UpstoxUnavailable, match="longer than"):
            await calls.orders()


@pytest.mark.parametrize(
    "answer",
    [
        http_response("401 Unauthorized", HTML, "text/html"), http_response("200 OK", HTML), b"",
        http_response("200 OK", b'{"status":"success","data":null}'),
        http_response("200 OK", b'{"status":"success","data":{"orders":[]}}'),
    ],
)  # fmt: skip
async def test_a_read_without_a_good_answer_is_unavailable(answer: bytes) -> None:
    async with raw_server(answer) as server, account_calls(server.url) as calls:
        for read in (calls.orders, calls.positions, calls.funds, calls.stream_address):
            with pytest.raises(UpstoxUnavailable) as raised:
                await read()
            assert not isinstance(raised.value, UpstoxUnauthorised)


async def test_a_bad_row_does_not_hide_the_others() -> None:
    body = (
        b'{"status":"success","data":[5,{"isin":"x"},{"instrument_token":"NSE_EQ|INE1","quantity":1,'
        b'"average_price":0.1,"last_price":NaN},{"instrument_token":"NSE_EQ|INE2","quantity":1,'
        b'"average_price":100.10}]}'
    )
    async with raw_server(http_response("200 OK", body)) as server:
        async with account_calls(server.url) as calls:
            (holding,) = (await calls.holdings()).holdings
    assert (holding.key, str(holding.average_price)) == ("NSE_EQ|INE2", "100.1")


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        (b"[]", frozenset()),
        (b'[{"order_id":"25","tag":"o-1","product":"CO"},{"order_id":"26"}]', {"25", "26", "o-1"}),
        (b'[{"order_id":"25"},{"tag":"o-1"}]', None),
        (b"[5]", None),
    ],
)
async def test_the_names_of_an_order_book_include_rows_that_cannot_be_read(
    rows: bytes, names: frozenset[str] | None
) -> None:
    body = http_response("200 OK", b'{"status":"success","data":' + rows + b"}")
    async with raw_server(body) as server, account_calls(server.url) as calls:
        assert await calls.orders() == OrderBookRows([], names)


async def test_hosts_are_those_of_the_settings_for_each_client() -> None:
    sandbox = trading_settings("https://api.upstox.com", upstox_sandbox=True)
    live = trading_settings("https://api.upstox.com")
    ours = trading_settings("http://127.0.0.1:1")
    apart = trading_settings("http://127.0.0.1:1", order_api_url="http://127.0.0.1:2")
    hosts = []
    for settings in (live, sandbox, ours, apart, live):
        client = await asyncio.to_thread(new_client, settings, SIMULATED_TOKEN)
        hosts.append((client.configuration.host, client.configuration.order_host))
        assert client.configuration.verify_ssl
    sandbox_host = "https://api-sandbox.upstox.com"
    assert hosts == [
        ("https://api.upstox.com", "https://api-hft.upstox.com"),
        (sandbox_host, sandbox_host),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://127.0.0.1:1", "http://127.0.0.1:2"),
        ("https://api.upstox.com", "https://api-hft.upstox.com"),
    ]
    assert logging.getLogger("urllib3").handlers == []
    assert logging.getLogger("upstox_client").handlers == []


async def test_the_sandbox_has_no_reads() -> None:
    async with account_calls("https://api.upstox.com", upstox_sandbox=True) as calls:
        with pytest.raises(UpstoxUnavailable, match="sandbox"):
            await calls.orders()


async def test_commands_go_to_the_order_host_only() -> None:
    refused = http_response("403 Forbidden", UDAPI)
    async with raw_server(refused) as orders, raw_server(refused) as others:
        async with account_calls(others.url, order_api_url=orders.url) as calls:
            for command in COMMANDS.values():
                await command(calls)
            with pytest.raises(UpstoxUnavailable):
                await calls.orders()
    assert [request.split()[1].partition(b"?")[0] for request in orders.requests] == [
        b"/v3/order/place", b"/v3/order/modify", b"/v3/order/cancel",
    ]  # fmt: skip
    assert [request.split()[1] for request in others.requests] == [b"/v2/order/retrieve-all"]


async def test_nothing_is_sent_to_a_server_whose_certificate_is_not_trusted(
    tmp_path: Path,
) -> None:
    tls = self_signed(tmp_path)
    async with raw_server(http_response("403 Forbidden", UDAPI), tls=tls) as server:
        async with account_calls(server.url) as calls:
            assert await calls.cancel("25") == Lost("the TLS connection failed")
        assert server.requests == []
