"""A gateway that can be stopped and started again on the same address, and its clients."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from nats.aio.client import Client as Nats

from embedded.ports import HOST, free_ports
from services.gateway.app import build
from services.gateway.settings import GatewaySettings
from shared.bus.connection import connect_bus
from shared.bus.resources import ensure_ticks_stream
from shared.contracts.messages import Quote, encode
from shared.contracts.subjects import quote_subject
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings
from tests.support.buses import flushed
from tests.support.issuer import TestIssuer, serve_issuer
from tests.support.servers import PASSWORD, NatsServer
from tests.support.services import is_ready, running
from tests.support.waiting import eventually
from tradedad_client import Client, Subscription, Timing


class Served:
    """The address, whether or not a gateway is there, its issuer, and ingest's place."""

    def __init__(self, nats: NatsServer, issuer: TestIssuer, ingest: Nats) -> None:
        (self.port,) = free_ports(1)
        self.url = f"http://{HOST}:{self.port}"
        self.issuer = issuer
        self.ingest = ingest
        self._nats = nats
        self._gateway = AsyncExitStack()

    async def start(self, **settings: Any) -> None:
        """Start a gateway."""
        readiness = Readiness("gateway")
        options = {
            "port": self.port,
            "nats_password": PASSWORD,
            "nats": NatsSettings.model_validate({"url": self._nats.url}),
            "tokens": self.issuer.settings,
            "shutdown_spread_secs": 0.0,
        } | settings
        build_it = build(GatewaySettings.model_validate(options), readiness)
        await self._gateway.enter_async_context(running(build_it))
        await eventually(lambda: is_ready(readiness), what="a gateway that is ready")

    async def stop(self) -> None:
        """As SIGTERM does."""
        await self._gateway.aclose()

    async def publish(self, *quotes: Quote) -> None:
        """As ingest does."""
        for one in quotes:
            await self.ingest.publish(quote_subject(one.key), encode(one))
        await flushed(self.ingest)

    def client(self, url: str | None = None, **options: Any) -> Client:
        """A client with a token that is good for long, and little patience."""
        if not options.keys() & {"token", "ask_token", "email"}:
            options["token"] = self.issuer.token()
        options.setdefault("timing", Timing(open_secs=2.0, heartbeat_secs=1.0))
        return Client(url or self.url, **options)


@asynccontextmanager
async def served(nats: NatsServer, **settings: Any) -> AsyncIterator[Served]:
    """A running gateway."""
    async with (
        serve_issuer() as issuer,
        connect_bus(
            NatsSettings.model_validate({"url": nats.url}),
            user="ingest",
            password=PASSWORD,
            readiness=Readiness("ingest"),
        ) as ingest,
    ):
        await ensure_ticks_stream(ingest, max_age_secs=600, max_bytes=1 << 24)
        gateway = Served(nats, issuer, ingest.client)
        await gateway.start(**settings)
        try:
            yield gateway
        finally:
            await gateway.stop()


T = TypeVar("T")


async def next_of(subscription: Subscription[Any], kind: type[T]) -> T:
    """The next message of a kind."""
    async with asyncio.timeout(45):
        async for message in subscription:
            if isinstance(message, kind):
                return message
    raise AssertionError("the subscription has ended")


async def opened(client: Client) -> None:
    """Open a stream and leave it again; for those that cannot be opened."""
    async with client:
        pass
