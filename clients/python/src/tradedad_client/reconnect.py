"""Reconnect loop: opens a new stream whenever one is lost, until an error is final."""

import asyncio
import logging
import time
from typing import Final

from tradedad_client.backoff import Backoff
from tradedad_client.connection import StreamConnection
from tradedad_client.errors import (
    ClientError,
    Refused,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from tradedad_client.messages import Disconnected
from tradedad_client.protocol import StreamProtocol
from tradedad_client.tokens import Token, TokenSource

log = logging.getLogger("tradedad_client")

# After a stream that was live for this time, the backoff starts again from its shortest delay.
_STABLE_SECS: Final = 5.0


class ReconnectLoop:
    """Keeps one stream open."""

    def __init__(
        self,
        connection: StreamConnection,
        protocol: StreamProtocol,
        tokens: TokenSource,
        url: str,
        give_up_secs: float,
    ) -> None:
        self._connection = connection
        self._protocol = protocol
        self._tokens = tokens
        self._url = url
        self._give_up_secs = give_up_secs
        self._backoff = Backoff()
        self._last_live_at = time.monotonic()
        self.last_error: ClientError | None = None
        """Why the last stream ended or could not be opened."""

    async def run(self) -> None:
        """Open streams until an error is final.

        Raises that error, or Unreachable after `give_up_secs` without a stream.
        """
        self._last_live_at = time.monotonic()
        refused: Token | None = None
        while True:
            error: ClientError | None
            try:
                token = await self._tokens.token(newer_than=refused)
            except Unavailable as unavailable:
                error = unavailable
            else:
                if token is None:
                    raise self.last_error or Unauthenticated("the token source has no token")
                error = await self._connection.serve(token)
                self._note_live_time()
                if not self._is_own_stream_counted(error):
                    refused = self._refused_token(error, refused)
            if error is None:
                continue
            self.last_error = error
            if time.monotonic() - self._last_live_at > self._give_up_secs:
                detail = f"no stream of {self._url} for {self._give_up_secs:g} s: {error}"
                raise Unreachable(detail) from error
            await self._pause(error)

    def _note_live_time(self) -> None:
        live_since = self._connection.live_since
        if live_since is not None:
            self._last_live_at = time.monotonic()
            if self._last_live_at - live_since > _STABLE_SECS:
                self._backoff.reset()

    def _is_own_stream_counted(self, error: ClientError | None) -> bool:
        """Whether a limit may be exceeded only because the gateway counts our lost stream.

        The gateway counts a stream until it has detected that the connection is lost.
        """
        is_refused_at_start = isinstance(error, TooMany) and self._connection.live_since is None
        return is_refused_at_start and self._protocol.was_live

    def _refused_token(self, error: ClientError | None, previous: Token | None) -> Token | None:
        """Return the token that must be replaced, or None. Raises `error` if it is final.

        A second token in a row that the gateway refuses is final.
        """
        if not isinstance(error, Refused):
            return None
        was_live = self._connection.live_since is not None
        if isinstance(error, Unauthenticated) and (previous is None or was_live):
            return self._connection.token
        raise error

    async def _pause(self, error: ClientError) -> None:
        if isinstance(error, Unavailable):
            pause_secs = self._backoff.next_secs(error.retry_after_secs, error.spread_secs)
        else:
            pause_secs = self._backoff.next_secs()
        log.info("stream lost: %s; reconnecting in %.1f s", error, pause_secs)
        self._protocol.report(Disconnected(str(error), pause_secs))
        await asyncio.sleep(pause_secs)
