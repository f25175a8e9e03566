"""Clients receive the reason of every close, and malformed input ends only its own stream."""

import asyncio
import random
import struct
import time
from contextlib import AsyncExitStack

import aiohttp
import pytest

from services.gateway.stream import endpoint
from services.gateway.stream.protocol import CloseCode
from shared.bus.resources import ensure_revocations_bucket
from shared.contracts.revocations import SessionRevoked, encode
from tests.support.buses import bus_of
from tests.support.gateway.in_process import running_gateway, wait_for_open_streams
from tests.support.gateway.websocket import (
    close_code_of,
    ends_without_reset,
    open_raw_stream,
    receive,
    send_raw,
)
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer

MANY = 60


async def test_every_client_receives_its_close_code_when_many_are_closed_at_once(
    nats: NatsServer,
) -> None:
    async with (
        running_gateway(nats, max_streams_per_user=MANY) as gateway,
        bus_of(nats, "auth") as auth,
        AsyncExitStack() as stack,
    ):
        await ensure_revocations_bucket(auth, ttl_secs=900)
        sockets = [await stack.enter_async_context(gateway.connect()) for _ in range(MANY)]
        for socket in sockets:
            await receive(socket, "authenticated")
        reading = [asyncio.create_task(close_code_of(socket)) for socket in sockets]
        revocation = SessionRevoked(session_id="session-1", until=int(time.time()) + 900)
        await auth.js.publish(*encode(revocation))
        assert await asyncio.gather(*reading) == [CloseCode.REVOKED] * MANY


async def test_the_gateway_waits_for_the_close_frame_of_the_client(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is open until the client has answered, and then ends without a reset."""
    monkeypatch.setattr(endpoint, "_CLOSE_SECS", PATIENCE_SECS)
    async with running_gateway(nats) as gateway:
        reader, writer = await open_raw_stream(gateway)
        send_raw(writer, {"op": "auth", "token": "nonsense"})
        async with asyncio.timeout(PATIENCE_SECS):
            data = b""
            while CloseCode.UNAUTHENTICATED.to_bytes(2, "big") not in data:
                data += await reader.read(1 << 16)
            assert not reader.at_eof()
            writer.write(b"\x88\x82" + bytes(4) + struct.pack("!H", 1000))
            assert await ends_without_reset(reader)
        writer.close()


async def test_a_client_that_never_answers_a_close_is_disconnected(
    nats: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "_CLOSE_SECS", 0.2)
    async with running_gateway(nats) as gateway:
        reader, writer = await open_raw_stream(gateway)
        send_raw(writer, {"op": "auth", "token": "nonsense"})
        assert await ends_without_reset(reader)
        writer.close()


async def test_a_message_above_the_size_limit_is_refused_as_too_large(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await receive(socket, "authenticated")
        await socket.send_str("x" * 20_000)
        assert (await receive(socket, "error"))["code"] == "too_large"
        assert await close_code_of(socket) == CloseCode.TOO_LARGE


async def test_a_message_of_a_terabyte_is_refused_by_its_header(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        reader, writer = await open_raw_stream(gateway)
        writer.write(b"\x81\xff" + (1 << 40).to_bytes(8, "big") + bytes(4) + bytes(1_000))
        await ends_without_reset(reader)
        writer.close()
        await wait_for_open_streams(0)


def garbage(rng: random.Random) -> bytes:
    """Random bytes, or frames with an error in them."""
    noise = rng.randbytes(rng.randint(1, 400))
    if rng.random() < 0.3:
        return noise
    opcode = rng.choice([0, 1, 1, 1, 2, 3, 8, 9, 10, 15])
    first = (0x80 if rng.random() < 0.8 else 0) | (rng.choice([0, 0, 0, 0x40]) | opcode)
    payload = rng.choice(
        [noise[:120], b"{" * 100, b'{"op":"subscribe","id":1e400}', b'"\xff\xfe"', b"[]", b""]
    )
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


async def test_garbage_ends_only_its_own_stream(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        for seed in range(100):
            rng = random.Random(seed)
            reader, writer = await open_raw_stream(gateway)
            for _ in range(rng.randint(1, 12)):
                writer.write(garbage(rng))
            writer.write_eof()
            await ends_without_reset(reader)
            writer.close()
            await wait_for_open_streams(0)
        async with gateway.connect() as socket:
            await receive(socket, "authenticated")


async def test_a_close_of_the_client_ends_the_stream(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await receive(socket, "authenticated")
        await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)
        await wait_for_open_streams(0)
