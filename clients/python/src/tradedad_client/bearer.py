"""The access token of HTTP requests: kept until it is due for renewal or refused."""

import asyncio
import time

from tradedad_client.errors import Unauthenticated
from tradedad_client.tokens import Token, TokenSource


class Bearer:
    """The current token of a source, which is asked only when another one is needed."""

    def __init__(self, source: TokenSource) -> None:
        self._source = source
        self._current: Token | None = None
        self._refused: Token | None = None
        self._refusal: Unauthenticated | None = None
        self._lock = asyncio.Lock()

    async def token(self) -> Token:
        """Return the token.

        Raises what the source raises, or the refusal of the last token if there is no other.
        """
        async with self._lock:
            current = self._current
            is_due = (
                current is not None
                and current.renew_at is not None
                and time.monotonic() >= current.renew_at
            )
            if current is None or is_due:
                current = await self._source.token(newer_than=self._refused)
                if current is None:
                    raise self._refusal or Unauthenticated("the token source has no token")
                self._current = current
            return current

    def refuse(self, token: Token, refusal: Unauthenticated) -> None:
        """Use `token` no more, because the gateway refused it."""
        if self._current is token:
            self._current = None
            self._refused = token
            self._refusal = refusal
