"""Requests for history through the bus to a persister."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import msgspec
import pytest

from services.persister.aggregation.closed_windows import WindowGap
from services.persister.storage.bar_grid import BarGrid
from services.persister.storage.bar_store import BarStore
from services.persister.storage.documents import bar_document, gap_document
from shared.bus.connection import Bus
from shared.bus.requests import DEADLINE_HEADER, send_request
from shared.contracts.history import (
    HISTORY_BARS,
    HISTORY_GAPS,
    BarsReply,
    BarsRequest,
    Gap,
    GapReason,
    GapsReply,
    GapsRequest,
    GapState,
    HistoryBar,
    HistoryBarState,
    Interval,
)
from shared.contracts.messages import Bar, BarState
from shared.errors import InvalidField, NotFound
from shared.market.calendar_data import CalendarData
from shared.market.exchange_time import DAY_MS, MINUTE_MS, WINDOW_MS, midnight_ms, to_datetime
from shared.runtime.mongo import Mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.gateway.rest import RELIANCE, store_instruments
from tests.support.patience import PATIENCE_SECS
from tests.support.persisters import CLOCK, answering_persister
from tests.support.servers import NatsServer

MONDAY_09_15 = MONDAY_10_00 - 45 * MINUTE_MS
MONDAY = MONDAY_09_15 - (9 * 60 + 15) * MINUTE_MS
MIDNIGHT_AFTER = MONDAY + 2 * DAY_MS
COMMODITY = "MCX_FO|1"
IN_A_SESSION = 75
BARS_OF_A_DAY = {
    Interval.FIVE_MINUTES: 75, Interval.FIFTEEN_MINUTES: 25, Interval.HOUR: 7, Interval.DAY: 1
}  # fmt: skip


def bar(key: str, start: int, number: int, **more: Any) -> Bar:
    price = 1_000.0 + number * 37 % 101 / 20
    volume = None if key == OTHER_KEY else 3_000_000_000 + number
    return Bar(
        key=key, start=start, open=price, high=price + 2.5 + number % 3, low=price - 1.5,
        close=price + 0.5, ltq=None if number % 5 else number, ltt=start + number, volume=volume,
        vtt=volume and volume * 2, atp=None if number % 3 else price,
        oi=number, ticks=number % 7, state=more.get("state", BarState.COMPLETE), silent_ms=0,
        epoch=1,
    )  # fmt: skip


def two_days(key: str) -> list[Bar]:
    starts = [
        day + number * WINDOW_MS
        for day in (MONDAY_09_15, MONDAY_09_15 + DAY_MS)
        for number in range(IN_A_SESSION)
    ]
    return [bar(key, start, number) for number, start in enumerate(starts)]


async def close_windows(mongo: Mongo, until_ms: int) -> None:
    """Store the exchange time by which all windows are closed, as a commit does."""
    closed_until = {"closed_until": to_datetime(until_ms)}
    await mongo.db["checkpoints"].update_one(
        {"_id": "bars_5m"}, {"$set": closed_until, "$setOnInsert": {"epoch": 1}}, upsert=True
    )


@pytest.fixture
async def bus(nats: NatsServer, mongo: Mongo, mongo_settings: MongoSettings) -> AsyncIterator[Bus]:
    """A persister with two days of a share and an index, and the first hour of a commodity."""
    await BarStore(mongo).prepare()
    await close_windows(mongo, MIDNIGHT_AFTER)
    stored = [*two_days(KEY), *two_days(OTHER_KEY)]
    stored += [bar(COMMODITY, MONDAY + 9 * 60 * MINUTE_MS + n * WINDOW_MS, n) for n in range(12)]
    await mongo.db["bars_5m"].insert_many([bar_document(stored_bar) for stored_bar in stored])
    async with answering_persister(nats, mongo_settings) as gateway:
        yield gateway


async def page(bus: Bus, **more: Any) -> BarsReply:
    request: dict[str, Any] = {"key": KEY, "from_ms": MONDAY, "to_ms": MIDNIGHT_AFTER} | more
    return await send_request(
        bus, CLOCK, HISTORY_BARS, BarsRequest(**request), BarsReply, timeout_secs=PATIENCE_SECS
    )


async def all_pages(bus: Bus, **more: Any) -> list[HistoryBar]:
    bars: list[HistoryBar] = []
    cursor = None
    while True:
        reply = await page(bus, cursor=cursor, **more)
        assert len(reply.bars) <= more["limit"]
        bars += reply.bars
        cursor = reply.next
        if cursor is None:
            return bars


def merged(bars: list[Bar], start: int, length_ms: int) -> HistoryBar:
    """The longer bar, computed in the simplest way."""
    parts = [part for part in bars if start <= part.start < start + length_ms]
    volumes = [part.volume for part in parts if part.volume is not None]
    return HistoryBar(
        start=start, end=start + length_ms, open=parts[0].open,
        high=max(part.high for part in parts), low=min(part.low for part in parts),
        close=parts[-1].close, ltq=parts[-1].ltq, ltt=parts[-1].ltt,
        volume=sum(volumes) if volumes else None, vtt=parts[-1].vtt, atp=parts[-1].atp,
        oi=parts[-1].oi, ticks=sum(part.ticks for part in parts), state=HistoryBarState.COMPLETE,
    )  # fmt: skip


@pytest.mark.parametrize("key", [KEY, OTHER_KEY])
@pytest.mark.parametrize("interval", list(Interval))
async def test_pages_of_any_size_have_each_bar_once_with_the_expected_values(
    bus: Bus, key: str, interval: Interval
) -> None:
    minutes = {"5m": 5, "15m": 15, "1h": 60, "1d": 1_440}[interval]
    length_ms = minutes * MINUTE_MS
    opens = [MONDAY, MONDAY + DAY_MS]
    if interval is not Interval.DAY:
        opens = [at + (9 * 60 + 15) * MINUTE_MS for at in opens]
    starts = [at + n * length_ms for at in opens for n in range(BARS_OF_A_DAY[interval])]
    expected = [merged(two_days(key), start, length_ms) for start in starts]
    for limit in (1, 7, 2_000) if interval is not Interval.FIVE_MINUTES else (40, 150, 2_000):
        assert await all_pages(bus, key=key, interval=interval, limit=limit) == expected


async def test_hours_of_commodities_begin_with_the_session_of_commodities(bus: Bus) -> None:
    (hour,) = (await page(bus, key=COMMODITY, interval=Interval.HOUR)).bars
    assert hour.start == MONDAY + 9 * 60 * MINUTE_MS


async def test_longer_bars_of_muhurat_start_with_its_session_on_a_page_with_usual_days(
    bus: Bus, mongo: Mongo
) -> None:
    """Of Friday, the Sunday with a session from 18:00 to 19:00, and the Monday after it."""
    sunday = midnight_ms(date(2026, 11, 8))
    opens = [
        sunday - 2 * DAY_MS + (9 * 60 + 15) * MINUTE_MS,
        sunday + 18 * 60 * MINUTE_MS,
        sunday + DAY_MS + (9 * 60 + 15) * MINUTE_MS,
    ]
    counts = [IN_A_SESSION, 12, IN_A_SESSION]
    stored = [
        bar("NSE_EQ|MUHURAT", at + number * WINDOW_MS, number)
        for at, count in zip(opens, counts, strict=True)
        for number in range(count)
    ]
    await mongo.db["bars_5m"].insert_many([bar_document(stored_bar) for stored_bar in stored])
    three_days: dict[str, Any] = {"from_ms": opens[0], "to_ms": opens[2] + DAY_MS}
    for interval, bars_of_days in (
        (Interval.FIFTEEN_MINUTES, (25, 4, 25)),
        (Interval.HOUR, (7, 1, 7)),
    ):
        length_ms = interval.length_ms
        starts = [
            at + number * length_ms
            for at, count in zip(opens, bars_of_days, strict=True)
            for number in range(count)
        ]
        expected = [merged(stored, start, length_ms) for start in starts]
        for limit in (1, 3, 2_000):
            found = await all_pages(
                bus, key="NSE_EQ|MUHURAT", interval=interval, limit=limit, **three_days
            )
            assert found == expected
    (hour,) = (
        await page(
            bus, key="NSE_EQ|MUHURAT", interval=Interval.HOUR, from_ms=sunday, to_ms=sunday + DAY_MS
        )
    ).bars
    assert (hour.start, hour.end) == (opens[1], opens[1] + 60 * MINUTE_MS)


@pytest.mark.parametrize("interval", [Interval.FIFTEEN_MINUTES, Interval.HOUR, Interval.DAY])
async def test_the_database_and_the_grid_agree_on_the_starts_of_all_windows(
    mongo: Mongo, interval: Interval
) -> None:
    """Also around midnight, where no exchange trades, and on two special days in a row."""
    days = [date(2026, 11, day) for day in (8, 9, 11)]
    opens = [18 * 60, 18 * 60 + 25, 10 * 60 + 35]
    timings = {day: {"NSE": (at, 24 * 60)} for day, at in zip(days, opens, strict=True)}
    from_ms = midnight_ms(date(2026, 11, 7))
    windows = range(from_ms, from_ms + 6 * DAY_MS, WINDOW_MS)
    grid = BarGrid.of(CalendarData(timings=timings), KEY, interval, windows[0], windows[-1])
    scratch = mongo.db["scratch"]
    await scratch.insert_many([{"_id": at, "start": to_datetime(at)} for at in windows])
    rows = await scratch.aggregate([{"$project": {"at": grid.start_expression()}}])
    found = {row["_id"]: row["at"] for row in await rows.to_list()}
    assert found == {at: grid.start_of(at) for at in windows}


async def test_a_range_includes_its_start_and_excludes_its_end(bus: Bus) -> None:
    reply = await page(bus, from_ms=MONDAY_10_00, to_ms=MONDAY_10_00 + 2 * WINDOW_MS)
    assert [part.start for part in reply.bars] == [MONDAY_10_00, MONDAY_10_00 + WINDOW_MS]
    assert reply.next is None


async def test_a_longer_bar_that_begins_before_the_range_is_excluded(bus: Bus) -> None:
    reply = await page(bus, from_ms=MONDAY_10_00, interval=Interval.HOUR, limit=1)
    assert reply.bars[0].start == MONDAY_10_00 + 15 * MINUTE_MS


@pytest.mark.parametrize("interval", [Interval.FIFTEEN_MINUTES, Interval.HOUR, Interval.DAY])
@pytest.mark.parametrize("beyond_start_ms", [1, 7 * MINUTE_MS, 14 * MINUTE_MS + 59_999])
async def test_the_last_longer_bar_that_starts_in_the_range_is_whole(
    bus: Bus, interval: Interval, beyond_start_ms: int
) -> None:
    length_ms = interval.length_ms
    start = MONDAY + DAY_MS if interval is Interval.DAY else MONDAY_09_15 + 2 * length_ms
    expected = merged(two_days(KEY), start, length_ms)
    reply = await page(bus, interval=interval, from_ms=start, to_ms=start + beyond_start_ms)
    assert (reply.bars, reply.next) == ([expected], None)
    reply = await page(bus, interval=interval, from_ms=MONDAY, to_ms=start + beyond_start_ms)
    assert reply.bars[-1] == expected


async def test_a_range_in_which_no_longer_bar_starts_has_none(bus: Bus) -> None:
    reply = await page(
        bus, interval=Interval.HOUR, from_ms=MONDAY_10_00, to_ms=MONDAY_10_00 + 15 * MINUTE_MS
    )
    assert reply.bars == []


async def test_a_longer_bar_is_forming_until_its_last_window_is_closed(
    bus: Bus, mongo: Mongo
) -> None:
    tuesday = MONDAY_09_15 + DAY_MS
    for closed_until_ms, state in (
        (tuesday + 55 * MINUTE_MS, "forming"), (tuesday + 60 * MINUTE_MS, "complete")
    ):  # fmt: skip
        await close_windows(mongo, closed_until_ms)
        (hour,) = (await page(bus, interval=Interval.HOUR, from_ms=tuesday, to_ms=tuesday + 1)).bars
        assert hour.state.value == state
        days = (await page(bus, interval=Interval.DAY)).bars
        assert [day.state.value for day in days] == ["complete", "forming"]
        parts = (await page(bus, from_ms=tuesday, limit=11)).bars
        assert {part.state.value for part in parts} == {"complete"}


@pytest.mark.parametrize("outcome", ["open", "abandoned"])
async def test_a_longer_bar_is_partial_if_a_gap_has_a_window_of_it_without_a_full_bar(
    bus: Bus, mongo: Mongo, outcome: str
) -> None:
    gap = WindowGap(
        MONDAY_09_15 + WINDOW_MS, MONDAY_09_15 + 4 * WINDOW_MS, GapReason.FEED_AWAY,
        (KEY, OTHER_KEY),
    )  # fmt: skip
    document = gap_document(gap)
    if outcome == "abandoned":
        document |= {"open_keys": [OTHER_KEY], "abandoned_keys": [KEY]}
    await mongo.db["gaps"].insert_one(document)
    request: dict[str, Any] = {"interval": Interval.FIFTEEN_MINUTES, "limit": 3}

    async def states() -> list[str]:
        return [part.state.value for part in (await page(bus, **request)).bars]

    assert await states() == ["complete"] * 3
    await mongo.db["bars_5m"].delete_one({"_id": f"{KEY}|{MONDAY_09_15 + 3 * WINDOW_MS}"})
    assert await states() == ["complete", "partial", "complete"]
    settled = {"$pull": {"open_keys": KEY, "abandoned_keys": KEY}}
    await mongo.db["gaps"].update_one({"_id": document["_id"]}, settled)
    assert await states() == ["complete"] * 3


async def test_a_cursor_of_another_request_is_refused_and_the_field_is_named(bus: Bus) -> None:
    cursor = (await page(bus, limit=1)).next
    wrong: dict[str, Any] = {
        "key": OTHER_KEY, "interval": Interval.HOUR, "from_ms": MONDAY + 1, "to_ms": MONDAY_10_00
    }  # fmt: skip
    for field, value in wrong.items():
        with pytest.raises(InvalidField) as caught:
            await page(bus, cursor=cursor, **{field: value})
        assert caught.value.field == field


async def test_a_longer_bar_has_the_least_certain_state_of_its_parts(
    bus: Bus, mongo: Mongo
) -> None:
    bars = mongo.db["bars_5m"]
    for offset, state in ((0, "repaired"), (1, "partial"), (4, "repaired")):
        start = MONDAY_09_15 + offset * WINDOW_MS
        await bars.update_one({"_id": f"{KEY}|{start}"}, {"$set": {"state": state}})
    reply = await page(bus, interval=Interval.FIFTEEN_MINUTES, limit=3)
    assert [part.state.value for part in reply.bars] == ["partial", "repaired", "complete"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"limit": 2_001}, "limit"),
        ({"limit": 0}, "limit"),
        ({"to_ms": MONDAY}, "to_ms"),
        ({"from_ms": -1}, "from_ms"),
        ({"cursor": "next"}, "cursor"),
        ({"key": ""}, "key"),
        ({"interval": "2m"}, "interval"),
        ({"surprise": 1}, "request"),
    ],
)
async def test_an_invalid_request_is_refused_and_names_the_field(
    bus: Bus, wrong: dict[str, Any], field: str
) -> None:
    body = {"key": KEY, "from_ms": MONDAY, "to_ms": MIDNIGHT_AFTER} | wrong
    loose = msgspec.defstruct("Loose", [(name, type(value)) for name, value in body.items()])
    with pytest.raises(InvalidField) as caught:
        await send_request(
            bus, CLOCK, HISTORY_BARS, loose(**body), BarsReply, timeout_secs=PATIENCE_SECS
        )
    assert caught.value.field == field


async def test_a_request_past_its_deadline_gets_no_reply(bus: Bus) -> None:
    body = msgspec.json.encode(BarsRequest(key=KEY, from_ms=0, to_ms=1))
    with pytest.raises(TimeoutError):
        await bus.client.request(
            HISTORY_BARS, body, timeout=0.5, headers={DEADLINE_HEADER: str(CLOCK.now_ms() - 1)}
        )


async def test_a_reply_is_bounded_however_much_is_stored(bus: Bus, mongo: Mongo) -> None:
    day = [bar("NSE_EQ|LONG", MONDAY + n * WINDOW_MS, n) for n in range(3_000)]
    await mongo.db["bars_5m"].insert_many([bar_document(stored_bar) for stored_bar in day])
    reply = await page(bus, key="NSE_EQ|LONG", to_ms=MONDAY + 30 * DAY_MS, limit=2_000)
    assert (len(reply.bars), reply.bars[-1].start) == (2_000, MONDAY + 1_999 * WINDOW_MS)
    rest = await page(
        bus, key="NSE_EQ|LONG", to_ms=MONDAY + 30 * DAY_MS, limit=2_000, cursor=reply.next
    )
    assert [part.start for part in rest.bars] == [part.start for part in day[2_000:]]


async def test_gaps_are_paged_and_have_the_state_for_the_requested_instrument(
    bus: Bus, mongo: Mongo
) -> None:
    gaps = [
        WindowGap(start, start + WINDOW_MS, GapReason.FEED_AWAY, (KEY, OTHER_KEY))
        for start in range(MONDAY_10_00, MONDAY_10_00 + 5 * WINDOW_MS, WINDOW_MS)
    ]
    await mongo.db["gaps"].insert_many([gap_document(gap) for gap in gaps])
    await mongo.db["gaps"].update_one(
        {"_id": gap_document(gaps[1])["_id"]}, {"$pull": {"open_keys": KEY}}
    )
    found = []
    cursor = None
    while True:
        request = GapsRequest(
            key=KEY, from_ms=MONDAY_10_00 + 1, to_ms=MONDAY_10_00 + 4 * WINDOW_MS, limit=2,
            cursor=cursor,
        )  # fmt: skip
        reply = await send_request(
            bus, CLOCK, HISTORY_GAPS, request, GapsReply, timeout_secs=PATIENCE_SECS
        )
        found += reply.gaps
        if (cursor := reply.next) is None:
            break
    assert [gap.from_ms for gap in found] == [gap.start_ms for gap in gaps[:4]]
    assert [gap.state for gap in found] == [
        GapState.OPEN, GapState.REPAIRED, GapState.OPEN, GapState.OPEN
    ]  # fmt: skip


async def test_gaps_of_a_key_that_nobody_knows_are_an_error(bus: Bus, mongo: Mongo) -> None:
    async def gaps(key: str) -> list[Gap]:
        request = GapsRequest(key=key, from_ms=MONDAY, to_ms=MONDAY + DAY_MS)
        reply = await send_request(
            bus, CLOCK, HISTORY_GAPS, request, GapsReply, timeout_secs=PATIENCE_SECS
        )
        return reply.gaps

    assert await gaps("NSE_EQ|NOBODY") == [], "without a master no key is known to be wrong"
    await store_instruments(mongo, [RELIANCE])
    with pytest.raises(NotFound) as caught:
        await gaps("NSE_EQ|NOBODY")
    assert caught.value.field == "key"
    assert await gaps(RELIANCE.key) == []
    # Expired contracts leave the master; their bars stay.
    expired = bar("NSE_FO|EXPIRED", MONDAY, 1)
    await mongo.db["bars_5m"].insert_one(bar_document(expired))
    assert await gaps(expired.key) == []
    expired_gap = WindowGap(MONDAY, MONDAY + WINDOW_MS, GapReason.FEED_AWAY, ("NSE_FO|OLD",))
    await mongo.db["gaps"].insert_one(gap_document(expired_gap))
    assert len(await gaps("NSE_FO|OLD")) == 1
