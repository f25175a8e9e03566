"""Choice of an Upstox access token among its sources.

A token expires at 03:30 IST, or when its user logs out. A new token is used without a
restart. Tokens are never logged.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.settings import UpstoxSettings

log = get_logger(__name__)

_MAX_FILE_CHARS: Final = 16 * 1024
_MAX_REFUSED: Final = 16
"""Refused tokens that are remembered; there are a few sources, and each has a new token a day."""


def is_token(text: str) -> bool:
    """Whether `text` can be sent as a bearer token: visible ASCII characters only (RFC 6750)."""
    return bool(text) and all("!" <= character <= "~" for character in text)


class TokenSource(Protocol):
    """A place that may hold a token."""

    async def read(self) -> str | None:
        """The current token; None if there is none or the source is unavailable."""
        ...


class SettingToken:
    """The token of the settings, which never changes."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def read(self) -> str | None:
        return self._token or None


class FileToken:
    """A file that holds the token; it is read at each call. Its first problem is logged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._problem = ""

    async def read(self) -> str | None:
        return await asyncio.to_thread(self._read)

    def _read(self) -> str | None:
        try:
            # An editor may have put a byte-order mark at the beginning.
            with self._path.open(encoding="utf-8-sig") as file:
                token = file.read(_MAX_FILE_CHARS).strip()
        except (OSError, UnicodeDecodeError) as error:
            token, problem = "", type(error).__name__
        else:
            problem = "" if is_token(token) else "the file must hold one token, and nothing else"
        self._report(problem)
        return None if problem else token

    def _report(self, problem: str) -> None:
        if problem and problem != self._problem:
            log.warning("cannot use token file", path=str(self._path), error=problem)
        self._problem = problem


class TokenPicker:
    """Picks the token of the first source that has one which Upstox has not refused.

    A refused token is not picked for `retry_refused_secs`. Then it is tried again if no source
    has another one, because Upstox may have refused it by mistake.
    """

    def __init__(
        self, sources: Sequence[TokenSource], clock: Clock, *, retry_refused_secs: float = 60.0
    ) -> None:
        self._sources = sources
        self._clock = clock
        self._retry_refused_secs = retry_refused_secs
        self._retry_at_secs: dict[str, float] = {}
        self._has_warned = False

    async def pick(self) -> str | None:
        """The token to use now; None if there is none."""
        now_secs = self._clock.monotonic()
        retried: str | None = None
        for source in self._sources:
            token = await source.read()
            if token is None:
                continue
            token = token.strip()
            if not is_token(token):
                if not self._has_warned:
                    log.warning("token with characters that no token has is not used")
                self._has_warned = True
                continue
            retry_secs = self._retry_at_secs.get(token)
            if retry_secs is None:
                return token
            if retry_secs <= now_secs and retried is None:
                retried = token
        return retried

    def refuse(self, token: str) -> None:
        """Record that Upstox has refused `token`."""
        self._retry_at_secs.pop(token, None)
        while len(self._retry_at_secs) >= _MAX_REFUSED:
            del self._retry_at_secs[next(iter(self._retry_at_secs))]
        self._retry_at_secs[token] = self._clock.monotonic() + self._retry_refused_secs


def configured_sources(settings: UpstoxSettings) -> list[TokenSource]:
    """The token file, then the token of the settings."""
    sources: list[TokenSource] = []
    if settings.token_file is not None:
        sources.append(FileToken(settings.token_file))
    return [*sources, SettingToken(settings.access_token.get_secret_value())]
