"""Thousands of clients reconnect at once, after their gateway was killed."""

import asyncio
import random
import re
from collections import Counter

import pytest

from embedded.ports import HOST
from tests.support.builders import fresh_quote
from tests.support.figures import Figures
from tests.support.gateway.process import GatewayProcess, gateway_process
from tests.support.gateway.websocket import receive, send_raw
from tests.support.patience import TEST_TIMEOUT_SECS
from tests.support.servers import NatsServer

RETRY_SECS = 0.5


class Client:
    """Connects again and again, as the gateway asks, until it receives quotes."""

    def __init__(self, statuses: Counter[str]) -> None:
        self._statuses = statuses
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self, gateway: GatewayProcess, token: str) -> None:
        while (pause_secs := await self._try(gateway, token)) is not None:
            await asyncio.sleep(pause_secs * random.uniform(0.5, 1.0))

    async def _try(self, gateway: GatewayProcess, token: str) -> float | None:
        """None once quotes arrive, else the seconds to wait."""
        try:
            reader, writer = await asyncio.open_connection(HOST, gateway.port, limit=1 << 12)
        except OSError:
            self._statuses["refused"] += 1
            return RETRY_SECS
        try:
            head = await self._handshake(reader, writer)
            status = head.split(b" ")[1].decode()
            self._statuses[status] += 1
            if status != "101":
                retry_after = re.search(rb"Retry-After: (\d+)", head)
                assert retry_after is not None, head
                return float(retry_after[1])
            send_raw(writer, {"op": "auth", "token": token})
            send_raw(
                writer, {"op": "subscribe", "id": 1, "channel": "quotes", "keys": ["NSE_EQ|*"]}
            )
            await reader.readuntil(b'"snapshot":true')
        except (OSError, asyncio.IncompleteReadError):
            self._statuses["closed"] += 1
            return RETRY_SECS
        finally:
            if self._writer is not None:
                self._writer.close()
            self._writer = writer
        return None

    async def _handshake(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(
            b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        return await reader.readuntil(b"\r\n\r\n")

    def leave(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()


@pytest.fixture
def statuses() -> Counter[str]:
    """How often each outcome of an attempt happened, by HTTP status or by failure."""
    return Counter()


@pytest.mark.parametrize(
    ("count", "accept_per_sec"), [(1_000, 100), pytest.param(10_000, 200, marks=pytest.mark.long)]
)
async def test_all_clients_reconnect_to_the_successor_of_a_killed_gateway(
    nats: NatsServer, statuses: Counter[str], figures: Figures, count: int, accept_per_sec: int
) -> None:
    clients = [Client(statuses) for _ in range(count)]
    settings = {
        "MAX_STREAMS_PER_ADDRESS": str(2 * count),
        "MAX_STREAMS_PER_USER": str(2 * count),
        "ACCEPT_PER_SEC": str(count),
        "HEARTBEAT_SECS": f"{TEST_TIMEOUT_SECS:g}",  # these clients do not answer pings
    }
    try:
        async with gateway_process(nats, past=(fresh_quote(),), **settings) as gateway:
            await wait_until_keys_are_fetched(gateway)
            await connect_all(clients, gateway)
            statuses.clear()
            # Fewer a second than even a busy machine brings.
            await gateway.replace(ACCEPT_PER_SEC=str(accept_per_sec))
            await wait_until_keys_are_fetched(gateway)
            with figures.duration("until_all_have_quotes_secs"):
                await connect_all(clients, gateway)
            assert statuses["101"] >= count
            assert statuses["503"], "all came within the rate of new streams"
            assert await gateway.metric("tradedad_gateway_streams") == count
    finally:
        for client in clients:
            client.leave()


async def wait_until_keys_are_fetched(gateway: GatewayProcess) -> None:
    """The issuer of the token keys runs in this process, which the clients keep busy later."""
    async with gateway.connect() as socket:
        await receive(socket, "authenticated")


async def connect_all(clients: list[Client], gateway: GatewayProcess) -> None:
    token = gateway.issuer.token()
    async with asyncio.timeout(TEST_TIMEOUT_SECS):
        await asyncio.gather(*(client.connect(gateway, token) for client in clients))
