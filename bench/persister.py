"""Benchmark of the persister: entries per CPU-second, and the load on its database.

Run by ``make bench-persister``. Ingest's code publishes ticks of the simulated market, 50
instruments in full mode, on a real nats-server. Bars are stored in a real mongod.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self

import psutil
import uvloop
from prometheus_client import REGISTRY
from pymongo import InsertOne

from bench.harness import Stage, measure, report_lines
from bench.ingest import record
from bench.persister_month import month_query_ms
from services.ingest.bus.batch_client import BatchClient
from services.ingest.bus.quote_publisher import QuotePublisher
from services.ingest.feed import wire
from services.ingest.market.exchange_clock import ExchangeClock
from services.ingest.normalise.normaliser import Normaliser
from services.persister.aggregation.aggregator import Aggregator
from services.persister.aggregation.checkpoint import AggregatorState
from services.persister.bar_publisher import BarPublisher
from services.persister.entry_decoder import apply_entry
from services.persister.pipeline import Pipeline
from services.persister.settings import PersisterSettings
from services.persister.storage.bar_store import BarStore
from services.persister.storage.unpublished_bars import UnpublishedBars
from shared.bus.connection import Bus, connect_bus
from shared.bus.lease import Term
from shared.bus.resources import ensure_ticks_stream
from shared.bus.stream_reader import Entry
from shared.bus.tick_reader import TickReader
from shared.contracts.messages import ClockTick, FeedState, Quote, decode_quote, encode
from shared.contracts.subjects import CLOCK, QUOTE_PREFIX, quote_subject
from shared.market.exchange_time import WINDOW_MS, to_datetime, window_start
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.mongo import Document, Mongo, connect_mongo
from shared.runtime.settings import MongoSettings, NatsSettings
from tests.support.buses import flushed
from tests.support.servers import PASSWORD, MongoServer, NatsServer, run_mongo, run_nats

FRAMES: Final = 4_800
"""Twenty minutes of exchange time, four frames a second."""
INSTRUMENTS: Final = 5_000
_BATCH_DOCUMENTS: Final = 500
_STORE_ROUNDS: Final = 7


@asynccontextmanager
async def _bus(
    nats: NatsServer, user: str, client: BatchClient | None = None
) -> AsyncIterator[Bus]:
    settings = NatsSettings.model_validate({"url": nats.url})
    async with connect_bus(
        settings, user=user, password=PASSWORD, readiness=Readiness("bench"), own_client=client
    ) as bus:
        yield bus


async def fill_stream(nats: NatsServer) -> None:
    """Publish the simulated frames as ingest does."""
    client = BatchClient()
    async with _bus(nats, "ingest", client) as bus:
        await ensure_ticks_stream(bus, max_age_secs=3_600, max_bytes=1 << 30)
        clock = SystemClock()
        term = Term(1, clock, clock.monotonic() + 3_600)
        exchange_clock = ExchangeClock()
        publisher = QuotePublisher(bus, client, term, exchange_clock, clock_every_quotes=200)
        normaliser = Normaliser(epoch=1)
        for data in record(FRAMES):
            message = wire.decode(data)
            merged = normaliser.apply(
                message.feeds,
                ts=message.currentTs,
                received_us=1,
                snapshot=message.type == wire.INITIAL_FEED,
            )
            exchange_clock.receive(message.currentTs, clock.monotonic())
            await publisher.publish(merged, frozenset())
            await asyncio.sleep(0)
        await flushed(bus.client)


async def read_all(nats: NatsServer) -> list[Entry]:
    """All entries of the stream."""
    entries: list[Entry] = []
    async with _bus(nats, "gateway") as bus, TickReader(bus, start=1) as reader:
        count = await reader.open()
        while len(entries) < count:
            entries += await reader.batch()
    return entries


async def aggregate_all(entries: list[Entry]) -> None:
    """Decode and aggregate entries, without storing bars."""
    aggregator = Aggregator(AggregatorState(), grace_ms=2_000, silent_after_ms=15_000)
    for entry in entries:
        apply_entry(aggregator, entry)
        aggregator.take_closed()


async def replay(nats: NatsServer, mongo: Mongo, last: int) -> float:
    """Seconds that the whole pipeline takes from the stream's first entry to position `last`."""
    settings = PersisterSettings.model_validate({"nats_password": PASSWORD})
    clock = SystemClock()
    store = BarStore(mongo)
    await store.prepare()
    epoch, state = await store.take_over()
    async with _bus(nats, "persister") as bus:
        pipeline = Pipeline(
            bus,
            store,
            BarPublisher(bus, UnpublishedBars(mongo)),
            settings,
            clock,
            Readiness("bench"),
        )
        started = time.perf_counter()
        work = asyncio.create_task(
            pipeline.run(Term(1, clock, clock.monotonic() + 3_600), epoch, state)
        )
        while REGISTRY.get_sample_value("tradedad_persister_stream_position") != last:
            await asyncio.sleep(0.01)
            if work.done():
                work.result()
        duration_secs = time.perf_counter() - started
        work.cancel()
        await asyncio.wait([work])
    await store.close()
    return duration_secs


