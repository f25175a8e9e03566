"""Every close is heard as what it is, and no input does more than end its own stream."""

import asyncio
import random
import struct
import time
from contextlib import AsyncExitStack

import aiohttp

from services.gateway.stream.protocol import CloseCode
from shared.bus.resources import ensure_revocations_bucket
from shared.contracts.revocations import SessionRevoked, encode
from tests.support.buses import bus_of
from tests.support.gateways import (
    closed,
    open_streams,
    raw_stream,
    reached_the_end,
    receive,
    running_gateway,
    send_raw,
)
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

MANY = 60


async def test_every_client_hears_why_when_many_are_ended_at_once(nats: NatsServer) -> None:
    async with (
        running_gateway(nats, max_streams_per_user=MANY) as gateway,
        bus_of(nats, "auth") as auth,
        AsyncExitStack() as stack,
    ):
        await ensure_revocations_bucket(auth, ttl_secs=900)
        sockets = [await stack.enter_async_context(gateway.connect()) for _ in range(MANY)]
        for socket in sockets:
            await receive(socket, "authenticated")
        reading = [asyncio.create_task(closed(socket)) for socket in sockets]
        until = int(time.time()) + 900
        await auth.js.publish(*encode(SessionRevoked(session_id="session-1", until=until)))
        assert await asyncio.gather(*reading) == [CloseCode.REVOKED] * MANY


async def test_the_gateway_waits_for_the_clients_close(nats: NatsServer) -> None:
    """A raw client that answers late still finds the connection open, and then ended in order."""
    async with running_gateway(nats) as gateway:
        reader, writer = await raw_stream(gateway)
        send_raw(writer, {"op": "auth", "token": "nonsense"})
        async with asyncio.timeout(10):
            data = b""
            while CloseCode.UNAUTHENTICATED.to_bytes(2, "big") not in data:
                data += await reader.read(1 << 16)
            assert not reader.at_eof()
            writer.write(b"\x88\x82" + bytes(4) + struct.pack("!H", 1000))
            assert await reached_the_end(reader)
        writer.close()


async def test_a_client_that_never_answers_a_close_is_closed_all_the_same(
    nats: NatsServer,
) -> None:
    async with running_gateway(nats) as gateway:
        reader, writer = await raw_stream(gateway)
        send_raw(writer, {"op": "auth", "token": "nonsense"})
        async with asyncio.timeout(10):
            assert await reached_the_end(reader)
        writer.close()


async def test_a_long_message_is_told_as_too_large(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await receive(socket, "authenticated")
        await socket.send_str("x" * 20_000)
        assert (await receive(socket, "error"))["code"] == "too_large"
        assert await closed(socket) == CloseCode.TOO_LARGE


async def test_a_message_beyond_all_bounds_is_not_even_kept(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        reader, writer = await raw_stream(gateway)
        writer.write(b"\x81\xff" + (1 << 40).to_bytes(8, "big") + bytes(4) + bytes(1_000))
        async with asyncio.timeout(10):
            await reached_the_end(reader)
        writer.close()
        await nobody_left()


async def nobody_left() -> None:
    async def nobody() -> bool:
        return open_streams() == 0

    await eventually(nobody, what="no stream left")


def garbage(rng: random.Random) -> bytes:
    """Some bytes: noise, or frames with something wrong in them."""
    noise = rng.randbytes(rng.randint(1, 400))
    if rng.random() < 0.3:
        return noise
    opcode = rng.choice([0, 1, 1, 1, 2, 3, 8, 9, 10, 15])
    first = (0x80 if rng.random() < 0.8 else 0) | (rng.choice([0, 0, 0, 0x40]) | opcode)
    payload = rng.choice(
        [noise[:120], b"{" * 100, b'{"op":"subscribe","id":1e400}', b'"\xff\xfe"', b"[]", b""]
    )
    return bytes([first, 0x80 | len(payload)]) + bytes(4) + payload


async def test_garbage_ends_at_most_its_own_stream(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway:
        for seed in range(100):
            rng = random.Random(seed)
            reader, writer = await raw_stream(gateway)
            for _ in range(rng.randint(1, 12)):
                writer.write(garbage(rng))
            writer.write_eof()
            async with asyncio.timeout(10):
                await reached_the_end(reader)
            writer.close()
            await nobody_left()
        async with gateway.connect() as socket:
            await receive(socket, "authenticated")


async def test_a_client_that_leaves_in_order_is_answered_in_order(nats: NatsServer) -> None:
    async with running_gateway(nats) as gateway, gateway.connect() as socket:
        await receive(socket, "authenticated")
        await socket.close(code=aiohttp.WSCloseCode.GOING_AWAY)
        await nobody_left()
