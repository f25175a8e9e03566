"""The address of a gateway under test, with its token issuer and ingest's bus connection."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from nats.aio.client import Client

from embedded.ports import HOST, free_ports
from shared.contracts.messages import Quote, encode
from shared.contracts.subjects import quote_subject
from tests.support.asyncapi_validation import checked_request
from tests.support.buses import flushed, ingest_bus
from tests.support.issuer import TokenIssuer, serve_issuer
from tests.support.servers import NatsServer


@dataclass(frozen=True, slots=True)
class GatewayPeers:
    """What a gateway needs besides NATS, and a client session for tests."""

    issuer: TokenIssuer
    ingest: Client
    http: aiohttp.ClientSession


@asynccontextmanager
async def open_peers(nats: NatsServer, past: Sequence[Quote] = ()) -> AsyncIterator[GatewayPeers]:
    """Serves token keys, and publishes the quotes of the `past` as ingest."""
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(serve_issuer())
        bus = await stack.enter_async_context(ingest_bus(nats))
        # No deadline: tests bound their own waits.
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))
        http = await stack.enter_async_context(session)
        for quote in past:
            await bus.client.publish(quote_subject(quote.key), encode(quote))
        await flushed(bus.client)
        yield GatewayPeers(issuer, bus.client, http)


class Gateway:
    """A gateway at an address of its own."""

    def __init__(self, peers: GatewayPeers) -> None:
        (self.port,) = free_ports(1)
        self.peers = peers
        self.issuer = peers.issuer
        self.ingest = peers.ingest
        self.http = peers.http

    @property
    def url(self) -> str:
        """The address for HTTP."""
        return f"http://{HOST}:{self.port}"

    @property
    def websocket_url(self) -> str:
        """The address of the stream."""
        return f"ws://{HOST}:{self.port}/ws"

    async def publish(self, *quotes: Quote) -> None:
        """Publish quotes as ingest does; returns once NATS has them."""
        for quote in quotes:
            await self.ingest.publish(quote_subject(quote.key), encode(quote))
        await flushed(self.ingest)

    @asynccontextmanager
    async def connect(
        self, token: str | None = "good", **options: Any
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A WebSocket that has sent a token: a good one, the one given, or none for None."""
        async with self.http.ws_connect(f"{self.url}/ws", **options) as socket:
            if token is not None:
                shown = self.issuer.token() if token == "good" else token
                await socket.send_json(checked_request({"op": "auth", "token": shown}))
            yield socket
