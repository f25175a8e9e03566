"""Posts order updates to the user's server, as Upstox's webhook does."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import aiohttp

from services.simulator.account.portfolio_updates import PortfolioUpdate, UpdateType
from services.simulator.metrics import WEBHOOK_UPDATES
from shared.runtime.backoff import Backoff
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_MAX_QUEUED: Final = 1_000
_MAX_ATTEMPTS: Final = 3
_UPDATE_TYPES: Final = (UpdateType.ORDER, UpdateType.GTT)


class Webhook:
    """Posts updates one after the other, from a bounded queue.

    An update that finds the queue full is dropped and counted. A failed post is retried, up to
    three attempts with growing pauses; then the update is dropped. This keeps the order of the
    updates, and a server that does not answer delays each update by its timeouts only.
    """

    def __init__(self, url: str, *, timeout_secs: float, pause_secs: float = 0.5) -> None:
        """`url` is empty if the user has no webhook."""
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_secs)
        self._pause_secs = pause_secs
        self._is_reachable = True
        self._queue: asyncio.Queue[str] = asyncio.Queue(_MAX_QUEUED)
        self.posts: Callable[[str], list[str]] = lambda text: [text]
        """Returns what to post for the next update; other than that only by a fault."""

    def publish(self, update: PortfolioUpdate) -> None:
        """Queue an update of an order or a GTT order; other updates are ignored."""
        if not self._url or update.type not in _UPDATE_TYPES:
            return
        try:
            self._queue.put_nowait(update.text)
        except asyncio.QueueFull:
            WEBHOOK_UPDATES.labels("dropped").inc()

    async def run(self) -> None:
        """Post the queued updates until cancelled."""
        async with aiohttp.ClientSession(timeout=self._timeout) as http:
            while True:
                text = await self._queue.get()
                for post in self.posts(text):
                    is_delivered = await self._deliver(http, post)
                    WEBHOOK_UPDATES.labels("delivered" if is_delivered else "failed").inc()

    async def _deliver(self, http: aiohttp.ClientSession, text: str) -> bool:
        backoff = Backoff(self._pause_secs)
        error = await self._post(http, text)
        while error is not None and backoff.attempt < _MAX_ATTEMPTS - 1:
            await asyncio.sleep(backoff.next_secs())
            error = await self._post(http, text)
        is_delivered = error is None
        if is_delivered is not self._is_reachable:
            self._is_reachable = is_delivered
            if is_delivered:
                log.info("webhook reachable again")
            else:
                log.warning("webhook unreachable", error=error)
        return is_delivered

    async def _post(self, http: aiohttp.ClientSession, text: str) -> str | None:
        """Make one attempt; returns its error, None if it succeeds."""
        headers = {"Content-Type": "application/json"}
        try:
            async with http.post(
                self._url, data=text, headers=headers, allow_redirects=False
            ) as response:
                is_accepted = HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES
                return None if is_accepted else str(response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__
