"""What is written to a pipe arrives whole and in order, or not at all."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from services.gateway.fanout.socket_writer import SocketWriter
from tests.support.patience import PATIENCE_SECS


@asynccontextmanager
async def pipe() -> AsyncIterator[tuple[SocketWriter, asyncio.Transport, socket.socket]]:
    """A pipe, its transport, and the client's end."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    accepted, _ = listener.accept()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, accepted)
    with listener, client:
        client.setblocking(False)
        yield SocketWriter(transport), transport, client
        transport.abort()


async def received(client: socket.socket, size: int) -> bytes:
    loop = asyncio.get_running_loop()
    data = b""
    async with asyncio.timeout(PATIENCE_SECS):
        while len(data) < size:
            data += await loop.sock_recv(client, 1 << 20)
    return data


def test_a_write_is_with_the_kernel_at_once() -> None:
    async def story() -> None:
        async with pipe() as (out, _, client):
            out.write(b"one")
            out.write(b"two")
            assert out.unsent() == 0
            assert client.recv(100) == b"onetwo"

    uvloop.run(story())


def test_what_the_socket_does_not_take_follows_in_order() -> None:
    async def story() -> None:
        async with pipe() as (out, transport, client):
            expected = b""
            for number in range(40):
                frame = bytes([number]) * 400_000
                out.write(frame)
                expected += frame
                if number == 20:  # as aiohttp answers a ping
                    transport.write(b"pong")
                    expected += b"pong"
            assert out.unsent() > 0
            assert await received(client, len(expected)) == expected

    uvloop.run(story())


def test_nothing_is_written_to_a_connection_that_ends() -> None:
    async def story() -> None:
        async with pipe() as (out, transport, client):
            transport.close()
            out.write(b"late")
            loop = asyncio.get_running_loop()
            assert await asyncio.wait_for(loop.sock_recv(client, 100), PATIENCE_SECS) == b""
            out.write(b"later")

    uvloop.run(story())


def test_a_client_that_is_gone_ends_the_transport() -> None:
    async def story() -> None:
        async with pipe() as (out, transport, client):
            client.close()
            async with asyncio.timeout(PATIENCE_SECS):
                while not transport.is_closing():
                    out.write(b"x" * 1_000)
                    await asyncio.sleep(0)

    uvloop.run(story())
