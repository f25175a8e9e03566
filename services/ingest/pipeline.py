"""The leader's work: feed > wire > normalise > publish, reconnecting for as long as it leads."""

import asyncio
from collections.abc import Sequence

from services.ingest import metrics
from services.ingest.feed import wire
from services.ingest.feed.source import FeedSource, Frame
from services.ingest.normalise import Normaliser
from services.ingest.publish import Publisher
from services.ingest.status import StatusBoard
from shared.backoff import Backoff
from shared.clock import Clock
from shared.errors import FeedError, FeedUnauthorised
from shared.logs import get_logger
from shared.messages import FeedState

log = get_logger(__name__)


class Pipeline:
    """Turns the feed of one term into quotes on the bus.

    Frames are worked on in the task that reads them: a slow bus slows the reading, and
    the socket's own bounded buffer is the queue.
    """

    def __init__(
        self,
        feed: FeedSource,
        publisher: Publisher,
        status: StatusBoard,
        clock: Clock,
        *,
        keys: Sequence[str],
        settle_secs: float,
        max_ahead_secs: float,
    ) -> None:
        self._feed = feed
        self._publisher = publisher
        self._status = status
        self._clock = clock
        self._keys = keys
        self._settle_secs = settle_secs
        self._max_ahead_ms = max_ahead_secs * 1_000
        self._normaliser = Normaliser()

    async def run(self) -> None:
        """Connect, and connect again whenever the feed ends. Raises LeaseLost."""
        backoff = Backoff(base_secs=0.5, cap_secs=30.0)
        while True:
            started = self._clock.monotonic()
            try:
                await self._follow_feed()
            except FeedUnauthorised as error:
                metrics.FEED_DROPS.labels(error.cause).inc()
                self._status.set(FeedState.UNAUTHORISED, "Upstox refused the access token")
            except FeedError as error:
                metrics.FEED_DROPS.labels(error.cause).inc()
                self._status.set(FeedState.CONNECTING, str(error))
            # Only a connection that lasted earns a quick retry: one that is accepted and
            # dropped at once must not be tried a thousand times a second.
            if self._clock.monotonic() - started > self._settle_secs:
                backoff.reset()
            await asyncio.sleep(backoff.next_secs())

    async def _follow_feed(self) -> None:
        async with self._feed.connect() as connection:
            if self._keys:
                await connection.subscribe(self._keys)
            metrics.SUBSCRIPTIONS.set(len(self._keys))
            async for frame in connection.frames():
                await self._handle(frame)

    async def _handle(self, frame: Frame) -> None:
        metrics.FRAMES.inc()
        try:
            response = wire.decode(frame.data)
        except wire.BadFrameError as error:
            metrics.BAD_FRAMES.inc()
            log.debug("bad frame skipped", error=str(error))
            return
        if response.currentTs > self._clock.now_ms() + self._max_ahead_ms:
            metrics.BAD_FRAMES.inc()
            self._status.set(FeedState.STALE, "frames are of the future; is our clock right?")
            return
        self._publisher.heard(response.currentTs)
        if response.type == wire.MARKET_INFO:
            self._status.set_segments(wire.segment_status(response))
        touched = self._normaliser.apply(
            response.feeds,
            ts=response.currentTs,
            received_us=frame.received_us,
            snapshot=response.type == wire.INITIAL_FEED,
        )
        if self._normaliser.refused:
            metrics.REFUSED.inc(self._normaliser.refused)
            self._normaliser.refused = 0
        if touched:
            self._status.set(FeedState.LIVE)
            await self._publisher.publish(touched)
            metrics.FRAME_SECONDS.observe((self._clock.now_us() - frame.received_us) / 1e6)
