"""Admission control and graceful drain of WebSocket clients: GET /ws."""

import asyncio
import random
import socket
import struct
from typing import Final

from aiohttp import web

from services.gateway import metrics
from services.gateway.fanout.outbox import Outbox
from services.gateway.fanout.socket_writer import SocketWriter
from services.gateway.http.token_bucket import KeyedCounter, KeyedTokenBuckets, TokenBucket
from services.gateway.stream.json_framing import JsonFraming
from services.gateway.stream.protocol import CloseCode
from services.gateway.stream.registry import StreamTermination
from services.gateway.stream.session import StreamSession
from services.gateway.stream.session_context import SessionContext
from shared.errors import (
    BadMessage,
    Code,
    Forbidden,
    LimitExceeded,
    Overloaded,
    RateLimited,
    RequestError,
)
from shared.runtime.departure import Departure
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger
from shared.web.addresses import client_network
from shared.web.forwarded import ForwardedHeaders
from shared.web.origins import normalised, origin_of

log = get_logger(__name__)

DEPENDENCY: Final = "admission"
# Time that a client has to answer a close frame.
_CLOSE_SECS: Final = 2.0
_MAX_RETRY_SECS: Final = 10
# The drain ends one stream per pause, so that clients reconnect spread over some time.
_DRAIN_PAUSE_SECS: Final = 0.005
_MIN_SLEEP_SECS: Final = 0.01
_BURST_SECS: Final = 10.0
# Longer messages than a client may send are read up to this multiple, to be refused by code.
_READ_LIMIT_FACTOR: Final = 4
_SHUTTING_DOWN: Final = "this gateway is shutting down"
_jitter: Final = random.SystemRandom()


