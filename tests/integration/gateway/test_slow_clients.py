"""Slow clients get conflated quotes, are closed in the end, and do not affect other clients."""

import asyncio
import itertools
from typing import Any

import aiohttp
import pytest

from services.gateway import metrics
from services.gateway.stream import session
from services.gateway.stream.protocol import CloseCode
from shared.contracts.messages import encode
from shared.contracts.subjects import quote_subject
from tests.support.builders import fresh_quote
from tests.support.buses import flushed
from tests.support.gateway.in_process import (
    InProcessGateway,
    open_streams,
    running_gateway,
    wait_for_open_streams,
)
from tests.support.gateway.websocket import (
    Socket,
    close_code_of,
    ends_without_reset,
    open_raw_stream,
    read_to_end,
    receive,
    send_raw,
    subscribe,
)
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

KEYS = [f"NSE_EQ|{'K' * 100}{number}" for number in range(100)]


async def publish_all(gateway: InProcessGateway, seq: int) -> None:
    for key in KEYS:
        await gateway.ingest.publish(quote_subject(key), encode(fresh_quote(key=key, seq=seq)))
    await flushed(gateway.ingest)


async def stuck_stream(
    gateway: InProcessGateway,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that has subscribed and does not read."""
    before = open_streams()
    reader, writer = await open_raw_stream(gateway)
    send_raw(writer, {"op": "subscribe", "id": 1, "channel": "quotes", "keys": KEYS})
    await writer.drain()
    await wait_for_open_streams(before + 1)
    return reader, writer


async def publish_until_stuck_stream_is_closed(gateway: InProcessGateway, healthy: Socket) -> None:
    """Publish until only the healthy stream is open; it gets every quote meanwhile."""
    seen = dict.fromkeys(KEYS, 0)
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECS
    for seq in itertools.count(1):
        await publish_all(gateway, seq)
        while min(seen.values()) < seq:
            for quote in (await receive(healthy, "quotes"))["data"]:
                assert quote["seq"] == seen[quote["key"]] + 1
                seen[quote["key"]] = quote["seq"]
        if open_streams() == 1:
            return
        assert asyncio.get_running_loop().time() < deadline, "the stuck stream is still open"


async def test_a_client_that_reads_too_late_gets_the_reason_of_its_close(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_RESET_SECS", PATIENCE_SECS)
    async with running_gateway(nats, blocked_secs=1) as gateway, gateway.connect() as healthy:
        await subscribe(healthy, *KEYS)
        reader, writer = await stuck_stream(gateway)
        await publish_until_stuck_stream_is_closed(gateway, healthy)
        data = await read_to_end(reader)
        assert int(CloseCode.TOO_SLOW).to_bytes(2, "big") in data[-200:]
        assert b'"code":"too_slow"' in data[-400:]
        writer.close()


async def test_a_client_that_never_reads_is_disconnected(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_RESET_SECS", 0.0)
    async with running_gateway(nats, blocked_secs=1) as gateway, gateway.connect() as healthy:
        await subscribe(healthy, *KEYS)
        reader, writer = await stuck_stream(gateway)
        await publish_until_stuck_stream_is_closed(gateway, healthy)
        # A reset, not only a close: the gateway has discarded its unsent bytes.
        assert not await ends_without_reset(reader)
        writer.close()


async def test_a_client_that_reads_again_gets_the_newest_quotes_without_a_backlog(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as healthy:
        await subscribe(healthy, *KEYS)
        reader, writer = await stuck_stream(gateway)
        rounds = 2_000_000 // (100 * 300)
        for seq in range(1, rounds):
            await publish_all(gateway, seq)
            while (await receive(healthy, "quotes"))["data"][-1]["seq"] < seq:
                pass
        await eventually(clients_behind, what="a client is behind")
        await publish_all(gateway, rounds)
        newest = f'"seq":{rounds},'.encode()
        data = b""
        async with asyncio.timeout(PATIENCE_SECS):
            while data.count(newest) < len(KEYS):
                data += await reader.read(1 << 16)
        assert b'"snapshot":true' in data
        assert data.count(b'"rt"') < rounds * len(KEYS), "the backlog was sent"
        writer.close()
        await healthy.send_json({"op": "ping"})
        await receive(healthy, "pong")
        assert open_streams() >= 1
        assert not healthy.closed


def clients_behind() -> float:
    (metric,) = metrics.BEHIND_STREAMS.collect()
    return metric.samples[0].value


async def test_a_client_with_an_interval_gets_only_the_newest_quotes(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, *KEYS, interval_ms=2_000)
        for seq in range(1, 21):
            await publish_all(gateway, seq)
        received: list[dict[str, Any]] = []
        while not received or received[-1]["seq"] < 20:
            batch = await receive(socket, "quotes")
            assert batch["snapshot"]
            received += batch["data"]
        assert len(received) < 20 * len(KEYS)


async def test_the_stream_of_a_stuck_client_ends_when_its_connection_does(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        _, writer = await stuck_stream(gateway)
        writer.transport.abort()
        await wait_for_open_streams(0)
        async with gateway.connect() as socket:
            await socket.close()
            assert await close_code_of(socket) == aiohttp.WSCloseCode.OK
