"""Puts what the feed told on the bus; while the bus is away, keeps only what still counts.

A quote is a whole state, so of each instrument only the newest is kept; of candles, each.
The leader hands nothing to the bus once its lease may have lapsed, by its own clock; what
a server that hangs takes in later is refused by its epoch.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

from nats.errors import Error as NatsError

from services.ingest import metrics
from services.ingest.bus.batch_client import BatchClient
from services.ingest.normalise.depth import depth_of
from services.ingest.normalise.instrument_state import InstrumentState, encode_quote
from services.ingest.normalise.normaliser import Merged
from shared.bus.connection import Bus
from shared.bus.lease import Term
from shared.contracts.messages import ClockTick, FeedState, encode
from shared.contracts.subjects import CLOCK
from shared.runtime.logs import get_logger

log = get_logger(__name__)

MOST_HELD_CANDLES: Final = 50_000
_CANDLES_AT_ONCE: Final = 1_000
_CLOCK: Final = CLOCK.encode()


class QuotePublisher:
    """Publishes for one term of leadership."""

    def __init__(
        self, bus: Bus, client: BatchClient, term: Term, *, clock_every_quotes: int
    ) -> None:
        self._bus = bus
        self._client = client
        self._term = term
        self._clock_every_quotes = clock_every_quotes
        self._held: dict[str, InstrumentState] = {}
        self._candles: deque[tuple[bytes, bytes]] = deque(maxlen=MOST_HELD_CANDLES)
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

    async def publish(self, merged: Merged, wanted_depth: frozenset[str]) -> None:
        """Publish each touched state as a quote, with its order book where that is wanted,
        and then each new candle: who gets it knows what was shown of the minute, to its end.
        Raises LeaseLost if another leader may exist.
        """
        self._term.check()
        for subject, candle in merged.candles:
            if len(self._candles) == MOST_HELD_CANDLES:
                metrics.LOST_CANDLES.inc()
            self._candles.append((subject, encode(candle)))
        if not self._bus.can_publish:
            self._hold(merged.touched)
            return
        if self._held or self._candles:
            self._hold(merged.touched)
            await self._send_held()
        else:
            await self._send(merged.touched)
        if wanted_depth:
            wanted = (one for one in merged.touched if one.key in wanted_depth)
            await self.publish_depth(wanted)

    async def publish_depth(self, instruments: Iterable[InstrumentState]) -> None:
        """Publish their order books, of those that have one. Raises LeaseLost."""
        self._term.check()
        books = ((one.depth_subject, depth_of(one)) for one in instruments)
        messages = [(subject, encode(book)) for subject, book in books if book is not None]
        try:
            await self._client.publish_batch(messages)
        except (NatsError, OSError):
            log.debug("order books not published; the next ones replace them")

    def _hold(self, instruments: Iterable[InstrumentState]) -> None:
        for instrument in instruments:
            if instrument.key in self._held:
                metrics.HELD_QUOTES.inc()
            self._held[instrument.key] = instrument

    async def _send_held(self) -> None:
        """Send all that is held, oldest first; what cannot be sent is held on."""
        held, self._held = self._held, {}
        if not await self._send(held.values()):
            return
        while self._candles and self._bus.can_publish:
            candles = list(islice(self._candles, _CANDLES_AT_ONCE))
            try:
                await self._client.publish_batch(candles)
            except (NatsError, OSError):
                return
            for _ in candles:
                self._candles.popleft()
            metrics.CANDLES.inc(len(candles))

    async def _send(self, instruments: Iterable[InstrumentState]) -> bool:
        """Send quotes, with the clock among them; if the bus breaks, hold them and say no."""
        messages = []
        every = self._clock_every_quotes
        number, since_clock = self._published, self._since_clock
        sent = []
        for instrument in instruments:
            quote = instrument.quote
            quote.seq += 1
            messages.append((instrument.quote_subject, encode_quote(quote)))
            sent.append(instrument)
            number += 1
            since_clock += 1
            if since_clock >= every:
                since_clock = 0
                messages.append((_CLOCK, encode(self._clock_tick(number))))
        try:
            await self._client.publish_batch(messages)
        except (NatsError, OSError):
            # The connection broke under us: none was sent, and all wait again.
            for instrument in sent:
                instrument.quote.seq -= 1
            self._held = {one.key: one for one in sent} | self._held
            return False
        self._published, self._since_clock = number, since_clock
        metrics.QUOTES.inc(len(sent))
        return True

    def _clock_tick(self, published: int) -> ClockTick:
        return ClockTick(
            ts=self._exchange_ms(),
            feed_ts=self._feed_ms,
            epoch=self._term.epoch,
            seq=published,
            state=self.feed_state,
        )

    async def tick(self) -> None:
        """Publish the clock, unless no exchange time is known yet. Raises LeaseLost."""
        self._term.check()
        if not self._feed_ms or not self._bus.can_publish:
            return
        self._since_clock = 0
        try:
            await self._client.publish_batch([(_CLOCK, encode(self._clock_tick(self._published)))])
        except (NatsError, OSError):
            log.debug("clock not published; the next one tells as much")

    def _exchange_ms(self) -> int:
        """Exchange time now: it passes also while nobody trades and the feed says nothing."""
        now_ms = self._feed_ms
        if self.feed_state in (FeedState.LIVE, FeedState.CLOSED):
            now_ms += int((self._term.clock.monotonic() - self._heard_at) * 1_000)
        self._told_ms = max(self._told_ms, now_ms)
        return self._told_ms

    @property
    def market_ms(self) -> int | None:
        """Exchange time as far as we can tell, epoch ms; None before the feed has told any."""
        if not self._feed_ms:
            return None
        return self._feed_ms + int((self._term.clock.monotonic() - self._heard_at) * 1_000)

    async def run_clock(self, every_secs: float) -> None:
        """Publish the clock every so often, and what is held once the bus is back."""
        while True:
            await asyncio.sleep(every_secs)
            self._term.check()
            if self._bus.can_publish and (self._held or self._candles):
                await self._send_held()
            await self.tick()
