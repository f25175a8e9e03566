"""Processing of frames: decode, normalise, publish."""

from typing import Final

from services.ingest import metrics
from services.ingest.demand.instrument_demand import InstrumentDemand
from services.ingest.feed import wire
from services.ingest.feed.source import FeedConnection, Frame
from services.ingest.feed.wire_types import FeedResponse
from services.ingest.leadership.bad_field_log import BadFieldLog
from services.ingest.leadership.subscriber import Subscriber
from services.ingest.leadership.term_context import TermContext
from services.ingest.market.market_hours import MarketHours
from services.ingest.normalise.merge_result import MergeResult
from services.ingest.normalise.ranges import MIN_TIME_MS
from shared.contracts.messages import FeedState
from shared.errors import FeedError
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_MAX_BAD_FRAMES: Final = 20
_PACK_EVERY_SECS: Final = 0.5


class Pipeline:
    """Turns the frames of one connection into messages on NATS.

    A frame is processed in the task that reads it. So a slow NATS slows the reading, and
    the bounded buffer of the socket is the only queue.
    """

    def __init__(
        self,
        context: TermContext,
        hours: MarketHours,
        subscriber: Subscriber,
        demand: InstrumentDemand,
        clock: Clock,
        *,
        max_ahead_secs: float,
    ) -> None:
        self._context = context
        self._hours = hours
        self._subscriber = subscriber
        self._demand = demand
        self._clock = clock
        self._max_ahead_ms = max_ahead_secs * 1_000
        self._consecutive_bad_frames = 0
        self._bad_fields = BadFieldLog(clock)

    async def run(self, connection: FeedConnection) -> None:
        """Process frames until the connection ends. Raises FeedError, LeaseLost."""
        async for frame in connection.frames():
            await self._process(frame)

    async def run_packing(self) -> None:
        """Pack order books at an interval, so that they do not keep their frames in memory."""
        while True:
            await self._clock.sleep(_PACK_EVERY_SECS)
            self._context.normaliser.pack_books()

    async def _process(self, frame: Frame) -> None:
        metrics.FRAMES.inc()
        try:
            response = wire.decode(frame.data)
        except wire.BadFrameError as error:
            self._skip_bad_frame(str(error))
            return
        if response.currentTs < MIN_TIME_MS:
            self._skip_bad_frame(f"the frame's time is {response.currentTs} ms")
            return
        if response.currentTs > frame.received_us // 1_000 + self._max_ahead_ms:
            metrics.BAD_FRAMES.inc()
            self._context.status.set(
                FeedState.STALE, "frames are ahead of the local clock, which may be wrong"
            )
            return
        self._consecutive_bad_frames = 0
        now_secs = self._clock.monotonic()
        self._context.exchange_clock.receive(response.currentTs, now_secs)
        self._context.watchdog.frame_received(now_secs)
        self._context.flow.frame_received(now_secs)
        if response.type == wire.MARKET_INFO:
            segments = wire.segment_status(response)
            self._hours.update(segments)
            self._context.flow.update(segments)
            self._context.status.set_segments(segments)
        await self._merge(response, frame.received_us)

    async def _merge(self, response: FeedResponse, received_us: int) -> None:
        is_snapshot = response.type == wire.INITIAL_FEED
        merged = self._context.normaliser.apply(
            response.feeds, ts=response.currentTs, received_us=received_us, snapshot=is_snapshot
        )
        for key, name, value in merged.bad_fields:
            self._bad_fields.report(key, name, value)
        if merged.updated:
            await self._publish(merged)
            if is_snapshot:
                self._context.watchdog.snapshot_received(has_new_trades=merged.missed_trades)
            metrics.FRAME_SECONDS.observe((self._clock.now_us() - received_us) / 1e6)

    async def _publish(self, merged: MergeResult) -> None:
        if not self._context.status.is_flowing:
            first = merged.updated[0].quote
            is_closed = self._hours.all_closed([first.key], first.ts)
            self._context.status.set(FeedState.CLOSED if is_closed else FeedState.LIVE)
        self._subscriber.received(merged.updated)
        quoted_keys = self._subscriber.quoted_keys
        merged.updated = [one for one in merged.updated if one.key in quoted_keys]
        await self._context.publisher.publish(
            merged, self._demand.depth_keys, self._subscriber.deep_keys
        )

    def _skip_bad_frame(self, error: str) -> None:
        metrics.BAD_FRAMES.inc()
        self._consecutive_bad_frames += 1
        if self._consecutive_bad_frames == 1:
            log.warning("bad frame skipped", error=error)
        if self._consecutive_bad_frames >= _MAX_BAD_FRAMES:
            raise FeedError("garbage", f"{_MAX_BAD_FRAMES} consecutive frames were unreadable")
