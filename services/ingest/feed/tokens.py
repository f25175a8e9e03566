"""Upstox access tokens: from settings, a watched file or the bus, and which were refused.

A token dies at 03:30 IST, or when its user logs out. A new one is taken up as soon as it
is there, without a restart. Tokens are never logged.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import msgspec
from nats.errors import Error as NatsError

from shared.bus.connection import Bus
from shared.contracts.subjects import FEED_TOKEN
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_BUS_SECS: Final = 2.0
_MOST_BYTES: Final = 16 * 1024


class TokenSource(Protocol):
    """One place where a token may be."""

    async def read(self) -> str | None:
        """The token that is there now; None if there is none, or none can be had now."""
        ...


class SettingToken:
    """The token of the settings; it never changes."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def read(self) -> str | None:
        return self._token or None


class FileToken:
    """A file with a token in it, which somebody replaces every morning."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_missing = False

    async def read(self) -> str | None:
        return await asyncio.to_thread(self._read)

    def _read(self) -> str | None:
        try:
            with self._path.open(encoding="utf-8") as file:
                token = file.read(_MOST_BYTES).strip()
        except (OSError, UnicodeDecodeError) as error:
            if not self._is_missing:
                log.warning("no token file", path=str(self._path), error=type(error).__name__)
            self._is_missing = True
            return None
        self._is_missing = False
        return token or None


class _Answer(msgspec.Struct):
    access_token: str


class BusToken:
    """Asks the trading service, where an administrator has linked the feed's account."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def read(self) -> str | None:
        if not self._bus.can_publish:
            return None
        try:
            reply = await self._bus.client.request(FEED_TOKEN, b"{}", timeout=_BUS_SECS)
            return msgspec.json.decode(reply.data, type=_Answer).access_token or None
        except (NatsError, OSError, msgspec.DecodeError) as error:
            log.debug("no token from the bus", error=type(error).__name__)
            return None


class Tokens:
    """Picks the token to use: of the first source that has one which was not refused."""

    def __init__(
        self, sources: Sequence[TokenSource], clock: Clock, *, retry_refused_secs: float
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._retry_refused_secs = retry_refused_secs
        self._refused: dict[str, float] = {}

    async def pick(self) -> str | None:
        """A token that may be good; None if there is none.

        One that was refused is tried again after a while: Upstox may have been wrong.
        """
        now = self._clock.monotonic()
        for source in self._sources:
            token = await source.read()
            if token is not None and self._refused.get(token, 0.0) <= now:
                return token
        return None

    def refuse(self, token: str) -> None:
        """Upstox has said that `token` is not good."""
        now = self._clock.monotonic()
        # Only what is still refused is kept: at most a few.
        self._refused = {old: until for old, until in self._refused.items() if until > now}
        self._refused[token] = now + self._retry_refused_secs
