"""The composition root of the gateway."""

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
from services.gateway.fanout.ingest_clock import IngestClock
from services.gateway.fanout.interest import Interest
from services.gateway.fanout.latest_chains import LatestChains
from services.gateway.http.access import AccessControl
from services.gateway.http.auth_proxy import AuthProxy, proxy_session
from services.gateway.http.key_monitor import KeyMonitor
from services.gateway.http.page_reports import PageReports
from services.gateway.http.rate_limit import RateLimiter
from services.gateway.http.static_files import StaticFiles, page_files
from services.gateway.http.token_bucket import KeyedCounter
from services.gateway.rest.figures.endpoints import FigureEndpoints
from services.gateway.rest.links.callback import LinkCallback
from services.gateway.rest.links.endpoints import LinkEndpoints
from services.gateway.rest.links.hooks import UpstoxHooks
from services.gateway.rest.links.link_client import LinkClient
from services.gateway.rest.market.endpoints import MarketEndpoints
from services.gateway.rest.market.persister_client import PersisterClient
from services.gateway.rest.routes import RestRoutes
from services.gateway.rest.trading.endpoints import TradingEndpoints
from services.gateway.rest.trading.trading_client import TradingClient
from services.gateway.rest.trading_admin.admin_client import AdminClient
from services.gateway.rest.trading_admin.endpoints import TradingAdminEndpoints
from services.gateway.routes import make_application
from services.gateway.settings import GatewaySettings
from services.gateway.stream.endpoint import StreamEndpoint
from services.gateway.stream.quota import request_rates
from services.gateway.stream.registry import StreamRegistry
from services.gateway.stream.session_context import SessionContext
from services.gateway.stream.stream_log import StreamLog
from services.gateway.stream_capacity import connection_limit, within_file_limit
from shared.bus.connection import Bus, connect_bus
from shared.contracts.revocations import Revocations
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.clock_skew import ClockSkew
from shared.runtime.departure import departure_of
from shared.runtime.health import Readiness
from shared.runtime.service import Component, run_in_background
from shared.runtime.site import serve
from shared.web.forwarded import ForwardedHeaders
from shared.web.key_set import KeySet
from shared.web.verifier import TokenVerifier

# Long enough for a request line with two hundred instrument keys.
_MAX_LINE_BYTES: Final = 32 * 1024


