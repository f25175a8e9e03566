"""Sources of access tokens."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from tradedad_client.errors import ClientError, Unavailable

_CALLBACK_TIMEOUT_SECS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; its text is not in its repr."""

    text: str = field(repr=False)
    session_id: str | None = None
    """A stream can only be renewed with a token of the same session. None: unknown."""
    renew_at: float | None = None
    """`time.monotonic` when to request the next token. None: when the gateway warns."""


class TokenSource(Protocol):
    """Supplies access tokens."""

    async def token(self, *, newer_than: Token | None = None) -> Token | None:
        """Return a token, or a newer one if `newer_than` was refused or expires.

        None if there is no other token. Raises Refused if the source itself is refused,
        Unavailable if it has no token at the moment.
        """
        ...

    async def close(self) -> None:
        """Release what the source holds."""
        ...


class StaticTokenSource:
    """A single token; the stream ends when it expires."""

    def __init__(self, text: str) -> None:
        self._token = Token(text)

    async def token(self, *, newer_than: Token | None = None) -> Token | None:
        """Return the token, or None if another one is requested."""
        return self._token if newer_than is None else None

    async def close(self) -> None:
        """Nothing to release."""


class CallbackTokenSource:
    """Tokens from a coroutine function of the program.

    A callback that fails is asked again. Its error is raised unchanged if it fails twice before
    its first token: then it is more likely wrong than unlucky. A Refused is final at once.
    """

    def __init__(self, callback: Callable[[], Awaitable[str]]) -> None:
        self._callback = callback
        self._has_worked = False
        self._may_fail = True

    async def token(self, *, newer_than: Token | None = None) -> Token | None:
        """Return the callback's token, or None if it equals `newer_than`."""
        try:
            async with asyncio.timeout(_CALLBACK_TIMEOUT_SECS):
                text = await self._callback()
        except TimeoutError:
            detail = f"the program supplied no token within {_CALLBACK_TIMEOUT_SECS:g} s"
            raise Unavailable(detail) from None
        except ClientError:
            raise
        except Exception as error:
            if not self._may_fail:
                raise
            self._may_fail = self._has_worked
            raise Unavailable(f"ask_token failed: {error!r}") from error
        self._may_fail = self._has_worked = True
        return None if newer_than is not None and text == newer_than.text else Token(text)

    async def close(self) -> None:
        """Nothing to release."""
