"""Random frames and requests of WebSocket clients, beside a client that behaves."""

import asyncio
import random
from contextlib import suppress
from typing import Any, Final

from tests.fuzz.rounds import mutated_json, rounds
from tests.fuzz.tracebacks import tracebacks
from tests.support.builders import KEY, fresh_quote
from tests.support.gateway.process import gateway_process
from tests.support.gateway.websocket import Socket, receive, send_raw, subscribe
from tests.support.patience import PATIENCE_SECS
from tests.support.servers import NatsServer

_ROUNDS: Final = 30
_HANDSHAKE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_REQUESTS: Final[tuple[dict[str, Any], ...]] = (
    {"op": "subscribe", "id": 1, "channel": "quotes", "keys": [KEY, "NSE_EQ|*"]},
    {"op": "subscribe", "id": 2, "channel": "depth", "keys": [KEY], "interval_ms": 100},
    {"op": "subscribe", "id": 3, "channel": "bars", "keys": [KEY]},
    {"op": "unsubscribe", "id": 4, "channel": "quotes", "keys": [KEY]},
    {"op": "ping", "id": 5},
    {"op": "auth", "token": "x.y.z"},
)


def _frame(source: random.Random, body: bytes) -> bytes:
    """A client's frame, in which the header may be wrong."""
    opcode = source.choice((1, 1, 1, 1, 2, 0, 8, 9, 10, 3, 15))
    head = source.choice((0x80, 0x80, 0x80, 0x80, 0x00, 0xC0, 0xF0)) | opcode
    masked = 0x80 if source.random() < 0.95 else 0
    size = len(body) if source.random() < 0.95 else source.getrandbits(63)
    if size < 126:
        length = bytes([masked | size])
    elif size < 65_536:
        length = bytes([masked | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([masked | 127]) + size.to_bytes(8, "big")
    return bytes([head]) + length + (bytes(4) if masked else b"") + body


async def _attack(source: random.Random, port: int, token: str) -> None:
    """One stream that sends some random frames, and reads until the gateway closes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(_HANDSHAKE)
        if source.random() < 0.9:
            send_raw(writer, {"op": "auth", "token": token})
        for _ in range(source.randrange(1, 12)):
            writer.write(_frame(source, mutated_json(source, source.choice(_REQUESTS))))
        with suppress(OSError):  # the gateway may have closed the connection
            writer.write_eof()
        async with asyncio.timeout(PATIENCE_SECS):
            while await reader.read(1 << 16):
                pass
    except ConnectionError:
        pass  # the gateway may close first
    finally:
        writer.transport.abort()


async def _receive_quote(socket: Socket, seq: int) -> None:
    while (await receive(socket, "quotes"))["data"][-1]["seq"] != seq:
        pass


async def test_random_frames_disturb_no_other_client(nats: NatsServer) -> None:
    async with gateway_process(nats) as gateway, gateway.connect() as good:
        await subscribe(good, KEY)
        token = gateway.issuer.token(sub="user-2", sid="session-2")
        pid = gateway.process.pid
        for number, source in enumerate(rounds(_ROUNDS), 1):
            await asyncio.gather(*(_attack(source, gateway.port, token) for _ in range(3)))
            await gateway.publish(fresh_quote(seq=number))
            await _receive_quote(good, number)
        assert gateway.process.is_running
        assert gateway.process.pid == pid
        assert not (found := tracebacks(gateway.process.log())), found
