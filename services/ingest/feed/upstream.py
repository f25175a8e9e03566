"""The WebSocket connection to Upstox's market-data feed V3."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

import aiohttp

from services.ingest.demand.subscription_requests import SubscriptionRequest
from services.ingest.feed.source import FeedConnection, Frame
from shared.errors import FeedError
from shared.runtime.clock import Clock

_MAX_FRAME_BYTES: Final = 16 << 20
_CONNECT_TIMEOUT_SECS: Final = 10.0
_SEND_TIMEOUT_SECS: Final = 10.0
_CLOSE_TIMEOUT_SECS: Final = 2.0


class Authorizer(Protocol):
    """Exchanges an access token for an address of the feed."""

    async def feed_url(self, access_token: str) -> str:
        """Raises FeedUnauthorised if the token is refused, FeedError on any other failure."""
        ...


class UpstreamConnection:
    """An open WebSocket; `frames` ends by raising FeedError with the cause."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, clock: Clock) -> None:
        self._socket = socket
        self._clock = clock

    async def frames(self) -> AsyncIterator[Frame]:
        # No timeout here: a missing pong ends the socket, and the ConnectionMonitor a silent one.
        while True:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.BINARY:
                yield Frame(message.data, self._clock.now_us())
            elif message.type is not aiohttp.WSMsgType.TEXT:
                raise FeedError(self._cause(message))

    def _cause(self, message: aiohttp.WSMessage) -> str:
        if message.type is aiohttp.WSMsgType.ERROR:
            return "no_pong" if isinstance(message.data, TimeoutError) else "broken"
        return f"close_{self._socket.close_code}"

    async def send(self, request: SubscriptionRequest) -> None:
        """Raises FeedError if the socket is closed or does not accept the request in time."""
        data: dict[str, object] = {"instrumentKeys": request.keys}
        if request.mode is not None:
            data["mode"] = request.mode
        body = {"guid": uuid.uuid4().hex, "method": request.method, "data": data}
        try:
            async with asyncio.timeout(_SEND_TIMEOUT_SECS):
                # Upstox ignores a request in a text frame.
                await self._socket.send_bytes(json.dumps(body).encode())
        except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
            raise FeedError("broken", type(error).__name__) from None


class UpstoxFeed:
    """Opens connections to Upstox: the authorize call, then the WebSocket at its address."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        authorizer: Authorizer,
        clock: Clock,
        *,
        ping_secs: float,
    ) -> None:
        self._session = session
        self._authorizer = authorizer
        self._clock = clock
        self._ping_secs = ping_secs

    @asynccontextmanager
    async def connect(self, access_token: str) -> AsyncIterator[FeedConnection]:
        """Raises FeedUnauthorised if the token is refused, FeedError on any other failure."""
        socket = await self._open(await self._authorizer.feed_url(access_token))
        try:
            yield UpstreamConnection(socket, self._clock)
        finally:
            await socket.close()

    async def check_token(self, access_token: str) -> None:
        """Raises FeedUnauthorised if the token is refused, FeedError if it cannot be checked."""
        await self._authorizer.feed_url(access_token)

    async def _open(self, url: str) -> aiohttp.ClientWebSocketResponse:
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT_SECS):
                return await self._session.ws_connect(
                    url,
                    heartbeat=self._ping_secs,
                    max_msg_size=_MAX_FRAME_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_TIMEOUT_SECS),
                )
        except aiohttp.WSServerHandshakeError as error:
            # 401 and 403 do not mean a refused token, which the authorize call has just
            # accepted. The address has been used or has expired, or the account has
            # reached its limit of connections.
            raise FeedError(f"handshake_{error.status}") from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise FeedError("connect", type(error).__name__) from None


def feed_session(proxy: str | None = None) -> aiohttp.ClientSession:
    """The HTTP session for feed connections: TLS is verified, and no total timeout applies."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None), proxy=proxy)