@asynccontextmanager
async def build(
    settings: GatewaySettings, readiness: Readiness, clock: Clock | None = None
) -> AsyncIterator[Sequence[Component]]:
    """Open connections and the public port; yields the components to run.

    `clock` is that of the operating system if None.
    """
    settings = within_file_limit(settings)
    for channel in Channel:
        metrics.SUBSCRIPTIONS.labels(channel.value)  # exported as 0 before the first subscription
    clock = clock or SystemClock()
    ingest_clock = IngestClock(clock)
    max_skew_secs = settings.runtime.max_clock_skew_secs
    hub = Hub(settings.max_quote_age_secs)
    flusher = Flusher(
        hub,
        longest_ms=settings.flush_interval_ms,
        buffer_bytes=settings.buffer_bytes,
        blocked_secs=settings.blocked_secs,
        max_age_secs=settings.max_quote_age_secs,
        now_us=ingest_clock.now_us,
    )
    chains = LatestChains()
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
        auth_skew = ClockSkew("auth", max_skew_secs, readiness)
        keys = KeySet(http, settings.tokens.jwks_url, clock, skew=auth_skew)
        feed = FeedStatusListener(
            bus, hub, flusher, clock, ingest_clock, ClockSkew("ingest", max_skew_secs)
        )
        context = SessionContext(
            hub=hub,
            flusher=flusher,
            interest=interest,
            streams=streams,
            verifier=TokenVerifier(keys, settings.tokens, clock, auth_skew),
            revocations=revocations,
            open_by_user=KeyedCounter(settings.max_streams_per_user),
            requests=request_rates(settings),
            settings=settings,
            clock=clock,
            log=StreamLog(clock),
            feed_is_current=feed.is_current,
        )
        revocation_listener = RevocationListener(bus, revocations, streams, readiness, clock)
        # These run until the drain has ended the last stream.
        lasting_components = await stack.enter_async_context(
            run_in_background(
                streams,
                revocation_listener,
                KeyMonitor(keys, readiness, clock),
                Relay(
                    bus,
                    client,
                    hub,
                    flusher,
                    streams,
                    readiness,
                    revocation_listener.read_again,
                    ingest_clock,
                    chains,
                    clock,
                ),
                DemandPublisher(bus, gateway_id, hub, interest, streams),
                feed,
            )
        )
        forwarded = ForwardedHeaders(settings.trusted_proxies)
        access = _access_control(settings, context, forwarded)
        persister = PersisterClient(
            bus,
            clock,
            timeout_secs=settings.question_timeout_secs,
            max_concurrent=settings.questions_at_once,
        )
        market = MarketEndpoints(
            access=access,
            persister=persister,
            hub=hub,
            chains=chains,
            interest=interest,
            streams=streams,
            feed=feed,
            readiness=readiness,
            clock=clock,
        )
        trading_client = TradingClient(
            bus,
            clock,
            partitions=settings.trading_partitions,
            timeout_secs=settings.order_timeout_secs,
            max_concurrent=settings.trading_requests_at_once,
        )
        trading = TradingEndpoints(access, trading_client)
        trading_admin = TradingAdminEndpoints(
            access,
            trading_client,
            AdminClient(
                bus,
                clock,
                partitions=settings.trading_partitions,
                timeout_secs=settings.order_timeout_secs,
            ),
        )
        figures = FigureEndpoints(
            access=access,
            gateway_id=gateway_id,
            settings=settings,
            hub=hub,
            interest=interest,
            streams=streams,
            feed=feed,
            persister=persister,
            ingest_clock=ingest_clock,
        )
        links = _link_client(settings, bus, clock)
        auth = AuthProxy(
            await stack.enter_async_context(proxy_session(settings.auth_connections)),
            settings.auth_url,
            access,
            forwarded=forwarded,
            max_concurrent=settings.auth_requests_at_once,
            timeout_secs=settings.auth_timeout_secs,
        )
        files = await asyncio.to_thread(page_files, settings.page_dir)
        departure = departure_of(settings.runtime)
        stream = StreamEndpoint(context, forwarded, readiness, departure)
        application = make_application(
            stream,
            RestRoutes(
                access,
                [
                    *market.table(),
                    *trading.table(),
                    *trading_admin.table(),
                    *LinkEndpoints(access, links).table(),
                    *figures.table(),
                ],
                [
                    *LinkCallback(access).routes(),
                    *_upstox_hooks(settings, access, links, clock).routes(),
                ],
            ),
            auth,
            StaticFiles(files, access, forwarded),
            PageReports(access, forwarded, clock),
            readiness,
        )
        await stack.enter_async_context(
            serve(
                application,
                settings.host,
                settings.port,
                max_line_bytes=_MAX_LINE_BYTES,
                idle_secs=settings.idle_secs,
                max_idle=settings.max_idle_connections,
                most=connection_limit(settings),
                departure=departure,
                settings=("TRADEDAD_GATEWAY_HOST", "TRADEDAD_GATEWAY_PORT"),
            )
        )
        stack.push_async_callback(stream.drain)
        yield bus, lasting_components


def _link_client(settings: GatewaySettings, bus: Bus, clock: Clock) -> LinkClient:
    return LinkClient(
        bus,
        clock,
        partitions=settings.trading_partitions,
        timeout_secs=settings.order_timeout_secs,
        upstox_timeout_secs=settings.link_timeout_secs,
        hint_timeout_secs=settings.hook_timeout_secs,
    )


def _upstox_hooks(
    settings: GatewaySettings, access: AccessControl, links: LinkClient, clock: Clock
) -> UpstoxHooks:
    users = RateLimiter("hooks", settings.hooks_per_sec, settings.hooks_burst)
    return UpstoxHooks(access, links, users, clock)


def _access_control(
    settings: GatewaySettings, context: SessionContext, forwarded: ForwardedHeaders
) -> AccessControl:
    return AccessControl(
        context.verifier,
        context.revocations,
        users=RateLimiter("user", settings.requests_per_sec, settings.requests_burst),
        addresses=RateLimiter(
            "address", settings.address_requests_per_sec, settings.address_requests_burst
        ),
        forwarded=forwarded,
        clock=context.clock,
    )
