"""A program that attacks a gateway on all the streams that a user may have.

Arguments: the kind of attack, the gateway's port and an access token. It runs as a process of its
own, so that it does not slow down the clients that a test measures.
"""

import asyncio
import itertools
import json
import random
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

STREAMS: Final = 20
_HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_TEXT: Final = 0x81
_PING: Final = 0x89
_RESET: Final = struct.pack("ii", 1, 0)


def _frame(body: bytes, kind: int = _TEXT) -> bytes:
    """A frame, masked with zeros."""
    size = len(body)
    head = bytes([0x80 | size]) if size < 126 else bytes([0xFE]) + size.to_bytes(2, "big")
    return bytes([kind]) + head + bytes(4) + body


def _request(op: str, keys: list[str]) -> bytes:
    request: dict[str, Any] = {"op": op, "id": 1, "channel": "quotes", "keys": keys}
    return _frame(json.dumps(request, separators=(",", ":")).encode())


def _many_keys() -> list[bytes]:
    requests = []
    for _ in range(50):
        keys = [f"X{random.randrange(10**6)}|Y" for _ in range(1_200)]
        requests += [_request("subscribe", keys), _request("unsubscribe", keys)]
    return requests


def _wildcards() -> list[bytes]:
    return [_request("subscribe", ["*", "NSE_EQ|*"] * 1_000)]


ATTACKS: Final[dict[str, Callable[[], list[bytes]]]] = {
    "many keys": _many_keys,
    "wildcards": _wildcards,
    "garbage": lambda: [_frame(b"{" * 16_000)],
    "pings": lambda: [_frame(b"x" * 125, _PING) * 100],
    "exiting at once": list,
}


async def _attack(port: int, token: str, messages: list[bytes]) -> None:
    while True:
        try:
            await _attack_once(port, token, itertools.cycle(messages))
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.01)  # the gateway has closed the stream


async def _attack_once(port: int, token: str, messages: Iterator[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    try:
        writer.write(_HANDSHAKE)
        message = next(messages, None)
        if message is None:
            return
        await reader.readuntil(b"\r\n\r\n")
        writer.write(_frame(json.dumps({"op": "auth", "token": token}).encode()))
        ended = asyncio.create_task(_discard(reader))
        try:
            while not ended.done():
                writer.write(message)
                await writer.drain()
                await asyncio.sleep(0)
                message = next(messages)
        finally:
            ended.cancel()
    finally:
        writer.transport.abort()


async def _discard(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 16):
        pass


async def main() -> None:
    """Attack until the process is killed."""
    kind, port, token = sys.argv[1:]
    messages = ATTACKS[kind]()
    await asyncio.gather(*(_attack(int(port), token, messages) for _ in range(STREAMS)))


if __name__ == "__main__":
    asyncio.run(main())
