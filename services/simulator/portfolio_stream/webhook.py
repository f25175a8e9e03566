"""Posts updates of orders to the user's own server, as Upstox's webhook does."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import aiohttp

from services.simulator.metrics import WEBHOOKS
from services.simulator.portfolio_stream.updates import Update, UpdateType
from shared.runtime.backoff import Backoff
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_QUEUE: Final = 1_000
_ATTEMPTS: Final = 3
_TOLD: Final = (UpdateType.ORDER, UpdateType.GTT)


class Webhook:
    """A bounded queue before the address; an update that finds it full is lost and counted.

    Posts go out one after the other. One that fails is tried three times in all, after
    pauses that grow, then lost; so the order of updates holds, and a dead receiver costs
    no more than its timeouts.
    """

    def __init__(self, url: str, *, timeout_secs: float, pause_secs: float = 0.5) -> None:
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout_secs)
        self._pause_secs = pause_secs
        self._is_heard = True
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(_QUEUE)
        self.posts_of_next: Callable[[], int] = lambda: 1
        """How often the next update is posted; more than once only as a fault."""

    def publish(self, update: Update) -> None:
        """Queue an update of an order; without an address there is nobody to tell."""
        if not self._url or update.type not in _TOLD:
            return
        try:
            self._outgoing.put_nowait(update.text)
        except asyncio.QueueFull:
            WEBHOOKS.labels("dropped").inc()

    async def run(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession(timeout=self._timeout) as http:
            while True:
                text = await self._outgoing.get()
                for _ in range(self.posts_of_next()):
                    delivered = await self._deliver(http, text)
                    WEBHOOKS.labels("delivered" if delivered else "failed").inc()

    async def _deliver(self, http: aiohttp.ClientSession, text: str) -> bool:
        backoff = Backoff(self._pause_secs)
        why = await self._post(http, text)
        while why is not None and backoff.attempt < _ATTEMPTS - 1:
            await asyncio.sleep(backoff.next_secs())
            why = await self._post(http, text)
        if (why is None) is not self._is_heard:
            self._is_heard = why is None
            log.warning("webhook heard again" if self._is_heard else "webhook not heard", why=why)
        return why is None

    async def _post(self, http: aiohttp.ClientSession, text: str) -> str | None:
        """One attempt: why it failed, if it did."""
        headers = {"Content-Type": "application/json"}
        try:
            async with http.post(
                self._url, data=text, headers=headers, allow_redirects=False
            ) as response:
                is_taken = HTTPStatus.OK <= response.status < HTTPStatus.MULTIPLE_CHOICES
                return None if is_taken else str(response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            return type(error).__name__
