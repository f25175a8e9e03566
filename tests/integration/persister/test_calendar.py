"""The calendar is refreshed from Upstox once a day, stored, published, and kept when it is bad."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from services.ingest.metrics import BAD_CALENDARS
from services.persister import metrics
from services.persister.calendar.calendar_follower import CalendarFollower
from services.persister.calendar.calendar_refresher import CalendarRefresher
from services.persister.calendar.calendar_source import CalendarSource
from services.persister.calendar.calendar_store import CALENDAR, CalendarStore
from shared.bus.calendar_listener import CalendarListener
from shared.bus.connection import Bus
from shared.contracts.calendar import CALENDAR_DAYS
from shared.errors import Unavailable
from shared.market.calendar_data import BUILT_IN, CalendarData
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, IST
from shared.runtime.clock import Clock, SystemClock
from shared.runtime.mongo import Mongo
from shared.runtime.settings import UpstoxSettings
from shared.runtime.tasks import stop
from tests.support.buses import bus_of, ingest_bus
from tests.support.servers import NatsServer
from tests.support.simulated import simulator
from tests.support.waiting import eventually


def ist_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1_000)


MONDAY_2027 = ist_ms("2027-02-01T10:00")
ALL = ["NSE", "NFO", "CDS", "BSE", "BFO", "BCD", "MCX", "NSCOM"]


class FixedClock:
    """A clock whose time of day the test sets; it sleeps briefly."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        return self.at_ms

    def now_us(self) -> int:
        return self.at_ms * 1_000

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, secs: float) -> None:
        await asyncio.sleep(min(secs, 0.02))


class FakeUpstox:
    """Answers the calls for holidays and timings with what the test sets."""

    def __init__(self) -> None:
        self.holidays: Any = [
            {
                "date": f"2027-{month:02}-05", "description": "Test", "closed_exchanges": ALL,
                "holiday_type": "TRADING_HOLIDAY", "open_exchanges": [],
            }
            for month in range(1, 13)
        ]  # fmt: skip
        self.hours: tuple[str, str] = ("09:15", "15:30")
        self.status = 200
        self.calls: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.calls.append(request.path)
        data = self.holidays
        if "timings" in request.path:
            day = date.fromisoformat(request.path.rpartition("/")[2])
            is_off = day.weekday() >= 5 or day.day == 5
            data = [] if is_off else [self._timing(day)]
        return web.json_response({"status": "success", "data": data}, status=self.status)

    def _timing(self, day: date) -> dict[str, Any]:
        start, end = (ist_ms(f"{day}T{time}") for time in self.hours)
        return {"exchange": "NSE", "start_time": start, "end_time": end}


