"""Ends a connection whose access token has to be replaced."""

from typing import Final

from services.ingest import metrics
from services.ingest.bus.status_publisher import StatusPublisher
from services.ingest.feed.source import FeedSource, TokenReplaced
from services.ingest.leadership.subscribed_market import SubscribedMarket
from shared.errors import FeedError, FeedUnauthorised
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.upstox_tokens import TokenPicker

log = get_logger(__name__)

_REFUSED: Final = "Upstox refuses the access token; the feed continues until its connection ends"


class TokenMonitor:
    """Watches the token of one connection.

    Upstox does not close a connection when its token expires. While the market is open, such
    a connection is kept until there is a new token, because it still delivers ticks.
    """

    def __init__(
        self,
        feed: FeedSource,
        tokens: TokenPicker,
        token: str,
        market: SubscribedMarket,
        status: StatusPublisher,
        clock: Clock,
        *,
        poll_secs: float,
        check_secs: float,
    ) -> None:
        """`poll_secs` is the interval of looking for a new token, `check_secs` that of
        checking `token` with Upstox.
        """
        self._feed = feed
        self._tokens = tokens
        self._token = token
        self._market = market
        self._status = status
        self._clock = clock
        self._poll_secs = poll_secs
        self._check_secs = check_secs

    async def run(self) -> None:
        """Raises TokenReplaced if there is another token and `token` is refused or the market
        is closed; FeedUnauthorised if `token` is refused and the market is closed.
        """
        checked_secs = self._clock.monotonic()
        is_valid = True
        while True:
            await self._clock.sleep(self._poll_secs)
            is_open = self._market.any_open()
            if self._clock.monotonic() - checked_secs >= self._check_secs:
                checked_secs = self._clock.monotonic()
                is_valid = await self._check(or_raise=not is_open)
            if is_valid and is_open:
                continue
            if await self._tokens.pick() not in (self._token, None):
                raise TokenReplaced("token_replaced", "there is a new token")

    async def _check(self, *, or_raise: bool) -> bool:
        """False if Upstox refuses the token; then with `or_raise` raises FeedUnauthorised."""
        try:
            await self._feed.check_token(self._token)
        except FeedUnauthorised:
            metrics.TOKEN_CHECKS.labels("refused").inc()
            self._tokens.refuse(self._token)
            if or_raise:
                raise
            self._status.warn(_REFUSED)
            return False
        except FeedError as error:
            metrics.TOKEN_CHECKS.labels("failed").inc()
            log.debug("token check failed", error=str(error))
        else:
            metrics.TOKEN_CHECKS.labels("valid").inc()
        return True
