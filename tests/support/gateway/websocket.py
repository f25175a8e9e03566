"""What clients send to the stream and read from it, with aiohttp or byte by byte."""

import asyncio
import json
from typing import Any

import aiohttp

from tests.support.asyncapi_validation import checked_message, checked_request
from tests.support.gateway.endpoint import Gateway
from tests.support.patience import PATIENCE_SECS

Socket = aiohttp.ClientWebSocketResponse


async def subscribe(
    socket: Socket, *keys: str, channel: str = "quotes", **more: Any
) -> dict[str, str]:
    """Subscribe, and wait for the reply: the outcome of each key."""
    request = {"op": "subscribe", "id": 1, "channel": channel, "keys": list(keys)}
    await socket.send_json(checked_request(request | more))
    ack = await receive(socket, "ack")
    results: dict[str, str] = ack["results"]
    return results


async def receive(
    socket: Socket, kind: str | None = None, timeout_secs: float = PATIENCE_SECS
) -> dict[str, Any]:
    """The next message, or the next one of a type. Fails if the stream has ended."""
    async with asyncio.timeout(timeout_secs):
        while True:
            message = await socket.receive()
            assert message.type is aiohttp.WSMsgType.TEXT, (message, socket.close_code)
            body = checked_message(message.json())
            if kind in (None, body["type"]):
                return body


async def receive_pong_next(socket: Socket) -> None:
    """Send a ping; fails if any message comes before its pong."""
    await socket.send_json(checked_request({"op": "ping"}))
    assert (await receive(socket))["type"] == "pong"


async def close_code_of(socket: Socket) -> int | None:
    """The close code, once the stream has ended; skips the messages before it."""
    async with asyncio.timeout(PATIENCE_SECS):
        async for _ in socket:
            pass
    return socket.close_code


async def open_raw_stream(gateway: Gateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket that has sent a good token, and whose client reads only on demand."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port, limit=1 << 10)
    writer.write(
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with asyncio.timeout(PATIENCE_SECS):
        await reader.readuntil(b"\r\n\r\n")
    send_raw(writer, {"op": "auth", "token": gateway.issuer.token()})
    return reader, writer


def send_raw(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    """Send a text frame, masked with zeros."""
    body = json.dumps(message).encode()
    writer.write(b"\x81" + bytes([0x80 | 126]) + len(body).to_bytes(2, "big") + bytes(4) + body)


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    """All bytes until the end of the connection. Raises ConnectionResetError."""
    parts = []
    async with asyncio.timeout(PATIENCE_SECS):
        while part := await reader.read(1 << 16):
            parts.append(part)
    return b"".join(parts)


async def ends_without_reset(reader: asyncio.StreamReader) -> bool:
    """Read everything: whether the connection ends with a FIN, not with a reset."""
    try:
        await read_to_end(reader)
    except ConnectionResetError:
        return False
    return True