def window_of_all(number: int) -> list[Entry]:
    """Entries of one window: three quotes of each of `INSTRUMENTS` instruments, and its end."""
    start = window_start(1_795_408_200_000) + number * WINDOW_MS
    entries = []
    for step in (1_000, 61_000, 121_000):
        for n in range(INSTRUMENTS):
            key = f"NSE_FO|{50_000 + n}"
            volume = 100 * (number * 3 + step // 60_000) + 100
            quote = Quote(
                key=key, epoch=1, seq=1, ts=start + step, rt=0, ltp=100 + n % 70 / 20,
                ltt=start + step, ltq=100, volume=volume, atp=101.25, oi=5_000,
            )  # fmt: skip
            entries.append(Entry(0, quote_subject(key), encode(quote)))
    end = start + WINDOW_MS + 2_000
    tick = ClockTick(ts=end, feed_ts=end, epoch=1, seq=0, state=FeedState.LIVE)
    return [*entries, Entry(0, CLOCK, encode(tick))]


async def store_windows(mongo: Mongo) -> list[float]:
    """Seconds from the entry that closes a window of `INSTRUMENTS` bars to the end of its commit."""
    store = BarStore(mongo)
    await store.prepare()
    epoch, _ = await store.take_over()
    aggregator = Aggregator(AggregatorState(), grace_ms=2_000, silent_after_ms=1_000_000)
    durations_secs = []
    position = 0
    for number in range(_STORE_ROUNDS + 2):
        entries = window_of_all(number)
        started = 0.0
        for entry in entries:
            position += 1
            if entry is entries[-1]:
                started = time.perf_counter()
            apply_entry(aggregator, Entry(position, entry.subject, entry.data))
        closed = aggregator.take_closed()
        if closed is None or len(closed.bars) < INSTRUMENTS:
            continue
        await store.commit(closed, epoch)
        durations_secs.append(time.perf_counter() - started)
    await store.close()
    return sorted(durations_secs)


class _MongodLoad:
    """CPU time, writes and journal bytes of a mongod within the block."""

    def __init__(self, server: MongoServer, mongo: Mongo) -> None:
        self._process = psutil.Process(server.pid)
        self._mongo = mongo
        self._before: tuple[float, int, int] | None = None

    async def __aenter__(self) -> Self:
        self._before = await self._now()
        return self

    async def __aexit__(self, *_: object) -> None:
        before, now = self._before, await self._now()
        assert before is not None
        self.cpu_secs = now[0] - before[0]
        self.writes = now[1] - before[1]
        self.bytes = now[2] - before[2]

    async def _now(self) -> tuple[float, int, int]:
        times = self._process.cpu_times()
        status = await self._mongo.client.admin.command("serverStatus")
        operations = status["opcounters"]
        journal = status["wiredTiger"]["log"]["log bytes of payload data"]
        return (
            times.user + times.system,
            int(operations["insert"] + operations["update"]),
            int(journal),
        )


async def write_each_tick(mongo: Mongo, entries: list[Entry]) -> None:
    """Store one document for each tick, `_BATCH_DOCUMENTS` of them in a request."""
    ticks = mongo.db.get_collection("ticks")
    batch: list[InsertOne[Document]] = []
    for entry in entries:
        if not entry.subject.startswith(QUOTE_PREFIX):
            continue
        quote = decode_quote(entry.data)
        batch.append(
            InsertOne(
                {
                    "key": quote.key, "at": to_datetime(quote.ts), "ltp": quote.ltp,
                    "ltq": quote.ltq, "volume": quote.volume, "atp": quote.atp, "oi": quote.oi,
                }
            )
        )  # fmt: skip
        if len(batch) == _BATCH_DOCUMENTS:
            await ticks.bulk_write(batch, ordered=False)
            batch = []
    if batch:
        await ticks.bulk_write(batch, ordered=False)


async def _measure_mongod(
    nats: NatsServer, entries: list[Entry], quotes: int
) -> tuple[dict[str, float], list[float]]:
    figures: dict[str, float] = {}
    with run_mongo() as server:
        settings = MongoSettings.model_validate({"url": server.url, "timeout_ms": 20_000})
        async with connect_mongo(settings, Readiness("bench")) as mongo:
            async with _MongodLoad(server, mongo) as ours:
                secs = await replay(nats, mongo, entries[-1].position)
            async with _MongodLoad(server, mongo) as plain:
                await write_each_tick(mongo, entries)
            stored = await store_windows(mongo)
    figures["replay_per_s"] = len(entries) / secs
    figures["ticks_per_write"] = quotes / ours.writes
    figures["ticks_per_write_if_each_is_written"] = quotes / plain.writes
    figures["journal_bytes_per_tick"] = ours.bytes / quotes
    figures["journal_bytes_per_tick_if_each_is_written"] = plain.bytes / quotes
    figures["mongod_cpu_us_per_tick"] = 1e6 * ours.cpu_secs / quotes
    figures["mongod_cpu_us_per_tick_if_each_is_written"] = 1e6 * plain.cpu_secs / quotes
    return figures, stored


async def main() -> None:
    """Measure and print."""
    with run_nats() as nats:
        await fill_stream(nats)
        entries = await read_all(nats)
        quotes = sum(entry.subject.startswith(QUOTE_PREFIX) for entry in entries)
        stages: list[Stage] = await measure(quotes, {"all": lambda: aggregate_all(entries)})
        figures, stored = await _measure_mongod(nats, entries, quotes)
    month = await month_query_ms()
    report_lines(
        "persister",
        {
            "quotes": quotes,
            "quotes_per_cpu_s": stages[0].per_cpu_s,
            "store_5000_bars_s": stored[len(stored) // 2],
            "store_5000_bars_worst_s": stored[-1],
            **month,
            **figures,
        },
    )


if __name__ == "__main__":
    uvloop.run(main())
