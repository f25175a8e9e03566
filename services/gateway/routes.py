"""Every path of the public door."""

import asyncio
import socket
import struct

from aiohttp import WSCloseCode, web

from services.gateway import metrics
from services.gateway.flush import Flusher
from services.gateway.hub import Hub
from services.gateway.protocol import CloseCode
from services.gateway.session import Session
from services.gateway.settings import GatewaySettings
from shared.clock import Clock
from shared.errors import Forbidden, Overloaded
from shared.health import Readiness, health_routes
from shared.problems import problems
from shared.verifier import TokenVerifier


class Door:
    """Accepts streams, as many as it may, and closes them when the process goes."""

    def __init__(
        self,
        hub: Hub,
        flusher: Flusher,
        verifier: TokenVerifier,
        settings: GatewaySettings,
        clock: Clock,
    ) -> None:
        self._hub = hub
        self._flusher = flusher
        self._verifier = verifier
        self._settings = settings
        self._clock = clock
        self._streams: set[web.WebSocketResponse] = set()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """GET /ws"""
        self._check_origin(request)
        if len(self._streams) >= self._settings.max_streams:
            raise Overloaded("this gateway has as many streams as it may", retry_after_secs=5)
        stream = web.WebSocketResponse(
            heartbeat=self._settings.heartbeat_secs,
            max_msg_size=self._settings.max_message_bytes,
            compress=False,
            timeout=2.0,
        )
        await stream.prepare(request)
        self._streams.add(stream)
        metrics.STREAMS.set(len(self._streams))
        transport = request.transport  # gone from the request once it is closing
        session = Session(
            stream,
            self._hub,
            self._flusher,
            self._verifier,
            self._settings,
            self._clock,
            reset=lambda: _reset(transport),
        )
        try:
            await session.run()
        finally:
            self._streams.discard(stream)
            metrics.STREAMS.set(len(self._streams))
            metrics.CLOSES.labels(_close_label(stream.close_code)).inc()
        return stream

    def _check_origin(self, request: web.Request) -> None:
        """A browser names its page's origin; a page of somebody else's may not listen in."""
        origin = request.headers.get("Origin")
        if origin is None or origin in self._settings.allowed_origins:
            return
        if origin != f"{request.scheme}://{request.host}":
            raise Forbidden(f"pages of {origin} may not open a stream", field="Origin")

    async def close_all(self, _: web.Application) -> None:
        """Tell every client that this process goes away."""
        for stream in list(self._streams):
            await stream.close(code=CloseCode.RESTARTING, message=b"restarting", drain=False)


def _reset(transport: asyncio.Transport | None) -> None:
    """End a connection now, with all that waits in it, in our memory and in the kernel's."""
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _close_label(code: int | None) -> str:
    ours = {int(known) for known in CloseCode} | {int(known) for known in WSCloseCode}
    return str(code) if code in ours else "other"


def make_site(door: Door, readiness: Readiness) -> web.Application:
    """The public application."""
    site = web.Application(middlewares=[problems], client_max_size=64 * 1024)
    site.add_routes([web.get("/ws", door.stream), *health_routes(readiness)])
    site.on_shutdown.append(door.close_all)
    return site
