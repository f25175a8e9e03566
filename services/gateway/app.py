"""Puts the gateway together."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import aiohttp

from services.gateway.allowed import request_rates
from services.gateway.coverage import Interest
from services.gateway.demand import Demander
from services.gateway.door import Door
from services.gateway.flush import Flusher
from services.gateway.forward import Forwarder, bounded_session
from services.gateway.hub import Hub
from services.gateway.intake import DirectClient
from services.gateway.limits import Count
from services.gateway.outside import Outside
from services.gateway.pages import OWN_PAGE, Pages, read_files
from services.gateway.relay import Relay
from services.gateway.rest.access import Access
from services.gateway.rest.allowance import Meter
from services.gateway.rest.endpoints import Endpoints
from services.gateway.rest.feed_board import FeedBoard
from services.gateway.rest.questions import Questions
from services.gateway.revoked import Revoked
from services.gateway.routes import make_site
from services.gateway.session import Gateway
from services.gateway.settings import GatewaySettings
from services.gateway.streams import Streams
from shared.bus import connect_bus
from shared.clock import SystemClock
from shared.health import Readiness
from shared.revocations import Revocations
from shared.runtime import Part, lasting
from shared.site import serve
from shared.verifier import KeySet, TokenVerifier

# A request may name two hundred instruments.
_MAX_LINE_BYTES: Final = 32 * 1024


@asynccontextmanager
async def build(settings: GatewaySettings, readiness: Readiness) -> AsyncIterator[Sequence[Part]]:
    """Open what the gateway needs; yields its parts."""
    clock = SystemClock()
    hub = Hub(settings.max_quote_age_secs)
    flusher = Flusher(
        hub,
        longest_ms=settings.flush_interval_ms,
        buffer_bytes=settings.buffer_bytes,
        blocked_secs=settings.blocked_secs,
        max_age_secs=settings.max_quote_age_secs,
    )
    streams = Streams()
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
        gateway = Gateway(
            hub=hub,
            flusher=flusher,
            interest=interest,
            streams=streams,
            verifier=TokenVerifier(KeySet(http, settings.tokens.jwks_url, clock), settings.tokens),
            revocations=revocations,
            users=Count(settings.max_streams_per_user),
            requests=request_rates(settings),
            settings=settings,
            clock=clock,
        )
        revoked = Revoked(bus, revocations, streams, readiness, clock)
        relay = Relay(bus, client, hub, flusher, streams, readiness, revoked.read_again)
        demander = Demander(bus, gateway_id, hub, interest, streams)
        # Streams are sent away over some time, during which they are served as ever.
        board = FeedBoard(bus, clock)
        served = await stack.enter_async_context(lasting(streams, revoked, relay, demander, board))
        outside = Outside(settings.trusted_proxies)
        access = _access(settings, gateway, outside)
        endpoints = Endpoints(
            access=access,
            questions=Questions(
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
        auth = Forwarder(
            await stack.enter_async_context(bounded_session(settings.auth_connections)),
            settings.auth_url,
            access,
            outside=outside,
            at_once=settings.auth_requests_at_once,
            timeout_secs=settings.auth_timeout_secs,
        )
        files = await asyncio.to_thread(read_files, settings.page_dir or OWN_PAGE)
        pages = Pages(files, access, outside)
        site = make_site(Door(gateway, outside, readiness), endpoints, auth, pages, readiness)
        listening = serve(
            site,
            settings.host,
            settings.port,
            max_line_bytes=_MAX_LINE_BYTES,
            idle_secs=settings.idle_secs,
            most_idle=settings.max_idle_connections,
        )
        await stack.enter_async_context(listening)
        yield bus, served


def _access(settings: GatewaySettings, gateway: Gateway, outside: Outside) -> Access:
    return Access(
        gateway.verifier,
        gateway.revocations,
        users=Meter("user", settings.requests_per_sec, settings.requests_burst),
        addresses=Meter(
            "address", settings.address_requests_per_sec, settings.address_requests_burst
        ),
        outside=outside,
        clock=gateway.clock,
    )
