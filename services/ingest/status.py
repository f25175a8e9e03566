"""Tells everybody the state of the feed: on md.status, in metrics and in readiness."""

import asyncio
from typing import Final

from nats.errors import Error as NatsError

from services.ingest import metrics
from services.ingest.publish import Publisher
from shared.bus import Bus
from shared.clock import Clock
from shared.health import Readiness
from shared.lease import Term
from shared.logs import get_logger
from shared.messages import FeedState, FeedStatus, encode
from shared.subjects import STATUS

log = get_logger(__name__)

DEPENDENCY: Final = "feed"
_REPEAT_SECS: Final = 2.0


class StatusBoard:
    """The feed's state during one term; repeated on the bus for those who come late."""

    def __init__(
        self, bus: Bus, term: Term, publisher: Publisher, readiness: Readiness, clock: Clock
    ) -> None:
        self._bus = bus
        self._term = term
        self._publisher = publisher
        self._readiness = readiness
        self._clock = clock
        self._since = clock.now_ms()
        self._segments: dict[str, str] = {}
        self._told: tuple[FeedState, str] | None = None
        self._changed = asyncio.Event()
        self.set(FeedState.CONNECTING)

    def set(self, state: FeedState, detail: str = "") -> None:
        """The feed's state is now `state`; logged when that is news."""
        if (state, detail) == self._told:
            return
        self._told = (state, detail)
        log.info("feed is now", state=state.value, detail=detail)
        self._since = self._clock.now_ms()
        self._publisher.feed_state = state
        metrics.FEED_LIVE.set(state is FeedState.LIVE)
        if state in (FeedState.LIVE, FeedState.CLOSED):
            self._readiness.up(DEPENDENCY)
        else:
            self._readiness.down(DEPENDENCY, detail or state.value)
        self._changed.set()

    def set_segments(self, segments: dict[str, str]) -> None:
        """Upstox has told the status of market segments."""
        self._segments |= segments
        self._changed.set()

    async def run(self) -> None:
        """Publish on every change, and again every few seconds."""
        while True:
            self._changed.clear()
            try:
                await self._publish()
            except (NatsError, OSError):
                log.debug("status not published")
            try:
                async with asyncio.timeout(_REPEAT_SECS):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _publish(self) -> None:
        self._term.check()
        if not self._bus.is_connected:
            return
        assert self._told is not None
        state, detail = self._told
        status = FeedStatus(
            state=state,
            since=self._since,
            epoch=self._term.epoch,
            segments=self._segments,
            detail=detail,
        )
        await self._bus.client.publish(STATUS, encode(status))
