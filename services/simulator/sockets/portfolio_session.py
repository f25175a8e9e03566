"""One client of the portfolio stream: its user, its update types, its queued updates."""

import asyncio
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet

from aiohttp import web

from services.simulator.account.portfolio_updates import PortfolioUpdate, UpdateType
from services.simulator.sockets.send_queue import SendQueue


class PortfolioSession(SendQueue[str]):
    """The send queue of a portfolio stream client."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        send: Callable[[str], Awaitable[None]],
        transport: asyncio.Transport | None,
        *,
        user_id: str,
        update_types: AbstractSet[UpdateType],
        max_updates: int,
        send_timeout_secs: float,
    ) -> None:
        super().__init__(
            send,
            transport,
            stream="portfolio",
            max_messages=max_updates,
            send_timeout_secs=send_timeout_secs,
        )
        self.socket = socket
        self._user_id = user_id
        self._update_types = update_types

    def publish(self, update: PortfolioUpdate) -> None:
        """Queue the update if it has the client's user and one of its update types."""
        if update.user_id == self._user_id and update.type in self._update_types:
            self.offer(update.text)
