"""One client of the feed: its subscriptions, next to the frames that wait for it."""

import asyncio
from typing import Protocol

from services.simulator.feed.subscriptions import FeedSubscriptions
from services.simulator.metrics import SLOW_CLIENTS
from shared.runtime.logs import get_logger

log = get_logger(__name__)


class Outlet(Protocol):
    """Where frames go."""

    async def send_bytes(self, data: bytes, /) -> None:
        """Send one frame. Raises ConnectionError if the socket is gone."""
        ...


class FeedSession:
    """A bounded queue before a socket.

    A client that leaves the queue full, or its socket blocked, is cut off: frames are
    never left out, for a gap that nobody was told of would look like the market's.
    """

    def __init__(
        self,
        socket: Outlet,
        transport: asyncio.Transport | None,
        subscriptions: FeedSubscriptions,
        *,
        queue_frames: int,
        send_timeout_secs: float,
    ) -> None:
        self.subscriptions = subscriptions
        self._socket = socket
        self._transport = transport
        self._send_timeout_secs = send_timeout_secs
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue(queue_frames)
        self._is_cut = False

    def offer(self, frame: bytes) -> bool:
        """Queue a frame; False if the client is cut off, now or earlier."""
        if self._is_cut:
            return False
        try:
            self._outgoing.put_nowait(frame)
        except asyncio.QueueFull:
            self._cut("its queue is full")
            return False
        return True

    async def write(self) -> None:
        """Send what is queued, until cancelled or the socket is gone."""
        while True:
            frame = await self._outgoing.get()
            try:
                async with asyncio.timeout(self._send_timeout_secs):
                    await self._socket.send_bytes(frame)
            except TimeoutError:
                self._cut("its socket did not drain")
                return
            except ConnectionError:
                self._is_cut = True  # the reader sees the end as well, and ends the session
                return

    def _cut(self, why: str) -> None:
        self._is_cut = True
        SLOW_CLIENTS.inc()
        log.warning("feed client cut off", why=why)
        if self._transport is not None:
            self._transport.abort()
