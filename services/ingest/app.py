"""Puts ingest together."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from services.ingest.bus.batch_client import BatchClient
from services.ingest.bus.demand_listener import DemandListener
from services.ingest.demand.interest import Interest
from services.ingest.feed.authorize import FeedAuthorizer
from services.ingest.feed.tokens import BusToken, FileToken, SettingToken, Tokens, TokenSource
from services.ingest.feed.upstream import UpstoxFeed, feed_session
from services.ingest.leadership.leader import Leader
from services.ingest.settings import IngestSettings
from services.ingest.watchlist import read_watchlist
from shared.bus.connection import Bus, connect_bus
from shared.bus.lease import Lease
from shared.bus.resources import open_leases
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.service import Component


@asynccontextmanager
async def build(
    settings: IngestSettings, readiness: Readiness
) -> AsyncIterator[Sequence[Component]]:
    """Open what ingest needs; yields its components."""
    pinned = await asyncio.to_thread(read_watchlist, settings.watchlist_file)
    clock = SystemClock()
    client = BatchClient()
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(
            connect_bus(
                settings.nats,
                user="ingest",
                password=settings.nats_password.get_secret_value(),
                readiness=readiness,
                own_client=client,
            )
        )
        session = await stack.enter_async_context(feed_session())
        authorizer = await asyncio.to_thread(FeedAuthorizer, settings.upstox)
        interest = Interest(pinned, linger_secs=settings.linger_secs)
        listener = DemandListener(bus, interest, clock)
        lease = Lease(
            lambda: open_leases(bus),
            "ingest",
            f"ingest-{uuid.uuid4().hex}",
            settings.nats.lease_ttl_secs,
            clock,
        )
        leader = Leader(
            settings,
            lease,
            bus,
            client,
            UpstoxFeed(session, authorizer, clock, ping_secs=settings.feed_ping_secs),
            Tokens(
                _token_sources(settings, bus),
                clock,
                retry_refused_secs=settings.token_retry_secs,
            ),
            interest,
            listener.changed,
            readiness,
            clock,
        )
        yield bus, listener, leader


def _token_sources(settings: IngestSettings, bus: Bus) -> list[TokenSource]:
    """Where tokens come from, the freshest first."""
    sources: list[TokenSource] = []
    if settings.token_file is not None:
        sources.append(FileToken(settings.token_file))
    sources.append(SettingToken(settings.upstox.access_token.get_secret_value()))
    return [*sources, BusToken(bus)]
