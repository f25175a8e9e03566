"""A persister repairs gaps from Upstox's candles."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import REGISTRY
from yarl import URL

from embedded.expected_bars import differences, expected_bars
from services.persister.aggregation.checkpoint import AggregatorState, encode_state
from services.persister.aggregation.closed_windows import ClosedWindows, WindowGap
from services.persister.storage.bar_store import BarStore
from shared.bus.requests import send_request
from shared.contracts.history import HISTORY_GAPS, GapReason, GapsReply, GapsRequest, GapState
from shared.contracts.messages import Bar, BarState, ClockTick, FeedState, encode
from shared.contracts.subjects import CLOCK as CLOCK_SUBJECT
from shared.market.exchange_time import DAY_MS, WINDOW_MS, day_start, to_datetime
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.settings import MongoSettings, UpstoxSettings
from shared.runtime.site import serve
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.buses import bus_of, flushed
from tests.support.patience import PATIENCE_SECS, TEST_TIMEOUT_SECS
from tests.support.persisters import CLOCK, answering_persister
from tests.support.servers import NatsServer
from tests.support.simulated import running as running_simulator
from tests.support.waiting import eventually

UNKNOWN = "NSE_EQ|NOBODY"
FIRST = MONDAY_10_00 + WINDOW_MS
MISSED = WindowGap(FIRST, FIRST + 3 * WINDOW_MS, GapReason.FEED_AWAY, (KEY, OTHER_KEY, UNKNOWN))
NOW = MONDAY_10_00 + 5 * WINDOW_MS
MIDNIGHT = day_start(NOW) + DAY_MS
CANDLES = "/v3/historical-candle"
Trades = dict[str, list[dict[str, Any]]]


def partial_bar() -> Bar:
    return Bar(
        key=KEY, start=FIRST, open=1.0, high=1.0, low=1.0, close=1.0, ltq=7, ltt=FIRST + 1,
        volume=1, vtt=1, atp=2.0, oi=None, ticks=3, state=BarState.PARTIAL, silent_ms=200_000,
        epoch=4,
    )  # fmt: skip


@asynccontextmanager
async def traded(start_ms: int, until_ms: int) -> AsyncIterator[aiohttp.ClientSession]:
    """A simulated Upstox that has traded from `start_ms` to `until_ms`."""
    async with running_simulator(start_ms=start_ms - 100, speed=900.0) as http:

        async def has_traded() -> bool:
            # Its clock would not show that: the market may be behind it.
            query = {"key": OTHER_KEY, "from_ms": str(until_ms)}
            async with http.get("/simulator/v1/trades", params=query) as response:
                return bool(await response.json())

        await eventually(has_traded, what="the simulator has traded for some windows")
        yield http


@pytest.fixture
async def upstox() -> AsyncIterator[aiohttp.ClientSession]:
    async with traded(MONDAY_10_00, NOW) as http:
        yield http


async def trades_of(upstox: aiohttp.ClientSession) -> Trades:
    """The trades so far; the simulator does not keep them for ever."""
    made: Trades = {}
    for key in (KEY, OTHER_KEY):
        async with upstox.get("/simulator/v1/trades", params={"key": key}) as response:
            made[key] = await response.json()
    return made


@pytest.fixture
async def trades(upstox: aiohttp.ClientSession) -> Trades:
    return await trades_of(upstox)


async def store_gap(mongo_settings: MongoSettings, gap: WindowGap, *bars: Bar) -> None:
    """Store a gap that ends with the last closed window, and bars in it."""
    # A client of its own: the persister that takes over kills the session of this store, which the
    # driver would use again for other operations of the same client.
    async with connect_mongo(mongo_settings, Readiness("test")) as mongo:
        store = BarStore(mongo)
        await store.prepare()
        epoch, _ = await store.take_over()
        state = encode_state(AggregatorState(closed_until_ms=gap.end_ms))
        await store.commit(ClosedWindows(gap.end_ms, bars, (gap,), state), epoch)
        await store.close()


@pytest.fixture
async def missed(mongo_settings: MongoSettings) -> None:
    """A stored gap of three windows and three instruments, with a partial bar in it."""
    await store_gap(mongo_settings, MISSED, partial_bar())


@asynccontextmanager
async def repairing(
    nats: NatsServer,
    mongo: MongoSettings,
    upstox: aiohttp.ClientSession,
    *,
    now_ms: int = NOW,
    **tokens: Any,
) -> AsyncIterator[Any]:
    url = str(upstox._base_url).rstrip("/")
    settings = UpstoxSettings.model_validate({"api_url": url, "access_token": "t"} | tokens)
    options = {"repair": True, "repair_every_secs": 0.1, "repair_after_secs": 0}
    async with (
        answering_persister(nats, mongo, upstox=settings, **options) as gateway,
        bus_of(nats, "ingest") as ingest,
    ):
        tick = ClockTick(ts=now_ms, feed_ts=now_ms, epoch=1, seq=0, state=FeedState.LIVE)
        await ingest.client.publish(CLOCK_SUBJECT, encode(tick))
        yield gateway


async def wait_until_settled(mongo: Mongo) -> None:
    async def is_settled() -> bool:
        return await mongo.db["gaps"].count_documents({"state": "open"}) == 0

    await eventually(is_settled, what="no gap is open", timeout_secs=TEST_TIMEOUT_SECS)


async def reopen_gaps(mongo: Mongo) -> None:
    keys = [KEY, OTHER_KEY, UNKNOWN]
    await mongo.db["gaps"].update_many({}, {"$set": {"state": "open", "open_keys": keys}})


async def not_as_traded(mongo: Mongo, trades: Trades, first: int = FIRST) -> list[str]:
    """A line for each difference between the repaired bars and the trades."""
    lines = []
    for key, rows in trades.items():
        expected = expected_bars(key, rows)
        for start in range(first, first + 3 * WINDOW_MS, WINDOW_MS):
            row = await mongo.db["bars_5m"].find_one({"_id": f"{key}|{start}"})
            if row is None or row["state"] != "repaired":
                lines.append(f"{key} {start}: {row}")
            else:
                lines += differences(expected[start], row)
    return lines


def refused() -> float:
    """How many requests for candles Upstox has refused so far."""
    name = "tradedad_persister_repair_calls_total"
    return REGISTRY.get_sample_value(name, {"outcome": "refused"}) or 0.0


async def test_a_gap_is_repaired_with_bars_that_equal_the_trades(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings,
    upstox: aiohttp.ClientSession, missed: None, trades: Trades,
) -> None:  # fmt: skip
    observer = await nats.connect("observer")
    published = await observer.subscribe("md.bar.5m.>")
    await flushed(observer)
    async with repairing(nats, mongo_settings, upstox) as gateway:
        await wait_until_settled(mongo)
        states = []
        for key in (KEY, OTHER_KEY, UNKNOWN):
            request = GapsRequest(key=key, from_ms=0, to_ms=NOW)
            reply = await send_request(
                gateway, CLOCK, HISTORY_GAPS, request, GapsReply, timeout_secs=PATIENCE_SECS
            )
            states += [gap.state for gap in reply.gaps]
        assert states == [GapState.REPAIRED, GapState.REPAIRED, GapState.ABANDONED]
        assert await not_as_traded(mongo, trades) == []
        first = await mongo.db["bars_5m"].find_one({"key": KEY, "start": to_datetime(FIRST)})
        assert first is not None
        assert (first["ltq"], first["ticks"], first["silent_ms"]) == (7, 3, 200_000)
        assert (await published.next_msg(timeout=PATIENCE_SECS)).subject.startswith(
            "md.bar.5m.NSE_"
        )
    await observer.close()


async def test_repairing_again_changes_nothing(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings,
    upstox: aiohttp.ClientSession, missed: None,
) -> None:  # fmt: skip
    async with repairing(nats, mongo_settings, upstox):
        await wait_until_settled(mongo)
    before = await mongo.db["bars_5m"].find().sort("_id").to_list()
    await reopen_gaps(mongo)
    async with repairing(nats, mongo_settings, upstox):
        await wait_until_settled(mongo)
    assert await mongo.db["bars_5m"].find().sort("_id").to_list() == before


async def test_a_gap_before_midnight_is_repaired_on_the_next_day_before_the_feed_is_back(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings
) -> None:
    first = MIDNIGHT - 4 * WINDOW_MS
    async with traded(MIDNIGHT - 5 * WINDOW_MS, MIDNIGHT + WINDOW_MS) as upstox:
        trades = await trades_of(upstox)
        last = MIDNIGHT - WINDOW_MS
        gap = WindowGap(first, last, GapReason.FEED_AWAY, (KEY, OTHER_KEY))
        await store_gap(mongo_settings, gap)
        async with repairing(nats, mongo_settings, upstox, now_ms=MIDNIGHT - 1_000):
            await wait_until_settled(mongo)
    assert await not_as_traded(mongo, trades, first) == []


async def test_a_repair_waits_while_upstox_is_away(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings,
    upstox: aiohttp.ClientSession, missed: None, trades: Trades,
) -> None:  # fmt: skip
    fault = {"kind": "error", "status": 503, "times": None, "path": CANDLES}
    async with upstox.post("/simulator/v1/faults", json=fault) as response:
        assert response.status == 201, await response.text()
    before = refused()
    async with repairing(nats, mongo_settings, upstox):
        await eventually(lambda: refused() > before + 15, what="Upstox refuses 16 requests")
        assert await mongo.db["gaps"].count_documents({"state": "open"}) == 1
        async with upstox.delete("/simulator/v1/faults") as response:
            assert response.ok
        await wait_until_settled(mongo)
    assert await not_as_traded(mongo, trades) == []


async def test_a_repair_completes_although_other_programs_use_up_the_rate_limit(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings,
    upstox: aiohttp.ClientSession, missed: None, trades: Trades,
) -> None:  # fmt: skip
    """Upstox counts the requests of all programs of a user."""
    fault = {"kind": "error", "status": 429, "times": 4, "path": CANDLES}
    async with upstox.post("/simulator/v1/faults", json=fault) as response:
        assert response.status == 201, await response.text()
    before = refused()
    async with repairing(nats, mongo_settings, upstox):
        await wait_until_settled(mongo)
    assert refused() >= before + 4
    assert await not_as_traded(mongo, trades) == []


@asynccontextmanager
async def token_gate(upstox: aiohttp.ClientSession, valid: set[str]) -> AsyncIterator[str]:
    """An Upstox that refuses calls for candles without a valid token; the simulator needs none."""

    async def forward(request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in valid:
            return web.json_response({"status": "error", "errors": []}, status=401)
        path = URL(request.rel_url.raw_path, encoded=True)
        async with upstox.get(path) as response:
            return web.Response(body=await response.read(), status=response.status)

    app = web.Application()
    app.add_routes([web.get("/{path:.*}", forward)])
    async with serve(app, "127.0.0.1", 0) as port:
        yield f"http://127.0.0.1:{port}"


async def test_repair_continues_with_a_new_token_after_the_old_one_was_refused(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings,
    upstox: aiohttp.ClientSession, missed: None, trades: Trades, tmp_path: Path,
) -> None:  # fmt: skip
    file = tmp_path / "token"
    file.write_text("old")
    valid = {"old"}
    async with token_gate(upstox, valid) as url:
        tokens: dict[str, Any] = {"api_url": url, "access_token": "", "token_file": file}
        async with repairing(nats, mongo_settings, upstox, **tokens):
            await wait_until_settled(mongo)
            valid.clear()
            before = refused()
            await mongo.db["bars_5m"].delete_many({})
            await mongo.db["gaps"].update_many(
                {}, {"$set": {"state": "open", "open_keys": [KEY, OTHER_KEY]}}
            )

            async def is_refused() -> bool:
                return refused() > before + 2

            await eventually(is_refused, what="calls with the old token are refused")
            assert await mongo.db["gaps"].count_documents({"state": "open"}) == 1
            valid.add("new")
            file.write_text("new")
            await wait_until_settled(mongo)
    assert await not_as_traded(mongo, trades) == []
