"""Posted tokens of users; each is verified at Upstox before it is used.

Anybody can post to the address of Upstox's notifier. So a token is tried only while the user waits
for one, and a call with it must return the linked account.
"""

import asyncio
from typing import Final

from services.trading.links.directory import LinkDirectory
from services.trading.links.documents import StoredLink
from services.trading.links.login import LinkLogin
from services.trading.links.store import LinkStore
from shared.contracts.upstox_links import LinkHint, LinkPurpose
from shared.errors import RequestError
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_MAX_WAITING: Final = 64


class TokenHints:
    """Looks into hints one by one; what finds the queue full is dropped."""

    def __init__(
        self, store: LinkStore, login: LinkLogin, directory: LinkDirectory, clock: Clock
    ) -> None:
        self._store = store
        self._login = login
        self._directory = directory
        self._clock = clock
        self._hints: asyncio.Queue[LinkHint] = asyncio.Queue(_MAX_WAITING)

    def put(self, hint: LinkHint) -> bool:
        """Queue a hint; False if there is no room or no token in it."""
        if hint.access_token is None or self._hints.full():
            return False
        self._hints.put_nowait(hint)
        return True

    async def run(self) -> None:
        """Look into hints until cancelled. Raises PyMongoError or ConfigError."""
        while True:
            await self.look_into(await self._hints.get())

    async def look_into(self, hint: LinkHint) -> None:
        """Use the token of a hint if it is what its user waits for."""
        for purpose in LinkPurpose:
            try:
                await self._look_for(hint, purpose)
            except RequestError as error:
                log.info("posted token not used", user=hint.user_id, error=error.detail)

    async def _look_for(self, hint: LinkHint, purpose: LinkPurpose) -> None:
        link = await self._store.link(hint.user_id, purpose)
        if link is None or hint.access_token is None or not self._is_for(hint, link):
            return
        renewed = await self._login.accept_token(link, hint.access_token)
        if renewed is not None:
            log.info("upstox token renewed", user=hint.user_id, purpose=purpose.value)
            self._directory.put(renewed, hint.access_token)

    def _is_for(self, hint: LinkHint, link: StoredLink) -> bool:
        is_waiting = (link.waiting_until_ms or 0) > self._clock.now_ms()
        is_of_app = hint.client_id in (None, link.client_id)
        return is_waiting and is_of_app and link.user_id == hint.user_id
