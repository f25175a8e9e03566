"""Puts the gateway together."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from services.gateway.flush import Flusher
from services.gateway.hub import Hub
from services.gateway.relay import Relay
from services.gateway.routes import Door, make_site
from services.gateway.settings import GatewaySettings
from shared.bus import connect_bus
from shared.clock import SystemClock
from shared.health import Readiness, serve
from shared.runtime import Part
from shared.verifier import KeySet, TokenVerifier


@asynccontextmanager
async def build(settings: GatewaySettings, readiness: Readiness) -> AsyncIterator[Sequence[Part]]:
    """Open what the gateway needs; yields its parts."""
    clock = SystemClock()
    hub = Hub()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession())
        verifier = TokenVerifier(KeySet(session, settings.tokens.jwks_url, clock), settings.tokens)
        bus = await stack.enter_async_context(
            connect_bus(
                settings.nats,
                user="gateway",
                password=settings.nats_password.get_secret_value(),
                readiness=readiness,
            )
        )
        door = Door(hub, Flusher(settings.flush_interval_ms), verifier, settings, clock)
        await stack.enter_async_context(
            serve(make_site(door, readiness), settings.host, settings.port)
        )
        yield bus, Relay(bus, hub, readiness)
