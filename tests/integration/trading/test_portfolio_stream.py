"""The portfolio stream gives every order update, skips bad messages and ends with a cause."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import sha1

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import REGISTRY

from services.trading.orders.broker_report import BrokerState
from services.trading.upstox.answers import Taken
from services.trading.upstox.portfolio_stream import StreamEnded, portfolio_stream
from services.trading.upstox.rows import OrderRow
from services.trading.upstox.skipped_rows import SkippedRows
from shared.runtime.site import serve
from tests.support.patience import PATIENCE_SECS
from tests.support.simulated import simulator
from tests.support.upstox_calls import account_calls, order_terms
from tests.support.upstox_rows import ORDER

Talk = Callable[[web.WebSocketResponse], Awaitable[None]]
UPDATE = ORDER | {"update_type": "order", "instrument_key": ORDER["instrument_token"]}
UPDATE["price"] = 1400.05


@asynccontextmanager
async def stream_of(
    address: str, ping_secs: float = 20.0
) -> AsyncIterator[AsyncIterator[OrderRow]]:
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as http,
        portfolio_stream(http, address, SkippedRows(), ping_secs=ping_secs) as updates,
    ):
        yield updates


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """A WebSocket server that runs `talk` for each client."""

    async def connect(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await talk(socket)
        return socket

    app = web.Application()
    app.router.add_get("/", connect)
    async with serve(app, "127.0.0.1", 0) as port:
        yield f"ws://127.0.0.1:{port}/"


async def receive(updates: AsyncIterator[OrderRow]) -> OrderRow:
    async with asyncio.timeout(PATIENCE_SECS):
        return await anext(updates)


def skipped(field: str) -> float:
    labels = {"kind": "stream", "field": field}
    return REGISTRY.get_sample_value("tradedad_trading_upstox_rows_skipped_total", labels) or 0


async def test_updates_are_the_states_of_the_history() -> None:
    async with simulator(rate_limits=False) as url, account_calls(url) as calls:
        async with stream_of(await calls.stream_address()) as updates:
            taken = await calls.place(order_terms(), "o-1")
            assert isinstance(taken, Taken)
            await calls.modify(taken.broker_order_id, order_terms(price="1201"))
            await calls.cancel(taken.broker_order_id)
            rows = [await receive(updates)]
            while rows[-1].report.state < BrokerState.CANCELLED:
                rows.append(await receive(updates))
        assert rows == await calls.orders_of_tag("o-1")
        assert {row.tag for row in rows} == {"o-1"}


async def test_an_address_is_for_one_connection() -> None:
    async with simulator() as url, account_calls(url) as calls:
        address = await calls.stream_address()
        async with stream_of(address):
            with pytest.raises(StreamEnded, match="handshake_401"):
                async with stream_of(address):
                    pass


async def test_bad_messages_are_counted_and_others_ignored() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        for text in ("", "{", "[]", "5", '{"update_type":"position","quantity":2}', "{}",
                     json.dumps(UPDATE | {"status": "paused"})):  # fmt: skip
            await socket.send_str(text)
        await socket.send_bytes(b"\xff")
        await socket.send_bytes(json.dumps(UPDATE).encode())
        await socket.send_str(json.dumps(UPDATE | {"order_id": "2"}))
        await socket.close(code=1011)

    before = skipped("message"), skipped("status")
    async with talking(talk) as address, stream_of(address) as updates:
        assert (await receive(updates)).report.broker_order_id == ORDER["order_id"]
        assert (await receive(updates)).report.broker_order_id == "2"
        with pytest.raises(StreamEnded) as ended:
            await receive(updates)
    assert ended.value.cause == "close_1011"
    assert (skipped("message"), skipped("status")) == (before[0] + 5, before[1] + 1)


async def test_an_aborted_connection_ends_the_stream() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        transport = socket._req and socket._req.transport
        assert transport
        transport.abort()

    async with talking(talk) as address, stream_of(address) as updates:
        with pytest.raises(StreamEnded, match="close_1006"):
            await receive(updates)


async def test_a_connection_without_pongs_ends_the_stream() -> None:
    stopped = asyncio.Event()

    async def freeze(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(PATIENCE_SECS):
            head = await reader.readuntil(b"\r\n\r\n")
            key = head.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
            writer.write(accepting(key))
            await stopped.wait()
        writer.close()

    server = await asyncio.start_server(freeze, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, stream_of(f"ws://127.0.0.1:{port}/", ping_secs=0.2) as updates:
        with pytest.raises(StreamEnded, match="no_pong"):
            await receive(updates)
        stopped.set()


async def test_a_message_that_is_too_long_ends_the_stream() -> None:
    async def talk(socket: web.WebSocketResponse) -> None:
        await socket.send_str(" " * (2 << 20))
        await socket.receive(timeout=PATIENCE_SECS)

    async with talking(talk) as address, stream_of(address) as updates:
        with pytest.raises(StreamEnded, match=r"broken|close_1009"):
            await receive(updates)


@pytest.mark.parametrize("address", ["ws://127.0.0.1:1/", "ws://", "ws://127.0.0.1:99999/"])
async def test_an_address_without_a_server_is_named_as_such(address: str) -> None:
    with pytest.raises(StreamEnded, match="connect_"):
        async with stream_of(address):
            pass


def accepting(key: bytes) -> bytes:
    """The response that accepts a WebSocket (RFC 6455)."""
    digest = sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11", usedforsecurity=False).digest()
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + b64encode(digest) + b"\r\n\r\n"
    )
