"""Puts the gateway together."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import aiohttp

from services.gateway import metrics
from services.gateway.bus.demand_publisher import DemandPublisher
from services.gateway.bus.direct_client import DirectClient
from services.gateway.bus.feed_status import FeedStatusListener
from services.gateway.bus.relay import Relay
from services.gateway.bus.revocation_listener import RevocationListener
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.flush import Flusher
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.interest import Interest
from services.gateway.http.access import AccessControl
from services.gateway.http.auth_proxy import AuthProxy, bounded_session
from services.gateway.http.rate_limit import RateLimiter
from services.gateway.http.static_files import OWN_PAGE, StaticFiles, read_files
from services.gateway.http.token_bucket import KeyedCounter
from services.gateway.rest.endpoints import Endpoints
from services.gateway.rest.persister_client import PersisterClient
from services.gateway.routes import make_site
from services.gateway.settings import GatewaySettings
from services.gateway.stream.endpoint import StreamEndpoint
from services.gateway.stream.quota import request_rates
from services.gateway.stream.registry import StreamRegistry
from services.gateway.stream.session import SessionContext
from shared.bus.connection import connect_bus
from shared.contracts.revocations import Revocations
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.service import Component, run_in_background
from shared.runtime.site import serve
from shared.web.forwarded import ForwardedHeaders
from shared.web.verifier import KeySet, TokenVerifier

# A request may name two hundred instruments.
_MAX_LINE_BYTES: Final = 32 * 1024


@asynccontextmanager
async def build(
    settings: GatewaySettings, readiness: Readiness
) -> AsyncIterator[Sequence[Component]]:
    """Open what the gateway needs; yields its components."""
    for channel in Channel:
        metrics.SUBSCRIPTIONS.labels(channel.value)  # exported as 0 before the first subscription
    clock = SystemClock()
    hub = Hub(settings.max_quote_age_secs)
    flusher = Flusher(
        hub,
        longest_ms=settings.flush_interval_ms,
        buffer_bytes=settings.buffer_bytes,
        blocked_secs=settings.blocked_secs,
        max_age_secs=settings.max_quote_age_secs,
    )
    streams = StreamRegistry()
    client = DirectClient()
    revocations = Revocations()
    gateway_id = settings.gateway_id or f"{socket.gethostname()[:20]}-{secrets.token_hex(4)}"
    interest = Interest(gateway_id)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        bus = await stack.enter_async_context(
            connect_bus(
                settings.nats,
                user="gateway",
                password=settings.nats_password.get_secret_value(),
                readiness=readiness,
                own_client=client,
            )
        )
        gateway = SessionContext(
            hub=hub,
            flusher=flusher,
            interest=interest,
            streams=streams,
            verifier=TokenVerifier(KeySet(http, settings.tokens.jwks_url, clock), settings.tokens),
            revocations=revocations,
            users=KeyedCounter(settings.max_streams_per_user),
            requests=request_rates(settings),
            settings=settings,
            clock=clock,
        )
        revoked = RevocationListener(bus, revocations, streams, readiness, clock)
        relay = Relay(bus, client, hub, flusher, streams, readiness, revoked.read_again)
        demander = DemandPublisher(bus, gateway_id, hub, interest, streams)
        # Streams are sent away over some time, during which they are served as ever.
        board = FeedStatusListener(bus, clock)
        served = await stack.enter_async_context(
            run_in_background(streams, revoked, relay, demander, board)
        )
        outside = ForwardedHeaders(settings.trusted_proxies)
        access = _access(settings, gateway, outside)
        endpoints = Endpoints(
            access=access,
            questions=PersisterClient(
                bus,
                clock,
                secs=settings.question_timeout_secs,
                at_once=settings.questions_at_once,
            ),
            hub=hub,
            interest=interest,
            streams=streams,
            board=board,
            readiness=readiness,
            clock=clock,
        )
        auth = AuthProxy(
            await stack.enter_async_context(bounded_session(settings.auth_connections)),
            settings.auth_url,
            access,
            outside=outside,
            at_once=settings.auth_requests_at_once,
            timeout_secs=settings.auth_timeout_secs,
        )
        files = await asyncio.to_thread(read_files, settings.page_dir or OWN_PAGE)
        pages = StaticFiles(files, access, outside)
        site = make_site(
            StreamEndpoint(gateway, outside, readiness), endpoints, auth, pages, readiness
        )
        listening = serve(
            site,
            settings.host,
            settings.port,
            max_line_bytes=_MAX_LINE_BYTES,
            idle_secs=settings.idle_secs,
            max_idle=settings.max_idle_connections,
        )
        await stack.enter_async_context(listening)
        yield bus, served


def _access(
    settings: GatewaySettings, gateway: SessionContext, outside: ForwardedHeaders
) -> AccessControl:
    return AccessControl(
        gateway.verifier,
        gateway.revocations,
        users=RateLimiter("user", settings.requests_per_sec, settings.requests_burst),
        addresses=RateLimiter(
            "address", settings.address_requests_per_sec, settings.address_requests_burst
        ),
        outside=outside,
        clock=gateway.clock,
    )
