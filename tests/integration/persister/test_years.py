"""Bars of a time before Trade Dad began are fetched from Upstox on request, once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date

import msgspec
import pytest
from structlog.testing import capture_logs

from services.persister.history.page_store import PAGES, REFUSED_MS, WANTED
from services.persister.history.pages import Page, PageKind
from services.persister.storage.bar_store import BarStore
from services.persister.storage.documents import bar_document
from shared.bus.connection import Bus
from shared.contracts.history import BarSource, BarsReply, HistoryBarState, Interval, Unfetched
from shared.contracts.messages import Bar, BarState
from shared.errors import NotFound
from shared.market.exchange_time import WINDOW_MS
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY, OTHER_KEY
from tests.support.gateway.rest import bars_from
from tests.support.patience import PATIENCE_SECS
from tests.support.persisters import CLOCK
from tests.support.servers import NatsServer
from tests.support.upstox_history import (
    SimulatedHistory,
    all_bars,
    calls,
    fetching_persister,
    moment,
    page,
    rows,
    simulated_history,
)
from tests.support.waiting import eventually

UNKNOWN = "NSE_EQ|NOBODY"
MONDAY = "2024-03-04"
OPENS_MS = moment(f"{MONDAY}T09:15")
MONDAY_SPAN = {"from_ms": OPENS_MS, "to_ms": OPENS_MS + 75 * WINDOW_MS}
MARCH = Page.of(PageKind.FIVE_MINUTES, KEY, date(2024, 3, 4))


@pytest.fixture
async def upstox() -> AsyncIterator[SimulatedHistory]:
    async with simulated_history(calendar="exchange") as simulated:
        yield simulated


@pytest.fixture
async def bus(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings, upstox: SimulatedHistory
) -> AsyncIterator[Bus]:
    await BarStore(mongo).prepare()
    async with fetching_persister(nats, mongo_settings, upstox) as gateway:
        yield gateway


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
async def test_bars_of_years_ago_equal_the_candles_that_the_sdk_reads(
    bus: Bus, upstox: SimulatedHistory, key: str
) -> None:
    before = calls()
    bars = await all_bars(bus, key, "2024-02-28", "2024-03-09")
    assert calls() - before == 2, "a call for each month"
    assert rows(bars) == await upstox.sdk_past(key, "minutes", 5, "2024-02-28", "2024-03-08")
    assert {bar.source for bar in bars} == {BarSource.UPSTOX}
    assert {bar.state for bar in bars} == {HistoryBarState.REPAIRED}
    assert await all_bars(bus, key, "2024-02-28", "2024-03-09") == bars
    assert calls() - before == 2, "nothing is fetched twice"


async def test_longer_bars_are_made_of_them(bus: Bus, upstox: SimulatedHistory) -> None:
    for interval, unit, count in (
        (Interval.FIFTEEN_MINUTES, "minutes", 15),
        (Interval.HOUR, "hours", 1),
    ):
        bars = await all_bars(bus, KEY, MONDAY, "2024-03-09", interval)
        assert rows(bars) == await upstox.sdk_past(KEY, unit, count, MONDAY, "2024-03-08")


async def test_days_since_2000_take_a_call_for_ten_years_each(
    bus: Bus, upstox: SimulatedHistory
) -> None:
    before = calls()
    bars = await all_bars(bus, KEY, "1999-01-01", "2012-01-01", Interval.DAY, limit=300)
    assert calls() - before == 2
    expected = await upstox.sdk_past(KEY, "days", 1, "2003-01-01", "2011-12-31")
    assert rows(bars)[-len(expected) :] == expected
    assert bars[0].start >= moment("2000-01-01")
    assert {bar.source for bar in bars} == {BarSource.UPSTOX}


async def test_a_stored_bar_is_never_replaced(bus: Bus, mongo: Mongo) -> None:
    live: list[Bar] = bars_from(OPENS_MS, 3)
    live[1] = msgspec.structs.replace(live[1], state=BarState.PARTIAL)
    await mongo.db["bars_5m"].insert_many([bar_document(bar) for bar in live])
    bars = await all_bars(bus, KEY, MONDAY, "2024-03-05")
    assert len(bars) == 75
    assert [bar.state.value for bar in bars[:4]] == ["complete", "partial", "complete", "repaired"]
    assert [bar.high for bar in bars[:3]] == [bar.high for bar in live]


async def test_a_key_that_nobody_knows_is_an_error_and_is_asked_once(bus: Bus) -> None:
    before = calls("refused")
    for _ in range(2):
        with pytest.raises(NotFound) as caught:
            await all_bars(bus, UNKNOWN, MONDAY, "2024-03-05")
        assert caught.value.field == "key"
    assert calls("refused") - before == 1


async def test_while_upstox_is_away_stored_bars_are_returned_at_once(
    bus: Bus, mongo: Mongo, upstox: SimulatedHistory
) -> None:
    await mongo.db["bars_5m"].insert_many([bar_document(bar) for bar in bars_from(OPENS_MS, 2)])
    await upstox.break_candles()

    async def is_away() -> bool:
        reply = await page(bus, key=KEY, **MONDAY_SPAN)
        return reply.next is None

    await eventually(is_away, what="the persister notices that Upstox is away")
    reply = await page(bus, key=KEY, **MONDAY_SPAN)
    assert (len(reply.bars), reply.next) == (2, None)
    assert reply.unfetched == Unfetched(from_ms=OPENS_MS, to_ms=MONDAY_SPAN["to_ms"])
    await upstox.repair_candles()

    async def is_fetched() -> bool:
        reply = await page(bus, key=KEY, **MONDAY_SPAN)
        return reply.unfetched is None and len(reply.bars) == 75

    await eventually(is_fetched, what="the missing bars are fetched")


async def test_a_page_that_upstox_refuses_delays_no_other(
    bus: Bus, upstox: SimulatedHistory
) -> None:
    await upstox.break_candles(status=400, key=OTHER_KEY)
    before = calls("refused")
    await page(bus, key=OTHER_KEY, **MONDAY_SPAN)
    await eventually(lambda: calls("refused") > before, what="Upstox refuses the page")
    assert len(await all_bars(bus, KEY, MONDAY, "2024-03-05")) == 75
    refused = await page(bus, key=OTHER_KEY, **MONDAY_SPAN)
    assert refused.bars == []
    assert refused.next is not None or refused.unfetched is not None


async def until_given_up(bus: Bus) -> BarsReply:
    """The reply once nothing of Monday is being fetched."""
    replies: list[BarsReply] = []

    async def is_given_up() -> bool:
        replies.append(await page(bus, key=KEY, **MONDAY_SPAN))
        return replies[-1].next is None

    await eventually(is_given_up, what="the page is given up")
    return replies[-1]


async def test_a_page_that_upstox_refuses_is_not_asked_for_again_for_an_hour(
    bus: Bus, mongo: Mongo, upstox: SimulatedHistory
) -> None:
    await mongo.db["bars_5m"].insert_many([bar_document(bar) for bar in bars_from(OPENS_MS, 5)])
    await upstox.break_candles(status=400, key=KEY)
    before = calls("refused")
    reply = await until_given_up(bus)
    assert calls("refused") - before == 5
    assert len(reply.bars) == 5
    assert reply.unfetched == Unfetched(from_ms=OPENS_MS, to_ms=MONDAY_SPAN["to_ms"])
    await upstox.repair_candles()
    answered = calls()
    for _ in range(3):
        assert await page(bus, key=KEY, **MONDAY_SPAN) == reply
    assert (calls("refused") - before, calls() - answered) == (5, 0)
    an_hour_later = {"$inc": {"refused_ms": -REFUSED_MS}}
    await mongo.db[PAGES].update_one({"_id": MARCH.page_id}, an_hour_later)
    assert len(await all_bars(bus, KEY, MONDAY, "2024-03-05")) == 75
    record = await mongo.db[PAGES].find_one({"_id": MARCH.page_id})
    assert record is not None
    assert "refused_ms" not in record


async def refuse_march(mongo: Mongo, **more: str | int) -> None:
    """Record that the page was refused just now."""
    refused = {"kind": MARCH.kind.value, "key": KEY, "start": str(MARCH.start)} | more
    refused_ms = {"refused_ms": CLOCK.now_ms()}
    await mongo.db[PAGES].insert_one({"_id": MARCH.page_id} | refused | refused_ms)


async def test_a_request_that_wants_a_page_just_after_its_refusal_causes_no_call(
    bus: Bus, mongo: Mongo
) -> None:
    before = calls()
    await refuse_march(mongo, wanted_until="2024-04-01", priority=0, asked_ms=CLOCK.now_ms())

    async def is_dismissed() -> bool:
        return await mongo.db[PAGES].find_one(WANTED) is None

    await eventually(is_dismissed, what="the page is wanted no longer")
    assert calls() == before


async def test_months_around_a_refused_one_are_fetched(bus: Bus, mongo: Mongo) -> None:
    await refuse_march(mongo)
    span = {"from_ms": moment("2024-02-28"), "to_ms": moment("2024-04-04"), "limit": 100}
    replies = [await page(bus, key=KEY, **span)]
    while (cursor := replies[-1].next) is not None:
        replies.append(await page(bus, key=KEY, cursor=cursor, **span))
    bars = [bar for reply in replies for bar in reply.bars]
    expected = await all_bars(bus, KEY, "2024-02-28", "2024-03-01")
    expected += await all_bars(bus, KEY, "2024-04-01", "2024-04-04")
    assert expected
    assert bars == expected
    assert len(replies) > 1
    march = Unfetched(from_ms=moment("2024-03-01"), to_ms=moment("2024-04-01"))
    assert replies[-1].unfetched == march


async def test_a_page_that_the_database_refuses_is_given_up_and_delays_no_other(
    bus: Bus, mongo: Mongo
) -> None:
    await mongo.db.command("collMod", "bars_5m", validator={"key": {"$ne": KEY}})
    before = calls()
    with capture_logs() as logged:
        reply = await until_given_up(bus)
        (given_up,) = await eventually(
            lambda: [line for line in logged if line["event"] == "a page of history is given up"],
            what="it is logged",
        )
    assert calls() - before == 5
    assert reply.bars == []
    assert reply.unfetched == Unfetched(from_ms=OPENS_MS, to_ms=MONDAY_SPAN["to_ms"])
    assert (given_up["log_level"], given_up["page"]) == ("warning", MARCH.page_id)
    assert "Document failed validation" in given_up["error"]
    assert len(await all_bars(bus, OTHER_KEY, MONDAY, "2024-03-05")) == 75
    assert await page(bus, key=KEY, **MONDAY_SPAN) == reply
    assert calls() - before == 6


async def test_the_next_page_waits_for_what_is_being_fetched(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings, upstox: SimulatedHistory
) -> None:
    await BarStore(mongo).prepare()
    async with fetching_persister(nats, mongo_settings, upstox, repair_calls_per_sec=1) as bus:
        reply = await page(
            bus, key=KEY, from_ms=OPENS_MS, to_ms=moment("2024-09-01"), interval=Interval.HOUR
        )
        assert reply.next is not None
        assert reply.unfetched is not None
        assert reply.unfetched.to_ms == moment("2024-09-01")
        assert all(bar.start < reply.unfetched.from_ms for bar in reply.bars)
        async with asyncio.timeout(PATIENCE_SECS):
            bars = await all_bars(bus, KEY, MONDAY, "2024-09-01", Interval.HOUR)
    expected = await upstox.sdk_past(KEY, "hours", 1, MONDAY, "2024-05-31")
    expected += await upstox.sdk_past(KEY, "hours", 1, "2024-06-01", "2024-08-31")
    assert rows(bars) == expected


async def test_bars_older_than_they_are_kept_are_not_fetched(
    nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings, upstox: SimulatedHistory
) -> None:
    await BarStore(mongo).prepare()
    before = calls()
    async with fetching_persister(nats, mongo_settings, upstox, retention_days=90) as bus:
        assert await all_bars(bus, KEY, MONDAY, "2024-03-05") == []
        assert len(await all_bars(bus, KEY, MONDAY, "2024-03-05", Interval.DAY)) == 1
    assert calls() - before == 1
