"""What was missed is made anew of Upstox's candles, by a whole persister."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from prometheus_client import REGISTRY

from embedded.truth import differences, plain_bars
from services.persister.aggregation.aggregator import Closed, Missing
from services.persister.aggregation.checkpoint import State, encode_state
from services.persister.storage.bar_store import BarStore
from shared.bus.requests import ask
from shared.contracts.history import HISTORY_GAPS, GapReason, GapsReply, GapsRequest, GapState
from shared.contracts.messages import Bar, BarState, ClockTick, FeedState, encode
from shared.contracts.subjects import CLOCK as CLOCK_SUBJECT
from shared.market.exchange_time import WINDOW_MS, to_datetime
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings, UpstoxSettings
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.buses import bus_of, flushed
from tests.support.persisters import CLOCK, answering_persister
from tests.support.servers import NatsServer
from tests.support.simulated import running as running_simulator
from tests.support.waiting import eventually

UNKNOWN = "NSE_EQ|NOBODY"
FIRST = MONDAY_10_00 + WINDOW_MS
MISSED = Missing(FIRST, FIRST + 3 * WINDOW_MS, GapReason.FEED_AWAY, (KEY, OTHER_KEY, UNKNOWN))
NOW = MONDAY_10_00 + 5 * WINDOW_MS
CANDLES = "/v3/historical-candle"


def partial_bar() -> Bar:
    return Bar(
        key=KEY, start=FIRST, open=1.0, high=1.0, low=1.0, close=1.0, ltq=7, ltt=FIRST + 1,
        volume=1, vtt=1, atp=2.0, oi=None, ticks=3, state=BarState.PARTIAL, silent_ms=200_000,
        epoch=4,
    )  # fmt: skip


@pytest.fixture
async def upstox() -> AsyncIterator[aiohttp.ClientSession]:
    """A simulated Upstox that has traded for some windows."""
    async with running_simulator(start_ms=MONDAY_10_00 - 100, speed=900.0) as http:

        async def is_later() -> bool:
            # Not by its clock: the market may be behind it.
            query = {"key": OTHER_KEY, "from_ms": str(NOW)}
            async with http.get("/simulator/v1/trades", params=query) as response:
                return bool(await response.json())

        await eventually(is_later, what="some windows are over")
        yield http


@pytest.fixture
async def missed(mongo: Mongo) -> None:
    """A gap of three windows and instruments, with a partial bar in it."""
    store = BarStore(mongo)
    await store.prepare()
    epoch, _ = await store.take_over()
    state = encode_state(State(closed_until=NOW - WINDOW_MS))
    await store.commit(Closed(NOW - WINDOW_MS, (partial_bar(),), (MISSED,), state), epoch)
    await store.close()


@asynccontextmanager
async def repairing(
    nats: NatsServer, mongo: MongoSettings, upstox: aiohttp.ClientSession
) -> AsyncIterator[Any]:
    settings = UpstoxSettings.model_validate(
        {"api_url": str(upstox._base_url).rstrip("/"), "access_token": "t"}
    )
    options = {"repair": True, "repair_every_secs": 0.1, "repair_after_secs": 0}
    async with (
        answering_persister(nats, mongo, upstox=settings, **options) as asker,
        bus_of(nats, "ingest") as ingest,
    ):
        tick = ClockTick(ts=NOW, feed_ts=NOW, epoch=1, seq=0, state=FeedState.LIVE)
        await ingest.client.publish(CLOCK_SUBJECT, encode(tick))
        yield asker


async def wait_until_settled(mongo: Mongo) -> None:
    async def is_settled() -> bool:
        return await mongo.db["gaps"].count_documents({"state": "open"}) == 0

    await eventually(is_settled, what="no gap is open")


async def not_as_traded(mongo: Mongo, upstox: aiohttp.ClientSession) -> list[str]:
    """What differs between the repaired bars and the trades."""
    lines = []
    for key in (KEY, OTHER_KEY):
        async with upstox.get("/simulator/v1/trades", params={"key": key}) as response:
            expected = plain_bars(key, await response.json())
        for start in range(FIRST, FIRST + 3 * WINDOW_MS, WINDOW_MS):
            row = await mongo.db["bars_5m"].find_one({"_id": f"{key}|{start}"})
            if row is None or row["state"] != "repaired":
                lines.append(f"{key} {start}: {row}")
            else:
                lines += differences(expected[start], row)
    return lines


async def refused() -> float:
    """Calls for candles so far that Upstox has refused."""
    name = "tradedad_persister_repair_calls_total"
    return REGISTRY.get_sample_value(name, {"outcome": "refused"}) or 0.0


async def test_a_gap_is_filled_with_bars_that_equal_all_trades(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings,
    upstox: aiohttp.ClientSession, missed: None,
) -> None:  # fmt: skip
    observer = await nats.connect("observer")
    announced = await observer.subscribe("md.bar.5m.>")
    await flushed(observer)
    async with repairing(nats, mongo_settings, upstox) as asker:
        await wait_until_settled(mongo)
        states = []
        for key in (KEY, OTHER_KEY, UNKNOWN):
            request = GapsRequest(key=key, from_ms=0, to_ms=NOW)
            reply = await ask(asker, CLOCK, HISTORY_GAPS, request, GapsReply, secs=5)
            states += [gap.state for gap in reply.gaps]
        assert states == [GapState.REPAIRED, GapState.REPAIRED, GapState.ABANDONED]
        assert await not_as_traded(mongo, upstox) == []
        first = await mongo.db["bars_5m"].find_one({"key": KEY, "start": to_datetime(FIRST)})
        assert first is not None
        assert (first["ltq"], first["ticks"], first["silent_ms"]) == (7, 3, 200_000)
        assert (await announced.next_msg(timeout=5)).subject.startswith("md.bar.5m.NSE_")
    await observer.close()


async def test_repairing_what_is_repaired_changes_nothing(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings,
    upstox: aiohttp.ClientSession, missed: None,
) -> None:  # fmt: skip
    async with repairing(nats, mongo_settings, upstox):
        await wait_until_settled(mongo)
    before = await mongo.db["bars_5m"].find().sort("_id").to_list()
    await mongo.db["gaps"].update_many(
        {}, {"$set": {"state": "open", "open_keys": [KEY, OTHER_KEY, UNKNOWN]}}
    )
    async with repairing(nats, mongo_settings, upstox):
        await wait_until_settled(mongo)
    assert await mongo.db["bars_5m"].find().sort("_id").to_list() == before


async def test_repair_waits_for_as_long_as_upstox_is_away(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings,
    upstox: aiohttp.ClientSession, missed: None,
) -> None:  # fmt: skip
    fault = {"kind": "error", "status": 503, "times": None, "path": CANDLES}
    async with upstox.post("/simulator/v1/faults", json=fault) as response:
        assert response.status == 201, await response.text()
    before = await refused()
    async with repairing(nats, mongo_settings, upstox):

        async def has_tried() -> bool:
            return await refused() > before + 15

        await eventually(has_tried, what="it has asked for candles in vain, again and again")
        assert await mongo.db["gaps"].count_documents({"state": "open"}) == 1
        async with upstox.delete("/simulator/v1/faults") as response:
            assert response.ok
        await wait_until_settled(mongo)
    assert await not_as_traded(mongo, upstox) == []


async def test_repair_outlasts_others_who_use_up_the_accounts_limit(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings,
    upstox: aiohttp.ClientSession, missed: None,
) -> None:  # fmt: skip
    """Upstox counts all calls of a user, of whatever program."""
    before = await refused()

    async def use_up() -> None:
        while await refused() < before + 3:
            async with upstox.get(f"{CANDLES}/intraday/{KEY}/minutes/1") as response:
                await response.read()

    async with repairing(nats, mongo_settings, upstox), asyncio.timeout(75):
        await asyncio.gather(*(use_up() for _ in range(8)))
        await wait_until_settled(mongo)
    assert await not_as_traded(mongo, upstox) == []
