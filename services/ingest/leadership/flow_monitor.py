"""Measures during a term, connected or not, which segments trade and how long no frame came."""

from typing import Final

from services.ingest import metrics
from services.ingest.demand.instrument_demand import InstrumentDemand
from services.ingest.leadership.term_context import TermContext
from services.ingest.market.feed_flow import SEGMENTS
from services.ingest.market.market_hours import segment_of
from shared.runtime.clock import Clock

_INTERVAL_SECS: Final = 1.0


class FlowMonitor:
    """Sets the metrics of the market and of the feed's silence. Without a term they are absent.

    Unlike `ConnectionMonitor`, it also counts the time in which there is no connection at all.
    """

    def __init__(self, context: TermContext, demand: InstrumentDemand, clock: Clock) -> None:
        self._context = context
        self._demand = demand
        self._clock = clock

    async def run(self) -> None:
        """Measure until cancelled."""
        try:
            while True:
                self.measure()
                await self._clock.sleep(_INTERVAL_SECS)
        finally:
            metrics.MARKET_OPEN.clear()
            metrics.FEED_SILENCE.set(0.0)

    def measure(self) -> None:
        """Set the metrics by the present state."""
        now_secs = self._clock.monotonic()
        exchange_ms = self._context.exchange_clock.now_ms(now_secs)
        now_ms = self._clock.now_ms() if exchange_ms is None else exchange_ms
        is_flowing = self._context.status.is_flowing
        flow = self._context.flow
        open_segments = {
            segment
            for segment in SEGMENTS
            if flow.is_open(segment, now_ms, now_secs, is_flowing=is_flowing)
        }
        for segment in SEGMENTS:
            metrics.MARKET_OPEN.labels(segment).set(segment in open_segments)
        demanded = map(segment_of, (*self._demand.watchlist, *self._demand.requested))
        is_expected = not open_segments.isdisjoint(demanded)
        metrics.FEED_SILENCE.set(flow.silence_secs(now_secs, is_expected=is_expected))
