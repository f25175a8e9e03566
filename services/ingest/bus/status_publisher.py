"""Publishes the state of the feed: on md.status, in metrics and in readiness."""

import asyncio
from collections.abc import Sequence
from typing import Final

from nats.errors import Error as NatsError

from services.ingest import metrics
from services.ingest.market.exchange_clock import ExchangeClock
from shared.bus.connection import Bus
from shared.bus.lease import Term
from shared.bus.refused_publishes import report_refused
from shared.contracts.messages import FeedState, FeedStatus, encode
from shared.contracts.subjects import STATUS
from shared.runtime.clock import Clock
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger

log = get_logger(__name__)

DEPENDENCY: Final = "feed"
"""The name of the feed in `Readiness`."""
MAX_STALE_KEYS: Final = 200
MAX_SEGMENTS: Final = 100
_MAX_NAME_CHARS: Final = 40
_MAX_DETAIL_CHARS: Final = 300
_REPEAT_SECS: Final = 2.0
_FLOWING: Final = (FeedState.LIVE, FeedState.CLOSED)


class StatusPublisher:
    """The state of the feed during one term. It is repeated for readers that connect later."""

    def __init__(
        self,
        bus: Bus,
        term: Term,
        exchange_clock: ExchangeClock,
        readiness: Readiness,
        clock: Clock,
        *,
        simulated: bool,
    ) -> None:
        self._bus = bus
        self._term = term
        self._exchange_clock = exchange_clock
        self._readiness = readiness
        self._clock = clock
        self._simulated = simulated
        self._since_ms = clock.now_ms()
        self._segments: dict[str, str] = {}
        self._stale: list[str] = []
        self._changed = asyncio.Event()
        self.state = FeedState.CONNECTING
        self._detail = "starting"
        self._warning = ""
        self._apply()

    @property
    def is_flowing(self) -> bool:
        """Whether the feed is connected and has sent data."""
        return self.state in _FLOWING

    def set(self, state: FeedState, detail: str = "") -> None:
        """Set the state of the feed; a change is logged and published."""
        detail = detail[:_MAX_DETAIL_CHARS]
        if (state, detail) == (self.state, self._detail):
            return
        if state is not self.state:
            self._since_ms = self._clock.now_ms()
        self.state, self._detail = state, detail
        log.info("feed state changed", state=state.value, detail=detail)
        self._apply()

    def warn(self, warning: str) -> None:
        """Publish `warning` as the detail while the feed is flowing and has no other detail."""
        if warning != self._warning:
            log.warning("feed has a problem", warning=warning)
            self._warning = warning
            self._changed.set()

    def _apply(self) -> None:
        self._exchange_clock.feed_state = self.state
        metrics.FEED_LIVE.set(self.state is FeedState.LIVE)
        if self.is_flowing:
            self._readiness.up(DEPENDENCY)
        else:
            self._stale, self._warning = [], ""
            metrics.STALE_INSTRUMENTS.set(0.0)
            self._readiness.down(DEPENDENCY, self._detail or self.state.value)
        self._changed.set()

    def set_segments(self, segments: dict[str, str]) -> None:
        """Update the market status of segments, by Upstox's names; at most `MAX_SEGMENTS`."""
        for segment, status in segments.items():
            if segment in self._segments or len(self._segments) < MAX_SEGMENTS:
                self._segments[segment[:_MAX_NAME_CHARS]] = status[:_MAX_NAME_CHARS]
        self._changed.set()

    def set_stale(self, keys: Sequence[str]) -> None:
        """Set the stale instruments, longest silent first; the first 200 are published."""
        metrics.STALE_INSTRUMENTS.set(len(keys))
        stale = list(keys[:MAX_STALE_KEYS])
        if stale != self._stale:
            self._stale = stale
            self._changed.set()

    async def run(self) -> None:
        """Publish on every change, and at least every 2 s. Raises LeaseLost."""
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
            # A later leader's feed is not this process's.
            metrics.FEED_LIVE.set(0.0)
            metrics.STALE_INSTRUMENTS.set(0.0)
            if self._term.is_valid():  # the process stops while it still holds the lease
                await self._publish(FeedState.FAILING_OVER, "the leader is shutting down")

    async def _publish(self, state: FeedState, detail: str) -> None:
        if not self._bus.can_publish:
            return
        status = FeedStatus(
            state=state,
            since=self._since_ms,
            epoch=self._term.epoch,
            segments=self._segments,
            detail=detail,
            at=self._clock.now_ms(),
            simulated=self._simulated,
            stale=self._stale,
        )
        try:
            await self._bus.client.publish(STATUS, encode(status))
        except (NatsError, OSError) as error:
            report_refused("status", error)
