"""The persister, from a real stream to a real database, through restarts of all three."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise
from typing import Any

from structlog.testing import capture_logs

from services.persister.aggregation.aggregator import Aggregator
from services.persister.aggregation.checkpoint import State
from services.persister.app import build
from services.persister.consume import consume
from services.persister.settings import PersisterSettings
from services.persister.storage.documents import bar_document
from shared.bus.connection import Bus, connect_bus
from shared.bus.resources import ensure_ticks_stream
from shared.bus.stream_reader import Entry
from shared.contracts.messages import Bar
from shared.market.exchange_time import WINDOW_MS, to_datetime
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.settings import MongoSettings, NatsSettings
from tests.support.builders import MONDAY_10_00
from tests.support.buses import flushed
from tests.support.market_day import KEYS, Message, window_messages
from tests.support.servers import PASSWORD, NatsServer, run_mongo, run_nats
from tests.support.services import running
from tests.support.waiting import eventually

STORED_WINDOWS = 3
PER_WINDOW = len(window_messages(0))
MESSAGES = [message for number in range(STORED_WINDOWS + 1) for message in window_messages(number)]


def expected_bars() -> list[dict[str, Any]]:
    """The bars of all messages, computed in one go."""
    target = Aggregator(State(), grace_ms=2_000, silent_after_ms=15_000)
    bars: list[Bar] = []
    for at, (subject, data) in enumerate(MESSAGES, start=1):
        consume(target, Entry(at, subject, data))
        closed = target.take()
        bars += closed.bars if closed else ()
    assert len(bars) == STORED_WINDOWS * len(KEYS)
    return sorted((bar_document(bar) for bar in bars), key=lambda bar: str(bar["_id"]))


def windows_closed_by(count: int) -> int:
    """How many windows the first `count` messages close: each by the next one's second step."""
    return sum(number * PER_WINDOW + 4 <= count for number in range(1, STORED_WINDOWS + 1))


@asynccontextmanager
async def ingest_bus(nats: NatsServer) -> AsyncIterator[Bus]:
    settings = NatsSettings.model_validate({"url": nats.url})
    async with connect_bus(
        settings, user="ingest", password=PASSWORD, readiness=Readiness("ingest")
    ) as bus:
        await ensure_ticks_stream(bus, max_age_secs=7_200, max_bytes=1 << 26)
        yield bus


async def publish(bus: Bus, messages: list[Message]) -> None:
    for subject, data in messages:
        await bus.client.publish(subject, data)
    await flushed(bus.client)


@asynccontextmanager
async def persister(nats: NatsServer, mongo: MongoSettings) -> AsyncIterator[Readiness]:
    readiness = Readiness("persister")
    settings = PersisterSettings.model_validate(
        {
            "ops_port": 0,
            "nats_password": PASSWORD,
            "repair": False,
            "master_url": "http://127.0.0.1:9/none",
            "nats": NatsSettings.model_validate({"url": nats.url, "lease_ttl_secs": 1}),
            "mongo": mongo,
        }
    )
    async with running(build(settings, readiness)):
        yield readiness


async def stored_bars(mongo: Mongo) -> list[dict[str, Any]]:
    return await mongo.db["bars_5m"].find().sort("_id").to_list()


async def wait_for_bars(mongo: Mongo, windows: int) -> None:
    async def enough() -> bool:
        return len(await stored_bars(mongo)) >= windows * len(KEYS)

    await eventually(enough, what=f"bars of {windows} windows", timeout_secs=20)