class StreamEndpoint:
    """Accepts streams within the limits, and ends them when the process shuts down."""

    def __init__(
        self,
        context: SessionContext,
        forwarded: ForwardedHeaders,
        readiness: Readiness,
        departure: Departure,
    ) -> None:
        self._context = context
        self._forwarded = forwarded
        self._readiness = readiness
        self._departure = departure
        self._framing = JsonFraming()
        settings = context.settings
        self._allowed_origins = frozenset(map(normalised, settings.allowed_origins))
        self._open_by_address = KeyedCounter(settings.max_streams_per_address)
        per_sec = settings.accept_per_sec_per_address
        burst = settings.max_streams_per_address + _BURST_SECS * per_sec
        self._accepts_by_address = KeyedTokenBuckets(per_sec, burst)
        rate = settings.accept_per_sec
        self._accepts = TokenBucket(rate, rate, asyncio.get_running_loop().time())
        self._is_draining = False
        self._serving = 0
        self._has_ended = asyncio.Event()
        """Set when a stream has ended."""

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Serve one stream until it ends."""
        address = self._forwarded.address(request)
        network = client_network(address)
        try:
            self._admit(request, network)
        except RequestError as error:
            metrics.REFUSED_STREAMS.labels(error.code.value).inc()
            self._context.log.refused(address, error)
            raise
        self._serving += 1
        try:
            return await self._serve(request, address)
        finally:
            self._serving -= 1
            self._has_ended.set()
            self._open_by_address.release(network)

    def _admit(self, request: web.Request, address: str) -> None:
        """Count one open stream for `address`. Raises RequestError if a limit is reached.

        The rate per address comes before the rate of all, so that an address that reconnects
        in a loop does not use up the rate of the others.
        """
        now = asyncio.get_running_loop().time()
        retry_secs = _jitter.randint(1, _MAX_RETRY_SECS)
        self._check_origin(request)
        if self._is_draining:
            raise Overloaded(_SHUTTING_DOWN, retry_after_secs=1)
        if len(self._context.streams) >= self._context.settings.max_streams:
            raise Overloaded("this gateway is full", retry_after_secs=retry_secs)
        by_address = self._accepts_by_address
        if not by_address.of(address, now).take(now):
            detail = f"more than {by_address.per_sec:g} new streams a second from one address"
            raise RateLimited(detail, retry_after_secs=retry_secs)
        if not _is_handshake(request):
            raise BadMessage("this path serves WebSocket handshakes only")
        if not self._accepts.take(now):
            detail = "too many streams are being opened at once"
            raise Overloaded(detail, retry_after_secs=retry_secs)
        if not self._open_by_address.acquire(address):
            limit = self._open_by_address.limit
            raise LimitExceeded(f"an address may have {limit} streams")

    def _check_origin(self, request: web.Request) -> None:
        """Refuse browsers whose page is of another origin. Other clients send no Origin."""
        origin = request.headers.get("Origin")
        if origin is None or normalised(origin) in self._allowed_origins:
            return
        forwarded = self._forwarded
        if normalised(origin) != origin_of(forwarded.scheme(request), forwarded.host(request)):
            raise Forbidden(f"pages of {origin} may not open a stream", field="Origin")

    async def _serve(self, request: web.Request, address: str) -> web.StreamResponse:
        settings = self._context.settings
        websocket = web.WebSocketResponse(
            heartbeat=settings.heartbeat_secs,
            autoping=False,  # pings count as messages, so the session answers them
            max_msg_size=_READ_LIMIT_FACTOR * settings.max_message_bytes,
            compress=False,
            timeout=_CLOSE_SECS,
        )
        try:
            await websocket.prepare(request)
        except ConnectionError:
            return web.Response()  # the client has disconnected: nobody receives this
        transport = request.transport  # None once the connection is closing
        if transport is None:
            return websocket
        writer = SocketWriter(transport)
        outbox = Outbox(writer.write, writer.unsent, self._framing)
        session = StreamSession(
            self._context, websocket, outbox, lambda: _reset(transport), address
        )
        try:
            await session.run()
        finally:
            code = session.close_code or websocket.close_code
            metrics.CLOSED_STREAMS.labels(_close_label(code)).inc()
        return websocket

    async def drain(self) -> None:
        """End all streams, spread over some seconds, and wait for them.

        Before that, the departure is announced, and streams are accepted until its grace period is
        over: a balancer may not have noticed yet that this gateway is not ready.

        It must run before aiohttp stops the server: from then on aiohttp reads nothing more from
        any connection, and each stream would wait in vain for its client's close frame.
        """
        self._readiness.down(DEPENDENCY, _SHUTTING_DOWN)
        await self._departure.announce()
        self._is_draining = True
        settings = self._context.settings
        streams = list(self._context.streams)
        longest_secs = min(
            settings.shutdown_spread_secs, settings.runtime.shutdown_deadline_secs / 2
        )
        pause_secs = min(_DRAIN_PAUSE_SECS, longest_secs / max(1, len(streams)))
        started = asyncio.get_running_loop().time()
        for number, stream in enumerate(streams):
            stream.end(StreamTermination(CloseCode.RESTARTING, Code.RESTARTING, _SHUTTING_DOWN))
            ahead_secs = started + number * pause_secs - asyncio.get_running_loop().time()
            if ahead_secs > _MIN_SLEEP_SECS:
                await asyncio.sleep(ahead_secs)
        try:
            async with asyncio.timeout(_CLOSE_SECS):
                while self._serving:
                    self._has_ended.clear()
                    await self._has_ended.wait()
        except TimeoutError:
            log.info("clients did not answer the close", streams=self._serving)


def _is_handshake(request: web.Request) -> bool:
    try:
        return bool(web.WebSocketResponse().can_prepare(request))
    except UnicodeEncodeError:  # aiohttp quotes a header whose bytes are not text
        return False


def _reset(transport: asyncio.Transport) -> None:
    """Close a connection at once, and drop what our memory and the kernel hold for it."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            return  # closed already
    transport.abort()


def _close_label(code: int | None) -> str:
    """A label with few values, whatever code the client sends."""
    if code is None:
        return "none"
    return str(code) if 1000 <= code <= 1015 or code in set(CloseCode) else "other"
