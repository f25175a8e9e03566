"""Puts quotes and the clock on the bus; while the bus is away, keeps only the newest.

A quote is a whole state, so what is held is at most one per instrument, the newest. The
leader hands nothing to the bus once its lease may have lapsed, by its own clock; what a
server that hangs takes in later is refused by its epoch.
"""

import asyncio
from collections.abc import Iterable

from nats.errors import Error as NatsError

from services.ingest import metrics
from services.ingest.instrument_state import InstrumentState
from shared.bus import Bus
from shared.lease import Term
from shared.logs import get_logger
from shared.messages import ClockTick, FeedState, encode
from shared.subjects import CLOCK

log = get_logger(__name__)


class Publisher:
    """Publishes for one term of leadership."""

    def __init__(self, bus: Bus, term: Term, *, clock_every_quotes: int) -> None:
        self._bus = bus
        self._term = term
        self._clock_every_quotes = clock_every_quotes
        self._held: dict[str, InstrumentState] = {}
        self._published = 0
        self._since_clock = 0
        self._feed_ms = 0
        self._heard_at = 0.0
        self._told_ms = 0
        self.feed_state = FeedState.CONNECTING

    def heard(self, ts: int) -> None:
        """The feed has told that exchange time is `ts`."""
        if ts >= self._feed_ms:
            self._feed_ms = ts
            self._heard_at = self._term.clock.monotonic()

    async def publish(self, states: Iterable[InstrumentState]) -> None:
        """Publish each state as a quote. Raises LeaseLost if another leader may exist."""
        self._term.check()
        for state in states:
            if state.key in self._held:
                metrics.HELD_QUOTES.inc()
            self._held[state.key] = state
        if self._bus.can_publish:
            await self._send_held()

    async def _send_held(self) -> None:
        """Send what is held, this frame's own quotes among it, oldest first."""
        sent = 0
        for key in list(self._held):
            self._term.check()
            state = self._held.pop(key, None)
            if state is None:
                continue
            quote = state.next_quote(self._term.epoch)
            try:
                await self._bus.client.publish(state.subject, encode(quote))
            except (NatsError, OSError):
                # The connection broke under us: this one was not sent, and waits again.
                state.seq -= 1
                self._held.setdefault(key, state)
                break
            sent += 1
            self._published += 1
            self._since_clock += 1
            if self._since_clock >= self._clock_every_quotes:
                await self.tick()
        metrics.QUOTES.inc(sent)

    async def tick(self) -> None:
        """Publish the clock, unless no exchange time is known yet. Raises LeaseLost."""
        self._term.check()
        if not self._feed_ms or not self._bus.can_publish:
            return
        self._since_clock = 0
        clock = ClockTick(
            ts=self._exchange_ms(),
            feed_ts=self._feed_ms,
            epoch=self._term.epoch,
            seq=self._published,
            state=self.feed_state,
        )
        try:
            await self._bus.client.publish(CLOCK, encode(clock))
        except (NatsError, OSError):
            log.debug("clock not published; the next one tells as much")

    def _exchange_ms(self) -> int:
        """Exchange time now: it passes also while nobody trades and the feed says nothing."""
        now_ms = self._feed_ms
        if self.feed_state is FeedState.LIVE:
            now_ms += int((self._term.clock.monotonic() - self._heard_at) * 1_000)
        self._told_ms = max(self._told_ms, now_ms)
        return self._told_ms

    async def run_clock(self, every_secs: float) -> None:
        """Publish the clock every so often, and what is held once the bus is back."""
        while True:
            await asyncio.sleep(every_secs)
            self._term.check()
            if self._bus.can_publish:
                await self._send_held()
            await self.tick()
