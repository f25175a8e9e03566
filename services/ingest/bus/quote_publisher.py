"""Publishes quotes, candles and the clock on NATS; queues data while NATS is unavailable.

A quote is a whole state, so only the newest of each instrument is queued. Every candle is
queued. The clock and order books are not queued.

Nothing is passed to the client once the lease may have expired by the local clock. If a
stalled server accepts a message later, its readers reject the message by its epoch.
"""

from collections import deque
from collections.abc import Collection, Container, Iterable
from itertools import islice
from typing import Final

from nats.errors import Error as NatsError

from services.ingest import metrics
from services.ingest.bus.batch_client import BatchClient
from services.ingest.market.exchange_clock import ExchangeClock
from services.ingest.normalise.depth import depth_of
from services.ingest.normalise.instrument_state import InstrumentState, encode_quote
from services.ingest.normalise.merge_result import MergeResult
from shared.bus.connection import Bus
from shared.bus.lease import Term
from shared.bus.refused_publishes import report_refused
from shared.contracts.messages import ClockTick, encode
from shared.contracts.subjects import CLOCK

MAX_QUEUED_CANDLES: Final = 50_000
_CANDLES_PER_BATCH: Final = 1_000
_UNSUBSCRIBED_PER_TICK: Final = 1_000
_CLOCK: Final = CLOCK.encode()


