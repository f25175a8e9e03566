"""Lets streams in, as many as there may be, and sends them away when the process goes."""

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
from services.gateway.stream.session import SessionContext, StreamSession
from shared.errors import (
    BadMessage,
    Code,
    Forbidden,
    LimitExceeded,
    Overloaded,
    RateLimited,
    RequestError,
)
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger
from shared.web.addresses import client_network
from shared.web.forwarded import ForwardedHeaders

log = get_logger(__name__)

DEPENDENCY: Final = "admission"
# So long a client may take to answer a close.
_CLOSE_SECS: Final = 2.0
_LONGEST_RETRY_SECS: Final = 10
_PER_CLIENT_SECS: Final = 0.005
_BURST_SECS: Final = 10.0
_FRAMING: Final = JsonFraming()
_jitter: Final = random.SystemRandom()


class StreamEndpoint:
    """GET /ws."""

    def __init__(
        self, gateway: SessionContext, outside: ForwardedHeaders, readiness: Readiness
    ) -> None:
        self._gateway = gateway
        self._outside = outside
        self._readiness = readiness
        settings = gateway.settings
        self._addresses = KeyedCounter(settings.max_streams_per_address)
        each_per_sec = settings.accept_per_sec_per_address
        self._openings = KeyedTokenBuckets(
            each_per_sec, settings.max_streams_per_address + _BURST_SECS * each_per_sec
        )
        rate = settings.accept_per_sec
        self._admission = TokenBucket(rate, rate, asyncio.get_running_loop().time())
        self._is_closing = False

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Serve one stream until it ends."""
        address = client_network(self._outside.address(request))
        try:
            self._check(request, address)
        except RequestError as refusal:
            metrics.REFUSED.labels(refusal.code.value).inc()
            raise
        try:
            return await self._serve(request)
        finally:
            self._addresses.give_back(address)

    def _check(self, request: web.Request, address: str) -> None:
        """Raises the reason to let nobody in; else the address has one stream more.

        Who comes again and again from one address leaves room for those of others.
        """
        now = asyncio.get_running_loop().time()
        retry_secs = _jitter.randint(1, _LONGEST_RETRY_SECS)
        self._check_origin(request)
        if self._is_closing:
            raise Overloaded("this gateway goes away", retry_after_secs=1)
        if len(self._gateway.streams) >= self._gateway.settings.max_streams:
            detail = "this gateway has as many streams as it may"
            raise Overloaded(detail, retry_after_secs=retry_secs)
        if not self._openings.of(address, now).take(now):
            detail = f"more than {self._openings.per_sec:g} new streams a second from one address"
            raise RateLimited(detail, retry_after_secs=retry_secs)
        if not web.WebSocketResponse().can_prepare(request):
            raise BadMessage("this is no WebSocket handshake, and here is nothing else")
        if not self._admission.take(now):
            detail = "too many streams are being opened at once"
            raise Overloaded(detail, retry_after_secs=retry_secs)
        if not self._addresses.take(address):
            raise LimitExceeded(f"an address may have {self._addresses.most} streams")

    def _check_origin(self, request: web.Request) -> None:
        """A browser names its page's origin; a page of somebody else's may not listen in."""
        origin = request.headers.get("Origin")
        if origin is None or origin in self._gateway.settings.allowed_origins:
            return
        outside = self._outside
        if origin != f"{outside.scheme(request)}://{outside.host(request)}":
            raise Forbidden(f"pages of {origin} may not open a stream", field="Origin")

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        settings = self._gateway.settings
        stream = web.WebSocketResponse(
            heartbeat=settings.heartbeat_secs,
            autoping=False,  # pings count as messages, so the session answers them
            # Longer ones than a client may send are read, up to a point, to be refused in order.
            max_msg_size=4 * settings.max_message_bytes,
            compress=False,
            timeout=_CLOSE_SECS,
        )
        try:
            await stream.prepare(request)
        except ConnectionError:
            return web.Response()  # to nobody: the client is gone already
        transport = request.transport  # gone from the request once it is closing
        if transport is None:
            return stream
        pipe = SocketWriter(transport)
        outbox = Outbox(pipe.write, pipe.unsent, _FRAMING)
        session = StreamSession(self._gateway, stream, outbox, reset=lambda: _reset(transport))
        try:
            await session.run()
        finally:
            code = session.close_code or stream.close_code
            metrics.CLOSES.labels(_close_label(code)).inc()
        return stream

    async def close(self, _: web.Application) -> None:
        """Let nobody in any more, and send all away, over some time: they will all come back."""
        self._is_closing = True
        self._readiness.down(DEPENDENCY, "this gateway goes away")
        settings = self._gateway.settings
        streams = list(self._gateway.streams)
        longest_secs = min(
            settings.shutdown_spread_secs, settings.runtime.shutdown_deadline_secs / 2
        )
        pause_secs = min(_PER_CLIENT_SECS, longest_secs / max(1, len(streams)))
        started = asyncio.get_running_loop().time()
        for number, stream in enumerate(streams):
            stream.end(
                StreamTermination(CloseCode.RESTARTING, Code.RESTARTING, "this gateway goes away")
            )
            ahead_secs = started + number * pause_secs - asyncio.get_running_loop().time()
            if ahead_secs > 0.01:
                await asyncio.sleep(ahead_secs)


def _reset(transport: asyncio.Transport) -> None:
    """End a connection now, with all that waits in it, in our memory and in the kernel's."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        try:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            return  # it has ended already
    transport.abort()


def _close_label(code: int | None) -> str:
    if code is None:
        return "none"
    return str(code) if 1000 <= code <= 1015 or code in set(CloseCode) else "other"
