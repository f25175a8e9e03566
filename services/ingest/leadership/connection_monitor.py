"""Watches one connection: is it silent, is the market open, is its token still good."""

import asyncio
from typing import Final

from services.ingest import metrics
from services.ingest.feed.source import FeedSilent, FeedSource, TokenReplaced
from services.ingest.feed.tokens import Tokens
from services.ingest.leadership.subscriber import Subscriber
from services.ingest.leadership.term_context import TermContext
from services.ingest.market.market_hours import segment_of
from services.ingest.settings import IngestSettings
from shared.contracts.messages import FeedState
from shared.errors import FeedError, FeedUnauthorised
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_LOOK_SECS: Final = 0.5


class ConnectionMonitor:
    """Two tasks beside the pipeline: each ends the connection by raising."""

    def __init__(
        self,
        context: TermContext,
        subscriber: Subscriber,
        feed: FeedSource,
        tokens: Tokens,
        token: str,
        settings: IngestSettings,
        clock: Clock,
    ) -> None:
        self._context = context
        self._subscriber = subscriber
        self._feed = feed
        self._tokens = tokens
        self._token = token
        self._settings = settings
        self._clock = clock

    async def watch_silence(self) -> None:
        """Raises FeedSilent when trades are to be expected and nothing comes."""
        self._context.watchdog.connected(self._clock.monotonic())
        while True:
            await asyncio.sleep(_LOOK_SECS)
            now = self._clock.monotonic()
            self._context.normaliser.pack_books()
            keys = self._subscriber.keys
            market_ms = self._market_ms()
            metrics.FEED_AGE.set(now - self._context.watchdog.last_secs)
            if self._context.hours.any_open(keys, market_ms):
                if self._context.watchdog.is_silent(now):
                    silent_secs = now - self._context.watchdog.last_secs
                    raise FeedSilent("silent", f"the feed said nothing for {silent_secs:.0f} s")
            else:
                self._context.watchdog.idle(now)
            self._tell_state(keys, market_ms)
            self._tell_stale(keys, market_ms)

    def _market_ms(self) -> int:
        told_ms = self._context.publisher.market_ms
        return self._clock.now_ms() if told_ms is None else told_ms

    def _tell_state(self, keys: list[str], market_ms: int) -> None:
        if keys and self._context.status.is_flowing:
            is_closed = self._context.hours.all_closed(keys, market_ms)
            self._context.status.set(FeedState.CLOSED if is_closed else FeedState.LIVE)

    def _tell_stale(self, keys: list[str], market_ms: int) -> None:
        now_us = self._clock.now_us()
        known = self._context.normaliser.instruments
        ages = [
            (now_us - known[key].quote.rt, key)
            for key in keys
            if key in known and self._context.hours.is_open(segment_of(key), market_ms)
        ]
        metrics.OLDEST_AGE.set(max(ages)[0] / 1e6 if ages else 0.0)
        stale_us = self._settings.stale_after_secs * 1e6
        self._context.status.set_stale(
            [key for age, key in sorted(ages, reverse=True) if age > stale_us]
        )

    async def watch_token(self) -> None:
        """Raises TokenReplaced when there is a newer token, and taking it up costs nobody a
        tick or is needed; FeedUnauthorised when the one in use has died and nothing trades.
        """
        checked_at = self._clock.monotonic()
        is_good = True
        while True:
            await asyncio.sleep(self._settings.token_poll_secs)
            is_open = self._context.hours.any_open(self._subscriber.keys, self._market_ms())
            if self._clock.monotonic() - checked_at >= self._settings.token_check_secs:
                checked_at = self._clock.monotonic()
                is_good = await self._is_good(or_raise=not is_open)
            if is_good and is_open:
                continue
            if await self._tokens.pick() not in (self._token, None):
                raise TokenReplaced("token_replaced", "a new token is there")

    async def _is_good(self, *, or_raise: bool) -> bool:
        """Ask Upstox of the token. While a dead one still brings ticks, its connection stays:
        who cuts it off has neither.
        """
        try:
            await self._feed.check(self._token)
        except FeedUnauthorised:
            metrics.TOKEN_CHECKS.labels("refused").inc()
            self._tokens.refuse(self._token)
            if or_raise:
                raise
            self._context.status.warn("the access token has died; the feed lasts until it breaks")
            return False
        except FeedError as error:
            metrics.TOKEN_CHECKS.labels("no_answer").inc()
            log.debug("token not checked", error=str(error))
        else:
            metrics.TOKEN_CHECKS.labels("good").inc()
        return True
