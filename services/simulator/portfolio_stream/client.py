"""One client of the portfolio stream: what it wants, next to the updates that wait for it."""

import asyncio
from collections.abc import Set as AbstractSet

from aiohttp import web

from services.simulator.portfolio_stream.updates import Update, UpdateType
from shared.runtime.logs import get_logger

log = get_logger(__name__)


class StreamClient:
    """A bounded queue before a socket; a client that lets it fill up is cut off."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
        *,
        user_id: str,
        wanted: AbstractSet[UpdateType],
        queue_updates: int,
        send_timeout_secs: float,
    ) -> None:
        self.socket = socket
        self._transport = transport
        self._user_id = user_id
        self._wanted = wanted
        self._send_timeout_secs = send_timeout_secs
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(queue_updates)

    def offer(self, update: Update) -> None:
        """Queue the update if it is the user's and wanted."""
        if update.user_id != self._user_id or update.type not in self._wanted:
            return
        try:
            self._outgoing.put_nowait(update.text)
        except asyncio.QueueFull:
            self._cut("its queue is full")

    async def write(self) -> None:
        """Send what is queued, until cancelled or the socket is gone."""
        while True:
            text = await self._outgoing.get()
            try:
                async with asyncio.timeout(self._send_timeout_secs):
                    await self.socket.send_str(text)
            except TimeoutError:
                self._cut("its socket did not drain")
                return
            except ConnectionError:
                return  # the reader sees the end as well

    def _cut(self, why: str) -> None:
        log.warning("portfolio client cut off", why=why)
        if self._transport is not None:
            self._transport.abort()
