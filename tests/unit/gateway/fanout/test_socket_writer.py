"""Writes to real sockets: order, partial writes and closed connections."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from services.gateway.fanout.socket_writer import SocketWriter
from tests.support.patience import PATIENCE_SECS


@asynccontextmanager
async def connection() -> AsyncIterator[tuple[SocketWriter, asyncio.Transport, socket.socket]]:
    """A writer, its transport, and the client's socket."""
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


def test_a_write_reaches_the_kernel_immediately() -> None:
    async def scenario() -> None:
        async with connection() as (writer, _, client):
            writer.write(b"one")
            writer.write(b"two")
            assert writer.unsent() == 0
            assert client.recv(100) == b"onetwo"

    uvloop.run(scenario())


def test_bytes_beyond_the_socket_buffer_follow_in_order() -> None:
    async def scenario() -> None:
        async with connection() as (writer, transport, client):
            expected = b""
            for number in range(40):
                frame = bytes([number]) * 400_000
                writer.write(frame)
                expected += frame
                if number == 20:  # aiohttp writes pongs like this
                    transport.write(b"pong")
                    expected += b"pong"
            assert writer.unsent() > 0
            assert await received(client, len(expected)) == expected

    uvloop.run(scenario())


def test_nothing_is_written_to_a_closing_connection() -> None:
    async def scenario() -> None:
        async with connection() as (writer, transport, client):
            transport.close()
            writer.write(b"late")
            loop = asyncio.get_running_loop()
            assert await asyncio.wait_for(loop.sock_recv(client, 100), PATIENCE_SECS) == b""
            writer.write(b"later")

    uvloop.run(scenario())


def test_a_write_to_a_disconnected_client_closes_the_transport() -> None:
    async def scenario() -> None:
        async with connection() as (writer, transport, client):
            client.close()
            async with asyncio.timeout(PATIENCE_SECS):
                while not transport.is_closing():
                    writer.write(b"x" * 1_000)
                    await asyncio.sleep(0)

    uvloop.run(scenario())