@asynccontextmanager
async def fake_upstox() -> AsyncIterator[FakeUpstox]:
    upstox = FakeUpstox()
    app = web.Application()
    app.router.add_get("/v2/market/{call:.*}", upstox.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    upstox.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield upstox
    finally:
        await runner.cleanup()


@asynccontextmanager
async def refresher(
    mongo: Mongo, bus: Bus, url: str, clock: Clock, check_secs: float = 0.01
) -> AsyncIterator[CalendarRefresher]:
    async with aiohttp.ClientSession() as http:
        source = CalendarSource(http, UpstoxSettings(api_url=url))
        yield CalendarRefresher(source, CalendarStore(mongo), bus, clock, check_secs=check_secs)


@pytest.fixture
async def bus(nats: NatsServer) -> AsyncIterator[Bus]:
    async with bus_of(nats, "persister") as connection:
        yield connection


def refused() -> float:
    return float(metrics.CALENDAR_ANSWERS.labels("refused")._value.get())


async def stored(mongo: Mongo) -> CalendarData:
    return (await CalendarStore(mongo).read())[1]


async def test_the_calendar_is_fetched_once_a_day_and_each_persister_follows_it(
    mongo: Mongo, bus: Bus
) -> None:
    clock, calendar = FixedClock(MONDAY_2027), Calendar()
    follower = CalendarFollower(CalendarStore(mongo), calendar, clock)
    await follower.follow()
    assert metrics.CALENDAR_DAYS_LEFT._value.get() == 0, "the table ends with 2026"
    async with fake_upstox() as upstox, refresher(mongo, bus, upstox.url, clock) as work:
        upstox.hours = ("10:00", "15:00")
        await CalendarStore(mongo).prepare()
        await work.refresh()
        await work.refresh()
        assert upstox.calls == [
            "/v2/market/holidays",
            *(f"/v2/market/timings/2027-02-0{day}" for day in range(1, 9)),
        ]
        clock.at_ms += DAY_MS
        await work.refresh()
        assert len(upstox.calls) == 18
    await follower.follow()
    assert calendar.session("NSE_EQ", MONDAY_2027) == (MONDAY_2027, MONDAY_2027 + 5 * 3_600_000)
    assert calendar.session("NSE_EQ", ist_ms("2027-02-05T10:00")) is None
    assert calendar.session("NSE_EQ", ist_ms("2026-12-25T10:00")) is None
    assert metrics.CALENDAR_DAYS_LEFT._value.get() == 332


async def test_bad_answers_are_counted_and_the_last_good_calendar_stays(
    mongo: Mongo, bus: Bus
) -> None:
    clock = FixedClock(MONDAY_2027)
    async with fake_upstox() as upstox, refresher(mongo, bus, upstox.url, clock) as work:
        await CalendarStore(mongo).prepare()
        await work.refresh()
        good = await stored(mongo)
        upstox.holidays = []
        upstox.hours = ("00:00", "23:59")
        clock.at_ms += DAY_MS
        before = refused()
        await work.refresh()
        # The holidays, and the timings of the six trading days; those of days off agree.
        assert refused() - before == 6
        kept = await stored(mongo)
        assert kept.special_days == good.special_days
        assert kept.years == good.years
        assert {day: kept.timings[day] for day in good.timings} == good.timings


async def test_upstox_that_does_not_answer_changes_nothing(mongo: Mongo, bus: Bus) -> None:
    clock = FixedClock(MONDAY_2027)
    async with fake_upstox() as upstox, refresher(mongo, bus, upstox.url, clock) as work:
        await CalendarStore(mongo).prepare()
        await work.refresh()
        good = await stored(mongo)
        clock.at_ms += DAY_MS
        upstox.status = 503
        with pytest.raises(Unavailable):
            await work.refresh()
        assert await stored(mongo) == good


async def test_a_calendar_that_cannot_be_fetched_is_not_awaited_until_the_next_check(
    mongo: Mongo, bus: Bus
) -> None:
    async with (
        fake_upstox() as upstox,
        refresher(mongo, bus, upstox.url, SystemClock(), check_secs=3_600) as work,
    ):
        upstox.status = 503
        task = asyncio.create_task(work.run())
        await eventually(lambda: bool(upstox.calls), what="it was asked for")
        upstox.status = 200

        async def is_stored() -> bool:
            day, _ = await CalendarStore(mongo).read()
            return day != ""

        await eventually(is_stored, what="the calendar is stored")
        await stop([task])


async def test_a_holiday_that_is_announced_late_overrides_timings_fetched_before(
    mongo: Mongo, bus: Bus
) -> None:
    clock = FixedClock(MONDAY_2027)
    async with fake_upstox() as upstox, refresher(mongo, bus, upstox.url, clock) as work:
        await CalendarStore(mongo).prepare()
        await work.refresh()
        upstox.holidays.append(upstox.holidays[0] | {"date": "2027-02-03"})
        clock.at_ms += DAY_MS
        await work.refresh()
    assert (await stored(mongo)).hours("NSE", date(2027, 2, 3)) is None


async def test_a_stored_calendar_that_is_not_valid_is_fetched_again(mongo: Mongo, bus: Bus) -> None:
    clock = FixedClock(MONDAY_2027)
    await mongo.db[CALENDAR].insert_one(
        {"_id": "upstox", "day": "2027-02-01", "data": {"years": 1}}
    )
    async with fake_upstox() as upstox, refresher(mongo, bus, upstox.url, clock) as work:
        await CalendarStore(mongo).prepare()
        await work.refresh()
    assert (await stored(mongo)).years == {2027}


async def test_ingest_receives_the_calendar_and_keeps_it_when_a_message_is_bad(
    mongo: Mongo, bus: Bus, nats: NatsServer
) -> None:
    clock, calendar = FixedClock(MONDAY_2027), Calendar()
    async with (
        fake_upstox() as upstox,
        refresher(mongo, bus, upstox.url, clock) as work,
        ingest_bus(nats) as ingest,
    ):
        tasks = [
            asyncio.create_task(CalendarListener(ingest, calendar, BAD_CALENDARS).run()),
            asyncio.create_task(work.run()),
        ]
        holiday = ist_ms("2027-03-05T10:00")
        await eventually(
            lambda: calendar.session("NSE_EQ", holiday) is None, what="ingest has the calendar"
        )
        known = calendar.data
        await bus.client.publish(CALENDAR_DAYS, b'{"years": "none"}')
        session = {"special_days": {}, "timings": {"2027-02-02": {"NSE": [900, 5000]}}}
        await bus.client.publish(CALENDAR_DAYS, json.dumps(session).encode())
        await bus.client.flush()
        await stop(tasks)
    assert calendar.data == known
    assert not any(task.exception() for task in tasks if not task.cancelled())


async def test_the_simulated_upstox_gives_the_calendar_of_the_table(mongo: Mongo, bus: Bus) -> None:
    clock = FixedClock(ist_ms("2026-11-23T10:00"))
    async with (
        simulator(calendar="exchange", start_ms=clock.at_ms) as url,
        refresher(mongo, bus, url, clock) as work,
    ):
        await CalendarStore(mongo).prepare()
        before = refused()
        await work.refresh()
        assert refused() == before
    data = BUILT_IN.updated(await stored(mongo))
    day = date(2026, 1, 1)
    while day.year == 2026:
        for exchange in ALL:
            assert data.hours(exchange, day) == BUILT_IN.hours(exchange, day), (exchange, day)
        day += timedelta(days=1)
    assert data.hours("MCX", date(2026, 11, 24)) == (17 * 60, 23 * 60 + 55)
