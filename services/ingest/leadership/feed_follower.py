"""Keeps the connection to the feed open during a term."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from services.ingest import metrics
from services.ingest.bus.coverage_publisher import CoveragePublisher
from services.ingest.bus.status_publisher import StatusPublisher
from services.ingest.feed.source import FeedConnection, FeedSilent, FeedSource, TokenReplaced
from services.ingest.feed.token_expiry import expires_ms
from shared.contracts.messages import FeedState
from shared.errors import FeedError, FeedUnauthorised
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.tasks import run_together
from shared.runtime.upstox_tokens import TokenPicker

ConnectionTasks = Callable[[FeedConnection, str], Mapping[str, Coroutine[Any, Any, None]]]
"""Makes the tasks of a connection, by name; the second argument is its access token."""

_NO_TOKEN: Final = "there is no access token, or Upstox has refused it"


class FeedFollower:
    """Connects, runs the tasks of the connection, and reconnects with backoff when it ends."""

    def __init__(
        self,
        feed: FeedSource,
        tokens: TokenPicker,
        connection_tasks: ConnectionTasks,
        status: StatusPublisher,
        coverage: CoveragePublisher,
        clock: Clock,
        *,
        token_poll_secs: float,
        settle_secs: float,
    ) -> None:
        self._feed = feed
        self._tokens = tokens
        self._connection_tasks = connection_tasks
        self._status = status
        self._coverage = coverage
        self._clock = clock
        self._token_poll_secs = token_poll_secs
        self._settle_secs = settle_secs

    async def run(self) -> None:
        """Connect again whenever the connection ends. Raises LeaseLost."""
        try:
            await self._follow()
        finally:
            metrics.TOKEN_EXPIRY.set(0.0)

    async def _follow(self) -> None:
        backoff = Backoff(base_secs=0.5, cap_secs=30.0)
        while True:
            token = await self._tokens.pick()
            if token is None:
                metrics.TOKEN_EXPIRY.set(0.0)
                self._status.set(FeedState.UNAUTHORISED, _NO_TOKEN)
                self._coverage.set_all_pending()  # the demand may have changed
                await self._clock.sleep(self._token_poll_secs)
                continue
            metrics.TOKEN_EXPIRY.set(expires_ms(token, self._clock.now_ms()) / 1_000)
            started_secs = self._clock.monotonic()
            needs_backoff = await self._follow_connection(token)
            # Only a connection that lasted resets the backoff. Otherwise a server that accepts
            # and drops each connection would be called without pause.
            if self._clock.monotonic() - started_secs > self._settle_secs:
                backoff.reset()
            if needs_backoff:
                await self._clock.sleep(backoff.next_secs())

    async def _follow_connection(self, token: str) -> bool:
        """Run one connection until it ends, and set the feed's state accordingly.

        Returns whether to back off before the next one.
        """
        needs_backoff = True
        try:
            async with self._feed.connect(token) as connection:
                await run_together(self._connection_tasks(connection, token))
        except* FeedUnauthorised as refused:
            self._tokens.refuse(token)
            self._record_end(refused, FeedState.UNAUTHORISED, _NO_TOKEN)
            needs_backoff = False
        except* TokenReplaced as replaced:
            self._record_end(replaced, FeedState.CONNECTING, "reconnecting with a new token")
            needs_backoff = False
        except* FeedSilent as silent:
            self._record_end(silent, FeedState.STALE)
        except* FeedError as failed:
            self._record_end(failed, FeedState.CONNECTING)
        finally:
            self._coverage.set_all_pending()
        return needs_backoff

    def _record_end(
        self, errors: BaseExceptionGroup[FeedError], state: FeedState, detail: str = ""
    ) -> None:
        error = errors.exceptions[0]
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        metrics.FEED_DISCONNECTS.labels(error.cause).inc()
        self._status.set(state, detail or str(error))
