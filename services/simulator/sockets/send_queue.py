"""A bounded send queue between the simulator and the WebSocket of one client."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from services.simulator.metrics import SLOW_CLIENTS
from shared.runtime.logs import get_logger

log = get_logger(__name__)

T = TypeVar("T")


class SendQueue(Generic[T]):
    """Sends messages in order, and disconnects a client that reads too slowly.

    A client reads too slowly if its queue is full, or if its socket accepts no message within
    the send timeout. No message is skipped, because the client could not tell a skipped message
    from a market without changes.
    """

    def __init__(
        self,
        send: Callable[[T], Awaitable[None]],
        transport: asyncio.Transport | None,
        *,
        stream: str,
        max_messages: int,
        send_timeout_secs: float,
    ) -> None:
        """`stream` names the stream in logs and metrics."""
        self._send = send
        self._transport = transport
        self._stream = stream
        self._send_timeout_secs = send_timeout_secs
        self._queue: asyncio.Queue[T] = asyncio.Queue(max_messages)
        self._is_closed = False

    def offer(self, message: T) -> bool:
        """Queue a message; False if the client is disconnected, now or earlier."""
        if self._is_closed:
            return False
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._disconnect("queue full")
            return False
        return True

    async def write(self) -> None:
        """Send the queued messages until cancelled or disconnected."""
        while True:
            message = await self._queue.get()
            try:
                async with asyncio.timeout(self._send_timeout_secs):
                    await self._send(message)
            except TimeoutError:
                self._disconnect("send timed out")
                return
            except ConnectionError:
                self._is_closed = True  # the reader of the socket ends the session
                return

    def _disconnect(self, reason: str) -> None:
        self._is_closed = True
        SLOW_CLIENTS.labels(self._stream).inc()
        log.warning("slow client disconnected", stream=self._stream, reason=reason)
        if self._transport is not None:
            self._transport.abort()
