"""Moves messages from NATS into the hub, beginning with each instrument's last quote and candle."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from nats.aio.msg import Msg

from services.gateway import metrics
from services.gateway.bus.direct_client import DirectClient
from services.gateway.fanout.book_levels import five_levels, is_deep
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.flush import Flusher
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.ingest_clock import IngestClock
from services.gateway.fanout.latest_chains import LatestChains
from services.gateway.fanout.stamp import check_object
from services.gateway.fanout.topic_subjects import deep_subject
from services.gateway.stream.registry import StreamRegistry
from shared.bus.connection import Bus
from shared.bus.stream_reader import Entry
from shared.bus.tick_reader import TickReader
from shared.contracts.option_chains import ALL_CHAINS
from shared.contracts.subjects import (
    ALL_BARS,
    ALL_CANDLES_1M,
    ALL_DEPTH,
    ALL_ORDERS,
    ALL_QUOTES,
)
from shared.errors import InvalidField, StreamUnavailable
from shared.runtime.clock import Clock
from shared.runtime.health import Readiness
from shared.runtime.logs import get_logger
from shared.runtime.tasks import run_together
from shared.runtime.tracing import Kind, Span, received

log = get_logger(__name__)

DEPENDENCY: Final = "ticks"


class Relay:
    """A component: subscribes to the market data, then reads the last quotes from TICKS.

    The subscriptions come first, and a quote from TICKS is stored only where it is newer, so
    that no quote is missed in between and none goes back in time. After every interruption
    the last quotes are read again, and clients are told of channels that may have a gap.
    """

    def __init__(
        self,
        bus: Bus,
        client: DirectClient,
        hub: Hub,
        flusher: Flusher,
        streams: StreamRegistry,
        readiness: Readiness,
        on_missed: Callable[[], None],
        ingest_clock: IngestClock,
        chains: LatestChains,
        clock: Clock,
    ) -> None:
        self._ingest_clock = ingest_clock
        self._chains = chains
        self._clock = clock
        self._bus = bus
        self._client = client
        self._hub = hub
        self._flusher = flusher
        self._streams = streams
        self._readiness = readiness
        self._on_missed = on_missed
        self._counted_version = 0
        self._put_event = self._putter(Channel.ORDERS)
        readiness.down(DEPENDENCY, "the last quotes have not been read yet")

    async def run(self) -> None:
        """Relay until cancelled."""
        client = self._client
        client.after_each_read(self._after_read)
        subscriptions = [
            await client.take(ALL_QUOTES, self._publisher(Channel.QUOTES)),
            await client.take(ALL_DEPTH, self._put_book),
            await client.subscribe(ALL_CHAINS, cb=self._put_chain),
            await client.subscribe(ALL_CANDLES_1M, cb=self._put_candle),
            await client.subscribe(ALL_BARS, cb=self._putter(Channel.BARS)),
            await client.subscribe(ALL_ORDERS, cb=self._put_order_event),
        ]
        try:
            while True:
                self._bus.resync_required.clear()
                # Messages may be missed again before TICKS can be read.
                await run_together({"warm up": self._warm_up(), "missed": self._missed()})
                self._readiness.down(DEPENDENCY, "messages may have been missed")
                self._on_missed()
                for stream in self._streams:
                    stream.report_gap()
        finally:
            for subscription in subscriptions:
                if not client.is_closed:
                    await subscription.unsubscribe()

    async def _warm_up(self) -> None:
        await self._warm()
        self._readiness.up(DEPENDENCY)
        await self._missed()

    async def _missed(self) -> None:
        await self._bus.resync_required.wait()

    def _publisher(self, channel: Channel) -> Callable[[str, bytes], None]:
        publish, now_us = self._hub.publish, self._ingest_clock.now_us

        def take(subject: str, data: bytes) -> None:
            try:
                publish(channel, subject, data, now_us())
            except (msgspec.DecodeError, InvalidField):
                metrics.MALFORMED_MESSAGES.labels(channel.value).inc()

        return take

    def _put_book(self, subject: str, data: bytes) -> None:
        """Distribute a book of 30 levels to its subscribers, and its best five to all others."""
        try:
            if is_deep(data):
                self._hub.publish(
                    Channel.DEPTH, deep_subject(subject), data, self._ingest_clock.now_us()
                )
                if not self._hub.has_topic(subject):
                    return
                data = five_levels(data)
            self._hub.publish(Channel.DEPTH, subject, data, self._ingest_clock.now_us())
        except (msgspec.DecodeError, InvalidField):
            metrics.MALFORMED_MESSAGES.labels(Channel.DEPTH.value).inc()

    def _after_read(self) -> None:
        self._flusher.mark()
        metrics.RECEIVED_MESSAGES.inc(self._hub.version - self._counted_version)
        self._counted_version = self._hub.version

    def _putter(self, channel: Channel) -> Callable[[Msg], Awaitable[None]]:
        async def put(message: Msg) -> None:
            try:
                check_object(message.data)
                self._hub.put(channel, message.subject, message.data)
            except (msgspec.DecodeError, InvalidField):
                metrics.MALFORMED_MESSAGES.labels(channel.value).inc()
            else:
                self._flusher.mark()

        return put

    async def _put_chain(self, message: Msg) -> None:
        subject, data = message.subject, message.data
        try:
            self._chains.put(subject, data, self._clock.monotonic())
            self._hub.publish(Channel.CHAIN, subject, data, self._ingest_clock.now_us())
        except (msgspec.DecodeError, InvalidField):
            metrics.MALFORMED_MESSAGES.labels(Channel.CHAIN.value).inc()
        else:
            self._flusher.mark()

    async def _put_order_event(self, message: Msg) -> None:
        cause = received(message.headers)
        if cause is None:
            await self._put_event(message)
            return
        with Span("orders deliver", Kind.CONSUMER, parent=cause):
            await self._put_event(message)

    async def _put_candle(self, message: Msg) -> None:
        try:
            self._hub.put_candle(message.subject, message.data)
        except (msgspec.DecodeError, InvalidField):
            metrics.MALFORMED_MESSAGES.labels(Channel.CANDLES.value).inc()
        else:
            self._flusher.mark()

    async def _warm(self) -> None:
        """Read the last quote and the last candle of each instrument from TICKS."""
        while True:
            try:
                await self._read_last(ALL_QUOTES, self._store_quote)
                await self._read_last(ALL_CANDLES_1M, self._store_candle)
            except StreamUnavailable:
                log.info("waiting for the tick stream")
            else:
                break
        self._flusher.mark()
        count = self._hub.instrument_count
        metrics.INSTRUMENTS.set(count)
        log.info("last quotes read", instruments=count)

    async def _read_last(self, subject: str, store: Callable[[Entry], None]) -> None:
        async with TickReader(self._bus, start=None, subject=subject) as reader:
            async for entries in reader.backlog():
                for entry in entries:
                    store(entry)

    def _store_candle(self, entry: Entry) -> None:
        try:
            self._hub.put_candle(entry.subject, entry.data, is_live=False)
        except (msgspec.DecodeError, InvalidField):
            metrics.MALFORMED_MESSAGES.labels(Channel.CANDLES.value).inc()

    def _store_quote(self, entry: Entry) -> None:
        try:
            self._hub.warm(entry.subject, entry.data)
        except (msgspec.DecodeError, InvalidField):
            metrics.MALFORMED_MESSAGES.labels(Channel.QUOTES.value).inc()
