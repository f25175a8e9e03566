"""The links of a partition's users during one term, with their tokens in memory."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Final

from services.trading.links.documents import StoredLink, token_place
from services.trading.links.link import Link
from services.trading.links.seal_keys import SealKeys
from services.trading.links.sealing import SealBroken
from services.trading.links.store import LinkStore
from services.trading.metrics import LINKS
from shared.contracts.upstox_links import LinkPurpose
from shared.errors import ConfigError
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.tasks import run_together

log = get_logger(__name__)

TOKEN_REFUSED: Final = "Upstox refuses the token; log in again"
NOT_OPENED: Final = "the stored token cannot be opened with the operator's keys; log in again"
_CHECK_SECS: Final = 20.0
_MIN_SECS: Final = 0.05


@dataclass(frozen=True, slots=True)
class OpenedLink:
    """A stored link with its token."""

    stored: StoredLink
    token: str | None = field(repr=False)
    """None if it cannot be opened."""

    def is_alive(self, now_ms: int) -> bool:
        """Whether the token can be used as far as is known."""
        return (
            self.token is not None and not self.stored.refused and now_ms < self.stored.expires_ms
        )


class LinkDirectory:
    """Implements `Links` for trading. `load` it before anything else."""

    def __init__(self, store: LinkStore, keys: SealKeys, clock: Clock) -> None:
        self._store = store
        self._keys = keys
        self._clock = clock
        self._links: dict[str, OpenedLink] = {}
        self._alive: set[str] = set()
        """Users whose links were valid at the last look."""
        self._refused: dict[str, StoredLink] = {}
        """By user: at most one each, to store."""
        self._has_refused = asyncio.Event()
        self._doubtful: set[str] = set()
        self._has_doubtful = asyncio.Event()
        self._listeners: list[Callable[[str], None]] = []
        self._partition = ""

    async def load(self, partition: int, partitions: int) -> None:
        """Read and open the links of a partition's users. Raises PyMongoError."""
        self._partition = str(partition)
        for stored in await self._store.trading_links(partition, partitions):
            self._links[stored.user_id] = await self.opened(stored)
        self._alive = self._now_alive()
        self._count()

    async def opened(self, stored: StoredLink) -> OpenedLink:
        """A link with its token, or with the reason in `detail` if that cannot be opened."""
        try:
            place = token_place(stored.document_id)
            return OpenedLink(stored, await self._keys.open(stored.sealed_token, place))
        except (SealBroken, ConfigError) as error:
            log.warning("token of a link cannot be opened", user=stored.user_id, error=str(error))
            return OpenedLink(replace(stored, detail=NOT_OPENED), None)

    def find(self, user_id: str) -> OpenedLink | None:
        """A link, valid or not; None if the user has none."""
        return self._links.get(user_id)

    def put(self, stored: StoredLink, token: str) -> None:
        """A link was stored. That of the feed is not kept here."""
        if stored.purpose is not LinkPurpose.TRADING:
            return
        self._links[stored.user_id] = OpenedLink(stored, token)
        self._refused.pop(stored.user_id, None)
        self._changed(stored.user_id)

    def note_waiting(self, stored: StoredLink) -> None:
        """A token was requested."""
        known = self._links.get(stored.user_id)
        if known is not None and stored.purpose is LinkPurpose.TRADING:
            waiting = replace(known.stored, waiting_until_ms=stored.waiting_until_ms)
            self._links[stored.user_id] = OpenedLink(waiting, known.token)

    def remove(self, user_id: str) -> OpenedLink | None:
        """A link was removed; returns it."""
        removed = self._links.pop(user_id, None)
        self._refused.pop(user_id, None)
        if removed is not None:
            self._changed(user_id)
        return removed

    def doubt(self, user_id: str) -> None:
        """Whether a change of a link was stored is not known: `run` reads it again."""
        self._doubtful.add(user_id)
        self._has_doubtful.set()

    def link(self, user_id: str) -> Link | None:
        opened = self._links.get(user_id)
        if opened is None or opened.token is None or not opened.is_alive(self._clock.now_ms()):
            return None
        return Link(user_id, opened.stored.upstox_user_id, opened.token, opened.stored.expires_ms)

    def linked_users(self) -> Collection[str]:
        return list(self._links)

    def token_refused(self, link: Link) -> None:
        opened = self._links.get(link.user_id)
        if opened is None or opened.token != link.access_token or opened.stored.refused:
            return
        log.info("upstox refuses the token of a link", user=link.user_id)
        refused = replace(opened.stored, refused=True, detail=TOKEN_REFUSED)
        self._links[link.user_id] = OpenedLink(refused, opened.token)
        self._refused[link.user_id] = refused
        self._has_refused.set()
        self._changed(link.user_id)

    def on_change(self, listener: Callable[[str], None]) -> None:
        self._listeners.append(listener)

    async def run(self) -> None:
        """Store refusals and report deaths until cancelled.

        Raises an ExceptionGroup of RequestError or PyMongoError.
        """
        await run_together(
            {
                "refusals": self._store_refusals(),
                "deaths": self._report_deaths(),
                "doubts": self._read_doubtful(),
            }
        )

    async def _store_refusals(self) -> None:
        while True:
            await self._has_refused.wait()
            self._has_refused.clear()
            while self._refused:
                user_id, stored = next(iter(self._refused.items()))
                await self._store.refuse(stored, TOKEN_REFUSED)
                if self._refused.get(user_id) is stored:
                    del self._refused[user_id]

    async def _read_doubtful(self) -> None:
        while True:
            await self._has_doubtful.wait()
            self._has_doubtful.clear()
            while self._doubtful:
                await self._read_again(self._doubtful.pop())

    async def _read_again(self, user_id: str) -> None:
        before = self._links.get(user_id)
        stored = await self._store.settled_link(user_id)
        opened = None if stored is None else await self.opened(stored)
        if self._links.get(user_id) is not before:
            self._doubtful.add(user_id)  # it has changed meanwhile
        elif opened is None:
            self.remove(user_id)
        elif opened != before:
            self._links[user_id] = opened
            self._changed(user_id)

    async def _report_deaths(self) -> None:
        """Wall clocks are set at times, so it looks more often than tokens die."""
        while True:
            now_ms = self._clock.now_ms()
            deaths_ms = [self._links[user].stored.expires_ms for user in self._alive]
            until_death_secs = (min(deaths_ms, default=now_ms) - now_ms) / 1_000
            until_death_secs = until_death_secs if deaths_ms else _CHECK_SECS
            await self._clock.sleep(max(min(until_death_secs, _CHECK_SECS), _MIN_SECS))
            dead = self._alive - self._now_alive()
            for user_id in sorted(dead):
                log.info("token of a link has died", user=user_id)
                self._changed(user_id)

    def _changed(self, user_id: str) -> None:
        opened = self._links.get(user_id)
        if opened is not None and opened.is_alive(self._clock.now_ms()):
            self._alive.add(user_id)
        else:
            self._alive.discard(user_id)
        self._count()
        for listener in self._listeners:
            listener(user_id)

    def _count(self) -> None:
        alive = len(self._alive)
        LINKS.labels(self._partition, "linked").set(alive)
        LINKS.labels(self._partition, "expired").set(len(self._links) - alive)

    def _now_alive(self) -> set[str]:
        now_ms = self._clock.now_ms()
        return {user for user, opened in self._links.items() if opened.is_alive(now_ms)}
