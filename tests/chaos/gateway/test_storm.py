"""Two thousand clients that all come back at once, after their gateway was killed."""

import asyncio
import random
import re
import time
from collections import Counter

import pytest

from embedded.ports import HOST
from tests.support.gateways import GatewayProcess, fresh, gateway_process, receive, send_raw
from tests.support.servers import NatsServer

CLIENTS = 2_000
ENOUGH = str(2 * CLIENTS)


class Client:
    """Connects, again and again, until it is in."""

    def __init__(self, statuses: Counter[str]) -> None:
        self._statuses = statuses
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self, gateway: GatewayProcess, token: str) -> None:
        while (pause_secs := await self._try(gateway, token)) is not None:
            await asyncio.sleep(pause_secs * random.uniform(0.5, 1.0))

    async def _try(self, gateway: GatewayProcess, token: str) -> float | None:
        """None once quotes flow, else how long to wait."""
        try:
            reader, writer = await asyncio.open_connection(HOST, gateway.port, limit=1 << 12)
        except OSError:
            self._statuses["no answer"] += 1
            return 0.5
        try:
            head = await self._open(reader, writer)
            status = head.split(b" ")[1].decode()
            self._statuses[status] += 1
            if status != "101":
                found = re.search(rb"Retry-After: (\d+)", head)
                assert found is not None, head
                return float(found[1])
            send_raw(writer, {"op": "auth", "token": token})
            send_raw(
                writer, {"op": "subscribe", "id": 1, "channel": "quotes", "keys": ["NSE_EQ|*"]}
            )
            await reader.readuntil(b'"snapshot":true')
        except (OSError, asyncio.IncompleteReadError):
            self._statuses["cut off"] += 1
            return 0.5
        finally:
            if self._writer is not None:
                self._writer.close()
            self._writer = writer
        return None

    async def _open(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(
            b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        return await reader.readuntil(b"\r\n\r\n")

    def leave(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()


@pytest.mark.timeout(180)
async def test_everybody_gets_back_in(nats: NatsServer) -> None:
    statuses: Counter[str] = Counter()
    clients = [Client(statuses) for _ in range(CLIENTS)]
    try:
        async with gateway_process(
            nats,
            past=(fresh(),),
            MAX_STREAMS_PER_ADDRESS=ENOUGH,
            MAX_STREAMS_PER_USER=ENOUGH,
            HEARTBEAT_SECS="600",  # these clients answer no pings
        ) as gateway:
            await knows_the_keys(gateway)
            await all_in(clients, gateway)
            port, issuer = gateway.port, gateway.issuer
            statuses.clear()
            # It is killed here, and another one takes its place.
            async with gateway.replaced() as successor:
                assert (successor.port, successor.issuer) == (port, issuer)
                await knows_the_keys(successor)
                secs = await all_in(clients, successor)
                print(f"{CLIENTS} clients were back in after {secs:.1f} s: {dict(statuses)}")
                assert statuses["101"] >= CLIENTS
                assert statuses["503"], "more came at once than are let in"
                assert await successor.figure("tradedad_gateway_streams") == CLIENTS
    finally:
        for client in clients:
            client.leave()


async def knows_the_keys(gateway: GatewayProcess) -> None:
    """The issuer is in this very process, which the storm keeps busy."""
    async with gateway.connect() as socket:
        await receive(socket, "authenticated")


async def all_in(clients: list[Client], gateway: GatewayProcess) -> float:
    """How long it took."""
    token = gateway.issuer.token()
    started = time.monotonic()
    async with asyncio.timeout(90):
        await asyncio.gather(*(client.connect(gateway, token) for client in clients))
    return time.monotonic() - started
