"""Where access tokens come from."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from tradedad_client.errors import Unavailable

_ASK_SECS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; its text is not in its repr."""

    text: str = field(repr=False)
    session_id: str | None = None
    """A stream can only be renewed by a token of its own session. None if that is not known."""
    renew_at: float | None = None
    """When to ask for the next one, by `time.monotonic`; None: when the gateway warns."""


class TokenSource(Protocol):
    """Gives tokens, and new ones when they are needed."""

    async def token(self, *, newer_than: Token | None = None) -> Token | None:
        """A token to show; with `newer_than`, which was refused or will expire, another one.

        None if there is no other. Raises Refused if the source itself is refused, Unavailable
        if there is none at the moment.
        """
        ...

    async def close(self) -> None:
        """Give back what was taken."""
        ...


class GivenToken:
    """One token and no other: the stream ends with it."""

    def __init__(self, text: str) -> None:
        self._token = Token(text)

    async def token(self, *, newer_than: Token | None = None) -> Token | None:
        """The token, once."""
        return self._token if newer_than is None else None

    async def close(self) -> None:
        """There is nothing to give back."""


class AskedToken:
    """Tokens that a coroutine function of the program brings."""

    def __init__(self, ask: Callable[[], Awaitable[str]]) -> None:
        self._ask = ask

    async def token(self, *, newer_than: Token | None = None) -> Token | None:
        """What the program brings; None if that is the one that will not do."""
        try:
            async with asyncio.timeout(_ASK_SECS):
                text = await self._ask()
        except TimeoutError:
            raise Unavailable(f"no token was brought within {_ASK_SECS:g} s") from None
        return None if newer_than is not None and text == newer_than.text else Token(text)

    async def close(self) -> None:
        """There is nothing to give back."""