async def test_bars_of_a_stream_are_stored(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with ingest_bus(nats) as bus, persister(nats, mongo_settings):
        await publish(bus, MESSAGES)
        await wait_for_bars(mongo, STORED_WINDOWS)
    assert await stored_bars(mongo) == expected_bars()


async def test_a_closed_bar_is_announced_after_it_was_stored(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    observer = await nats.connect("observer")
    announced = await observer.subscribe("md.bar.5m.>")
    await flushed(observer)
    async with ingest_bus(nats) as bus, persister(nats, mongo_settings):
        await publish(bus, MESSAGES)
        first = await announced.next_msg(timeout=10)
        assert await stored_bars(mongo)
        assert first.subject == "md.bar.5m.NSE_EQ.INE002A01018"
    await observer.close()


async def test_persisters_that_come_and_go_store_the_same_bars(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with ingest_bus(nats) as bus:
        cuts = [0, 75, 150, 190, 260, len(MESSAGES)]
        for since, until in pairwise(cuts):
            async with persister(nats, mongo_settings):
                await publish(bus, MESSAGES[since:until])
                await wait_for_bars(mongo, windows_closed_by(until))
        async with persister(nats, mongo_settings):
            await wait_for_bars(mongo, STORED_WINDOWS)
    assert await stored_bars(mongo) == expected_bars()


async def test_two_persisters_at_once_store_each_bar_once(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with (
        ingest_bus(nats) as bus,
        persister(nats, mongo_settings) as one,
        persister(nats, mongo_settings) as another,
    ):
        await publish(bus, MESSAGES)
        await wait_for_bars(mongo, STORED_WINDOWS)
        for readiness in (one, another):
            await eventually(partial(is_ready, readiness), what="leader and standby are ready")
    assert await stored_bars(mongo) == expected_bars()


async def test_it_is_ready_once_it_leads(nats: NatsServer, mongo_settings: MongoSettings) -> None:
    async with ingest_bus(nats), persister(nats, mongo_settings) as readiness:
        assert "leader" in readiness.missing
        with capture_logs() as logs:
            await eventually(lambda: is_ready(readiness), what="a persister that is ready")
        assert "leading" in [line["event"] for line in logs]


async def test_killed_nats_and_mongod_lose_no_bar(nats: NatsServer) -> None:
    with run_mongo() as server:
        settings = MongoSettings.model_validate({"url": server.url, "timeout_ms": 1_000})
        async with (
            ingest_bus(nats) as bus,
            persister(nats, settings) as readiness,
            connect_mongo(settings, Readiness("test")) as mongo,
        ):
            await publish(bus, MESSAGES[:100])
            await wait_for_bars(mongo, 1)

            async def unready() -> bool:
                return "mongodb" in readiness.missing and "nats" in readiness.missing

            nats.kill()
            server.kill()
            await eventually(unready, what="a persister that knows both are away")
            nats.start()
            server.start()
            await eventually(lambda: is_ready(readiness), what="a persister that is ready")

            async def ingest_is_back() -> bool:
                return bus.is_connected

            await eventually(ingest_is_back, what="ingest reconnected")
            await publish(bus, MESSAGES[100:])
            await wait_for_bars(mongo, STORED_WINDOWS)
            assert await stored_bars(mongo) == expected_bars()


async def test_who_starts_before_there_is_a_stream_leads_on_until_there_is_one(
    mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    with run_nats() as nats, capture_logs() as logs:
        async with persister(nats, mongo_settings):

            async def waits() -> bool:
                return any(line["event"] == "waiting for the tick stream" for line in logs)

            await eventually(waits, what="the persister waits", timeout_secs=20)
            async with ingest_bus(nats) as bus:
                await publish(bus, MESSAGES)
                await wait_for_bars(mongo, STORED_WINDOWS)
    assert await stored_bars(mongo) == expected_bars()
    assert [line["event"] for line in logs].count("leading") == 1


async def test_a_stream_that_was_lost_and_made_anew_is_read_from_its_beginning(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    async with ingest_bus(nats) as bus, persister(nats, mongo_settings):
        await publish(bus, MESSAGES[: 2 * PER_WINDOW])
        await wait_for_bars(mongo, 1)
    with run_nats() as another:
        async with ingest_bus(another) as bus, persister(another, mongo_settings):
            await publish(bus, MESSAGES[2 * PER_WINDOW :])
            await wait_for_bars(mongo, 3)
    # Of the second window only the beginning was in the first stream. The third's volume holds
    # what was traded since.
    assert {(bar["start"], bar["state"], bar["silent_ms"]) for bar in await stored_bars(mongo)} == {
        (to_datetime(MONDAY_10_00), "complete", 0),
        (to_datetime(MONDAY_10_00 + WINDOW_MS), "partial", 295_000),
        (to_datetime(MONDAY_10_00 + 2 * WINDOW_MS), "partial", 0),
    }
