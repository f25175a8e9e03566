"""The way of a tick through ingest: frame > wire > normalise > publish."""

from typing import Final

from services.ingest import metrics
from services.ingest.demand.interest import Interest
from services.ingest.feed import wire
from services.ingest.feed.source import FeedConnection, Frame
from services.ingest.leadership.subscriber import Subscriber
from services.ingest.leadership.term_context import TermContext
from services.ingest.normalise.normaliser import Merged
from shared.contracts.messages import FeedState
from shared.errors import FeedError
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_MOST_BAD_FRAMES: Final = 20


class Pipeline:
    """Turns frames into quotes on the bus, during one term.

    A frame is worked on in the task that reads it: a slow bus slows the reading, and the
    socket's own bounded buffer is the queue.
    """

    def __init__(
        self, context: TermContext, interest: Interest, clock: Clock, *, max_ahead_secs: float
    ) -> None:
        self._context = context
        self._interest = interest
        self._clock = clock
        self._max_ahead_ms = max_ahead_secs * 1_000
        self._bad_in_a_row = 0

    async def run(self, connection: FeedConnection, subscriber: Subscriber) -> None:
        """Work on the frames of one connection. Raises FeedError, LeaseLost."""
        self._bad_in_a_row = 0
        async for frame in connection.frames():
            await self._handle(frame, subscriber)

    async def _handle(self, frame: Frame, subscriber: Subscriber) -> None:
        metrics.FRAMES.inc()
        try:
            response = wire.decode(frame.data)
        except wire.BadFrameError as error:
            self._skip(str(error))
            return
        now_ms = frame.received_us // 1_000
        if response.currentTs > now_ms + self._max_ahead_ms:
            metrics.BAD_FRAMES.inc()
            self._context.status.set(
                FeedState.STALE, "frames are of the future; is our clock right?"
            )
            return
        self._bad_in_a_row = 0
        self._context.publisher.heard(response.currentTs)
        self._context.watchdog.heard(self._clock.monotonic())
        if response.type == wire.MARKET_INFO:
            segments = wire.segment_status(response)
            self._context.hours.told |= segments
            self._context.status.set_segments(segments)
        is_snapshot = response.type == wire.INITIAL_FEED
        merged = self._context.normaliser.apply(
            response.feeds,
            ts=response.currentTs,
            received_us=frame.received_us,
            snapshot=is_snapshot,
        )
        if merged.refused:
            metrics.REFUSED.inc(merged.refused)
        if merged.touched:
            await self._publish(merged, subscriber)
            if is_snapshot:
                self._context.watchdog.snapshot(is_newer=merged.missed)
            metrics.FRAME_SECONDS.observe((self._clock.now_us() - frame.received_us) / 1e6)

    async def _publish(self, merged: Merged, subscriber: Subscriber) -> None:
        if not self._context.status.is_flowing:
            first = merged.touched[0].quote
            is_closed = self._context.hours.all_closed([first.key], first.ts)
            self._context.status.set(FeedState.CLOSED if is_closed else FeedState.LIVE)
        subscriber.heard(merged.touched)
        await self._context.publisher.publish(merged, self._interest.depth)

    def _skip(self, why: str) -> None:
        metrics.BAD_FRAMES.inc()
        self._bad_in_a_row += 1
        if self._bad_in_a_row == 1:
            log.warning("bad frame skipped", error=why)
        if self._bad_in_a_row >= _MOST_BAD_FRAMES:
            raise FeedError("garbage", f"{_MOST_BAD_FRAMES} frames in a row made no sense")