class QuotePublisher:
    """Publishes for one term of leadership."""

    def __init__(
        self,
        bus: Bus,
        client: BatchClient,
        term: Term,
        exchange_clock: ExchangeClock,
        *,
        clock_every_quotes: int,
    ) -> None:
        self._bus = bus
        self._client = client
        self._term = term
        self._exchange_clock = exchange_clock
        self._clock_every_quotes = clock_every_quotes
        self._queued_quotes: dict[str, InstrumentState] = {}
        self._queued_candles: deque[tuple[bytes, bytes]] = deque(maxlen=MAX_QUEUED_CANDLES)
        self._subscribed: frozenset[str] = frozenset()
        self._unsubscribed: frozenset[str] = frozenset()
        """Keys without quotes from now on that no clock tick has named yet."""
        self._published = 0
        self._next_clock = clock_every_quotes
        """Number of the quote after which a clock tick is due."""

    async def publish(
        self,
        merged: MergeResult,
        depth_keys: frozenset[str],
        deep_keys: frozenset[str] = frozenset(),
    ) -> None:
        """Publish each updated state as a quote, the order books of `depth_keys`, and candles.

        A candle follows the quotes of its frame. So a reader that has received a candle has
        received every published quote of that minute. `deep_keys` are subscribed with 30 levels of
        the order book. Raises LeaseLost if another leader may exist.
        """
        self._term.check()
        for subject, candle in merged.candles:
            if len(self._queued_candles) == MAX_QUEUED_CANDLES:
                metrics.DROPPED_CANDLES.inc()
            self._queued_candles.append((subject, encode(candle)))
        if not self._bus.can_publish:
            self._queue(merged.updated)
            return
        if self._queued_quotes or self._queued_candles:
            self._queue(merged.updated)
            await self._send_queued()
        else:
            await self._send(merged.updated)
        if depth_keys:
            books = (instrument for instrument in merged.updated if instrument.key in depth_keys)
            await self.publish_depth(books, deep_keys)

    async def publish_depth(
        self, instruments: Iterable[InstrumentState], deep_keys: Container[str] = ()
    ) -> None:
        """Publish the order books of those instruments that have one. Raises LeaseLost."""
        self._term.check()
        books = (
            (instrument.depth_subject, depth_of(instrument, is_deep=instrument.key in deep_keys))
            for instrument in instruments
        )
        messages = [(subject, encode(book)) for subject, book in books if book is not None]
        try:
            await self._client.publish_batch(messages)
        except (NatsError, OSError) as error:
            report_refused("depth", error)

    async def set_subscribed(self, keys: frozenset[str]) -> None:
        """Replace the keys whose quotes are published. A clock tick names those that are none now.

        Raises LeaseLost.
        """
        self._unsubscribed = (self._unsubscribed | (self._subscribed - keys)) - keys
        self._subscribed = keys
        if self._unsubscribed and not self._queued_quotes:  # which `run` sends first
            await self.publish_clock()

    def _queue(self, instruments: Iterable[InstrumentState]) -> None:
        for instrument in instruments:
            if instrument.key in self._queued_quotes:
                metrics.CONFLATED_QUOTES.inc()
            self._queued_quotes[instrument.key] = instrument

    async def _send_queued(self) -> None:
        """Send all queued quotes, then all queued candles, until NATS fails."""
        queued, self._queued_quotes = self._queued_quotes, {}
        if not await self._send(queued.values()):
            return
        while self._queued_candles and self._bus.can_publish:
            candles = list(islice(self._queued_candles, _CANDLES_PER_BATCH))
            try:
                await self._client.publish_batch(candles)
            except (NatsError, OSError) as error:
                report_refused("candles", error)
                return
            for _ in candles:
                self._queued_candles.popleft()
            metrics.CANDLES.inc(len(candles))

    async def _send(self, instruments: Collection[InstrumentState]) -> bool:
        """Send quotes with clock ticks in between; if NATS fails, queue them and return False."""
        messages = []
        published, next_clock = self._published, self._next_clock
        for instrument in instruments:
            quote = instrument.quote
            quote.seq += 1
            messages.append((instrument.quote_subject, encode_quote(quote)))
            published += 1
            if published == next_clock:
                next_clock += self._clock_every_quotes
                messages.append((_CLOCK, encode(self._clock_tick(published))))
        try:
            await self._client.publish_batch(messages)
        except (NatsError, OSError) as error:
            report_refused("quotes", error)
            # A batch is sent as a whole or not at all, so every quote returns to the queue.
            for instrument in instruments:
                instrument.quote.seq -= 1
            self._queued_quotes = {
                instrument.key: instrument for instrument in instruments
            } | self._queued_quotes
            return False
        metrics.QUOTES.inc(published - self._published)
        self._published, self._next_clock = published, next_clock
        return True

    def _clock_tick(self, published: int, unsubscribed: tuple[str, ...] = ()) -> ClockTick:
        exchange_clock = self._exchange_clock
        return ClockTick(
            ts=exchange_clock.publish_ms(self._term.clock.monotonic()),
            feed_ts=exchange_clock.feed_ms,
            epoch=self._term.epoch,
            seq=published,
            state=exchange_clock.feed_state,
            unsubscribed=unsubscribed,
        )

    async def publish_clock(self) -> None:
        """Publish the clock, unless no frame has been received yet. Raises LeaseLost."""
        self._term.check()
        if not self._exchange_clock.feed_ms or not self._bus.can_publish:
            return
        self._next_clock = self._published + self._clock_every_quotes
        named, keys = self._unsubscribed, tuple(sorted(self._unsubscribed))
        parts = [
            keys[start : start + _UNSUBSCRIBED_PER_TICK]
            for start in range(0, max(1, len(keys)), _UNSUBSCRIBED_PER_TICK)
        ]
        ticks = [(_CLOCK, encode(self._clock_tick(self._published, part))) for part in parts]
        try:
            await self._client.publish_batch(ticks)
        except (NatsError, OSError) as error:
            report_refused("clock", error)
        else:
            self._unsubscribed -= named

    async def run(self, clock_every_secs: float) -> None:
        """At each interval, publish the queued messages and the clock. Raises LeaseLost."""
        while True:
            await self._term.clock.sleep(clock_every_secs)
            self._term.check()
            if self._bus.can_publish and (self._queued_quotes or self._queued_candles):
                await self._send_queued()
            await self.publish_clock()
