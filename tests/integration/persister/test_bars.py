"""The persister from a real stream to a real database, through restarts of all three."""

import asyncio
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from services.persister.aggregation.aggregator import Aggregator
from services.persister.aggregation.checkpoint import AggregatorState, encode_state
from services.persister.aggregation.closed_windows import ClosedWindows
from services.persister.entry_decoder import apply_entry
from services.persister.storage.bar_store import BarStore
from services.persister.storage.documents import bar_document, bar_from_document
from shared.bus.connection import Bus
from shared.bus.stream_reader import Entry
from shared.contracts.messages import Bar
from shared.market.exchange_time import WINDOW_MS, to_datetime
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.settings import MongoSettings
from tests.support.bar_publishing import check_all_published, published_bars
from tests.support.builders import MONDAY_10_00
from tests.support.buses import flushed, ingest_bus
from tests.support.market_day import KEYS, Message, window_messages
from tests.support.patience import PATIENCE_SECS, TAKEOVER_TTL_SECS
from tests.support.persisters import persister
from tests.support.servers import MongoServer, NatsServer, run_nats
from tests.support.settings import mongo_settings, nats_settings
from tests.support.waiting import eventually

STORED_WINDOWS = 3
PER_WINDOW = len(window_messages(0))
MESSAGES = [message for number in range(STORED_WINDOWS + 1) for message in window_messages(number)]


def expected_bars() -> list[dict[str, Any]]:
    """The bars of all messages, computed without a restart."""
    target = Aggregator(AggregatorState(), grace_ms=2_000, silent_after_ms=15_000)
    bars: list[Bar] = []
    for at, (subject, data) in enumerate(MESSAGES, start=1):
        apply_entry(target, Entry(at, subject, data))
        closed = target.take_closed()
        bars += closed.bars if closed else ()
    assert len(bars) == STORED_WINDOWS * len(KEYS)
    return sorted((bar_document(bar) for bar in bars), key=lambda bar: str(bar["_id"]))


def windows_closed_by(count: int) -> int:
    """How many windows the first `count` messages close: each at the second step of the next."""
    return sum(number * PER_WINDOW + 4 <= count for number in range(1, STORED_WINDOWS + 1))


async def publish(bus: Bus, messages: list[Message]) -> None:
    for subject, data in messages:
        await bus.client.publish(subject, data)
    await flushed(bus.client)


async def stored_bars(mongo: Mongo) -> list[dict[str, Any]]:
    return await mongo.db["bars_5m"].find().sort("_id").to_list()


async def wait_for_bars(mongo: Mongo, windows: int) -> None:
    async def enough() -> bool:
        return len(await stored_bars(mongo)) >= windows * len(KEYS)

    await eventually(enough, what=f"bars of {windows} windows")


