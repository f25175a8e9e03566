"""Tells everybody the state of the feed: on md.status, in metrics and in readiness."""

import asyncio
from collections.abc import Sequence
from typing import Final

from nats.errors import Error as NatsError

from services.ingest import metrics
from services.ingest.bus.quote_publisher import QuotePublisher
from shared.bus.connection import Bus
from shared.bus.lease import Term
from shared.contracts.messages import FeedState, FeedStatus, encode
from shared.contracts.subjects import STATUS
from shared.runtime.clock import Clock
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger

log = get_logger(__name__)

DEPENDENCY: Final = "feed"
MOST_STALE: Final = 200
_REPEAT_SECS: Final = 2.0
_FLOWING: Final = (FeedState.LIVE, FeedState.CLOSED)


class StatusPublisher:
    """The feed's state during one term; repeated on the bus for those who come late."""

    def __init__(
        self, bus: Bus, term: Term, publisher: QuotePublisher, readiness: Readiness, clock: Clock
    ) -> None:
        self._bus = bus
        self._term = term
        self._publisher = publisher
        self._readiness = readiness
        self._clock = clock
        self._since = clock.now_ms()
        self._segments: dict[str, str] = {}
        self._stale: list[str] = []
        self._changed = asyncio.Event()
        self.state = FeedState.CONNECTING
        self._detail = "starting"
        self._warning = ""
        self._tell()

    @property
    def is_flowing(self) -> bool:
        """Whether the feed is connected and has told something."""
        return self.state in _FLOWING

    def set(self, state: FeedState, detail: str = "") -> None:
        """The feed's state is now `state`; logged when that is news."""
        if (state, detail) == (self.state, self._detail):
            return
        if state is not self.state:
            self._since = self._clock.now_ms()
        self.state, self._detail = state, detail
        log.info("feed is now", state=state.value, detail=detail)
        self._tell()

    def warn(self, warning: str) -> None:
        """The feed flows, but something is wrong: told as the detail while this state lasts."""
        if warning != self._warning:
            log.warning("feed", warning=warning)
            self._warning = warning
            self._changed.set()

    def _tell(self) -> None:
        self._publisher.feed_state = self.state
        metrics.FEED_LIVE.set(self.state is FeedState.LIVE)
        if self.is_flowing:
            self._readiness.up(DEPENDENCY)
        else:
            self._stale, self._warning = [], ""
            self._readiness.down(DEPENDENCY, self._detail or self.state.value)
        self._changed.set()

    def set_segments(self, segments: dict[str, str]) -> None:
        """Upstox has told the status of market segments."""
        self._segments |= segments
        self._changed.set()

    def set_stale(self, keys: Sequence[str]) -> None:
        """These live instruments have been silent for long, the longest first."""
        metrics.STALE.set(len(keys))
        stale = list(keys[:MOST_STALE])
        if stale != self._stale:
            self._stale = stale
            self._changed.set()

    async def run(self) -> None:
        """Publish on every change, and again every few seconds. Raises LeaseLost."""
        try:
            while True:
                self._changed.clear()
                self._term.check()
                await self._publish(self.state, self._detail or self._warning)
                try:
                    async with asyncio.timeout(_REPEAT_SECS):
                        await self._changed.wait()
                except TimeoutError:
                    continue
        finally:
            if self._term.is_valid():  # leaving of our own accord
                await self._publish(FeedState.FAILING_OVER, "the leader leaves")

    async def _publish(self, state: FeedState, detail: str) -> None:
        if not self._bus.can_publish:
            return
        status = FeedStatus(
            state=state,
            since=self._since,
            epoch=self._term.epoch,
            segments=self._segments,
            detail=detail,
            stale=self._stale,
        )
        try:
            await self._bus.client.publish(STATUS, encode(status))
        except (NatsError, OSError):
            log.debug("status not published; it will be told again")
