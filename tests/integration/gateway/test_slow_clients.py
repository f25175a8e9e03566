"""Clients that do not take what is sent: conflated, then let go, and nobody else notices."""

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
from tests.support.buses import flushed
from tests.support.gateways import (
    Gateway,
    closed,
    fresh,
    open_streams,
    raw_stream,
    reached_the_end,
    receive,
    running_gateway,
    send_raw,
    subscribe,
)
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

KEYS = [f"NSE_EQ|{'K' * 100}{number}" for number in range(100)]


async def publish_all(gateway: Gateway, seq: int) -> None:
    for key in KEYS:
        await gateway.ingest.publish(quote_subject(key), encode(fresh(key=key, seq=seq)))
    await flushed(gateway.ingest)


async def stuck_stream(gateway: Gateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client that has subscribed, and reads no more."""
    before = open_streams()
    reader, writer = await raw_stream(gateway)
    send_raw(writer, {"op": "subscribe", "id": 1, "channel": "quotes", "keys": KEYS})
    await writer.drain()

    async def is_there() -> bool:
        return open_streams() == before + 1

    await eventually(is_there, what="a stream that is stuck")
    return reader, writer


async def publish_until_alone(gateway: Gateway, healthy: aiohttp.ClientWebSocketResponse) -> None:
    """Publish until the stuck client was given up; the healthy one misses nothing meanwhile."""
    seen = dict.fromkeys(KEYS, 0)
    deadline = asyncio.get_running_loop().time() + 30
    for seq in itertools.count(1):
        await publish_all(gateway, seq)
        while min(seen.values()) < seq:
            for one in (await receive(healthy, "quotes"))["data"]:
                assert one["seq"] == seen[one["key"]] + 1
                seen[one["key"]] = one["seq"]
        if open_streams() == 1:
            return
        assert asyncio.get_running_loop().time() < deadline, "the stuck one is still there"


async def test_a_client_that_wakes_too_late_reads_why_it_was_closed(nats: NatsServer) -> None:
    async with running_gateway(nats, blocked_secs=1) as gateway, gateway.connect() as healthy:
        await subscribe(healthy, *KEYS)
        reader, writer = await stuck_stream(gateway)
        await publish_until_alone(gateway, healthy)
        async with asyncio.timeout(10):
            data = await reader.read(-1)
        assert int(CloseCode.TOO_SLOW).to_bytes(2, "big") in data[-200:]
        assert b'"code":"too_slow"' in data[-400:]
        writer.close()


async def test_a_client_that_never_reads_is_cut_off(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_GRACE_SECS", 0.0)
    async with running_gateway(nats, blocked_secs=1) as gateway, gateway.connect() as healthy:
        await subscribe(healthy, *KEYS)
        reader, writer = await stuck_stream(gateway)
        await publish_until_alone(gateway, healthy)
        # Aborted, not merely closed: nothing of it waits in the gateway any more.
        async with asyncio.timeout(10):
            assert not await reached_the_end(reader)
        writer.close()


async def test_a_client_that_reads_again_gets_the_newest_and_no_backlog(nats: NatsServer) -> None:
    async with running_gateway(nats, blocked_secs=60) as gateway, gateway.connect() as healthy:
        await subscribe(healthy, *KEYS)
        reader, writer = await stuck_stream(gateway)
        rounds = 2_000_000 // (100 * 300)
        for seq in range(1, rounds):
            await publish_all(gateway, seq)
            while (await receive(healthy, "quotes"))["data"][-1]["seq"] < seq:
                pass
        await eventually(_somebody_is_behind, what="a client that is behind")
        await publish_all(gateway, rounds)
        wanted = f'"seq":{rounds},'.encode()
        data = b""
        async with asyncio.timeout(20):
            while data.count(wanted) < len(KEYS):
                data += await reader.read(1 << 16)
        assert b'"snapshot":true' in data
        assert data.count(b'"rt"') < rounds * len(KEYS), "what lay between was left out"
        writer.close()
        await healthy.send_json({"op": "ping"})
        await receive(healthy, "pong")
        assert open_streams() >= 1
        assert not healthy.closed


async def _somebody_is_behind() -> bool:
    (metric,) = metrics.BEHIND_STREAMS.collect()
    return metric.samples[0].value == 1


async def test_a_client_may_ask_for_the_newest_at_an_interval(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await subscribe(socket, *KEYS, interval_ms=200)
        for seq in range(1, 21):
            await publish_all(gateway, seq)
        got: list[dict[str, Any]] = []
        while not got or got[-1]["seq"] < 20:
            batch = await receive(socket, "quotes")
            assert batch["snapshot"]
            got += batch["data"]
        assert len(got) < 20 * len(KEYS)


async def test_closing_a_stuck_client_by_itself_is_noticed(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        _, writer = await stuck_stream(gateway)
        writer.transport.abort()

        async def nobody_is_there() -> bool:
            return open_streams() == 0

        await eventually(nobody_is_there, what="no stream")
        async with gateway.connect() as socket:
            await socket.close()
            assert await closed(socket) == aiohttp.WSCloseCode.OK