async def test_bars_of_a_stream_are_stored(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with ingest_bus(nats) as bus, persister(nats, mongo_settings):
        await publish(bus, MESSAGES)
        await wait_for_bars(mongo, STORED_WINDOWS)
    assert await stored_bars(mongo) == expected_bars()


async def test_a_bar_is_published_after_it_was_stored(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    observer = await nats.connect("observer")
    announced = await observer.subscribe("md.bar.5m.>")
    await flushed(observer)
    async with ingest_bus(nats) as bus, persister(nats, mongo_settings):
        await publish(bus, MESSAGES)
        first = await announced.next_msg(timeout=PATIENCE_SECS)
        assert await stored_bars(mongo)
        assert first.subject == "md.bar.5m.NSE_EQ.INE002A01018"
    await observer.close()


async def test_bars_that_a_killed_leader_has_only_stored_are_published_by_its_successor(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    store = BarStore(mongo)
    await store.prepare()
    epoch, _ = await store.take_over()
    stored = [bar_from_document(bar) for bar in expected_bars()]
    state = AggregatorState(closed_until_ms=stored[-1].start + WINDOW_MS)
    closed = ClosedWindows(state.closed_until_ms, tuple(stored), (), encode_state(state))
    await store.commit(closed, epoch)
    async with published_bars(nats) as published, ingest_bus(nats):
        async with persister(nats, mongo_settings):
            await check_all_published(mongo, published)

            async def has_no_note() -> bool:
                return await mongo.db["unpublished_bars"].count_documents({}) == 0

            await eventually(has_no_note, what="the notes are removed")
    assert len(published) == len(stored)


async def test_persisters_that_start_and_stop_store_the_same_bars(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with ingest_bus(nats) as bus, published_bars(nats) as published:
        cuts = [0, 75, 150, 190, 260, len(MESSAGES)]
        for since, until in pairwise(cuts):
            async with persister(nats, mongo_settings):
                await publish(bus, MESSAGES[since:until])
                await wait_for_bars(mongo, windows_closed_by(until))
        async with persister(nats, mongo_settings):
            await wait_for_bars(mongo, STORED_WINDOWS)
            await check_all_published(mongo, published)
    assert await stored_bars(mongo) == expected_bars()


async def test_entries_of_a_stream_that_was_put_back_and_continued_are_read(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    async with ingest_bus(nats) as bus:
        await publish(bus, MESSAGES[:PER_WINDOW])
    nats.kill()
    await asyncio.to_thread(shutil.copytree, nats.folder, tmp_path / "copy")
    await asyncio.to_thread(nats.start)
    read = 2 * PER_WINDOW + 4  # until the second window is closed
    async with ingest_bus(nats) as bus, persister(nats, mongo_settings):
        await publish(bus, MESSAGES[PER_WINDOW:read])
        await wait_for_bars(mongo, windows_closed_by(read))
    nats.kill()
    await asyncio.to_thread(shutil.rmtree, nats.folder)
    await asyncio.to_thread(shutil.copytree, tmp_path / "copy", nats.folder)
    await asyncio.to_thread(nats.start)
    async with ingest_bus(nats) as bus:
        # The entries of the third window lie below the position of the checkpoint.
        await publish(bus, MESSAGES[2 * PER_WINDOW :])
        with capture_logs() as logged:
            async with persister(nats, mongo_settings):
                await wait_for_bars(mongo, STORED_WINDOWS)
    assert any("put back" in line["event"] for line in logged)
    stored = {str(bar["_id"]): bar["volume"] for bar in await stored_bars(mongo)}
    assert stored == {str(bar["_id"]): bar["volume"] for bar in expected_bars()}


async def test_two_persisters_at_once_store_each_bar_once(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with (
        ingest_bus(nats) as bus,
        persister(nats, mongo_settings) as first,
        persister(nats, mongo_settings) as second,
    ):
        await publish(bus, MESSAGES)
        await wait_for_bars(mongo, STORED_WINDOWS)
        for readiness in (first, second):
            await eventually(readiness.is_ready, what="leader and standby are ready")
    assert await stored_bars(mongo) == expected_bars()


async def test_a_persister_is_ready_when_it_leads(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    async with ingest_bus(nats), persister(nats, mongo_settings) as readiness:
        assert "leader" in readiness.missing
        with capture_logs() as logs:
            await eventually(readiness.is_ready, what="the persister is ready")
        assert "leading" in [line["event"] for line in logs]


async def test_no_bar_is_lost_when_nats_and_mongod_are_killed(
    nats: NatsServer, own_mongod: MongoServer
) -> None:
    settings = mongo_settings(own_mongod.url, "test", has_outages=True)
    bus_settings = nats_settings(nats.url, has_outages=True, lease_ttl_secs=TAKEOVER_TTL_SECS)
    async with (
        ingest_bus(nats) as bus,
        persister(nats, settings, bus=bus_settings) as readiness,
        connect_mongo(settings, Readiness("test")) as mongo,
    ):
        await publish(bus, MESSAGES[:100])
        await wait_for_bars(mongo, 1)
        nats.kill()
        own_mongod.kill()
        await eventually(
            lambda: {"mongodb", "nats"} <= readiness.missing.keys(), what="both are missing"
        )
        await asyncio.to_thread(nats.start)
        await asyncio.to_thread(own_mongod.start)
        await eventually(readiness.is_ready, what="the persister is ready")
        await eventually(lambda: bus.is_connected, what="ingest is connected again")
        await publish(bus, MESSAGES[100:])
        await wait_for_bars(mongo, STORED_WINDOWS)
        assert await stored_bars(mongo) == expected_bars()


async def test_a_persister_that_starts_before_the_stream_exists_leads_until_it_does(
    mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    with run_nats() as nats, capture_logs() as logs:
        async with persister(nats, mongo_settings):
            await eventually(
                lambda: any(line["event"] == "waiting for the tick stream" for line in logs),
                what="the persister waits",
            )
            async with ingest_bus(nats) as bus:
                await publish(bus, MESSAGES)
                await wait_for_bars(mongo, STORED_WINDOWS)
    assert await stored_bars(mongo) == expected_bars()
    assert [line["event"] for line in logs].count("leading") == 1


async def test_a_stream_that_was_lost_and_created_again_is_read_from_its_beginning(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with ingest_bus(nats) as bus, persister(nats, mongo_settings):
        await publish(bus, MESSAGES[: 2 * PER_WINDOW])
        await wait_for_bars(mongo, 1)
    with run_nats() as another:
        async with ingest_bus(another) as bus, persister(another, mongo_settings):
            await publish(bus, MESSAGES[2 * PER_WINDOW :])
            await wait_for_bars(mongo, 3)
    # The first stream had only the beginning of the second window. The volume of the third
    # includes the trades since then.
    assert {(bar["start"], bar["state"], bar["silent_ms"]) for bar in await stored_bars(mongo)} == {
        (to_datetime(MONDAY_10_00), "complete", 0),
        (to_datetime(MONDAY_10_00 + WINDOW_MS), "partial", 295_000),
        (to_datetime(MONDAY_10_00 + 2 * WINDOW_MS), "partial", 0),
    }
