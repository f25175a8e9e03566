"""Requests for candles of one minute: pages, the cache, and an Upstox that is away."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from services.persister.candles.candle import CandleLength, UpstoxCandle
from services.persister.history.candle_cache import CandleCache
from services.persister.history.candle_requests import CandleRequests
from shared.contracts.history import (
    BarSource,
    CandleInterval,
    CandlesReply,
    CandlesRequest,
    HistoryBarState,
)
from shared.errors import NotFound, Unavailable
from shared.market.exchange_time import MINUTE_MS, ist_date, midnight_ms
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.virtual_time import LoopClock, on_virtual_time

TODAY = date(2026, 11, 23)
OPENS_MS = (9 * 60 + 15) * MINUTE_MS
A_DAY = 3
"""Candles of a day."""


class WallClock(LoopClock):
    def now_ms(self) -> int:
        return MONDAY_10_00 + int(self.monotonic() * 1_000)


class FakeCandles:
    """Some candles a day, from Monday to Friday."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.is_away = False
        self.repeats_all = False
        """Answers every call with the candles of three weeks, each of them twice."""
        self.known: dict[str, bool] = {KEY: True}
        self.hold = asyncio.Event()
        self.hold.set()

    async def knows(self, key: str) -> bool | None:
        return self.known.get(key)

    async def today(self, key: str, length: CandleLength) -> list[UpstoxCandle]:
        await self._answer(f"today {length}")
        if self.repeats_all:
            return self._all()
        return _of_today()

    async def past(
        self, key: str, length: CandleLength, first: date, last: date
    ) -> list[UpstoxCandle]:
        await self._answer(f"{first} {last}")
        if self.repeats_all:
            return self._all()
        return _of_days(first, last)

    def _all(self) -> list[UpstoxCandle]:
        past = _of_days(date(2026, 11, 2), TODAY - timedelta(days=1))
        return [*_of_today(), *past] * 2

    async def _answer(self, call: str) -> None:
        self.calls.append(call)
        await self.hold.wait()
        if self.is_away:
            raise Unavailable("Upstox is away")


def _candle(start_ms: int) -> UpstoxCandle:
    return UpstoxCandle(start_ms, 1.0, 3.0, 0.5, 2.0, volume=7, oi=0)


def _of_today() -> list[UpstoxCandle]:
    start_ms = MONDAY_10_00 - MONDAY_10_00 % MINUTE_MS
    return [_candle(start_ms - number * MINUTE_MS) for number in range(A_DAY)]


def _of_days(first: date, last: date) -> list[UpstoxCandle]:
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [
        _candle(midnight_ms(day) + OPENS_MS + number * MINUTE_MS)
        for day in reversed(days)
        if day.weekday() < 5
        for number in reversed(range(A_DAY))
    ]


def requests_to(candles: FakeCandles) -> CandleRequests:
    clock = WallClock()
    return CandleRequests(candles, candles, CandleCache(clock, max_bytes=1 << 20), clock)


def request(**more: Any) -> CandlesRequest:
    fields: dict[str, Any] = {
        "key": KEY, "from_ms": midnight_ms(date(2026, 11, 2)), "to_ms": MONDAY_10_00 + MINUTE_MS,
        "interval": CandleInterval.MINUTE,
    }  # fmt: skip
    return CandlesRequest(**(fields | more))


async def all_pages(requests: CandleRequests, **more: Any) -> list[CandlesReply]:
    pages = [await requests.read(request(**more))]
    while pages[-1].next is not None:
        pages.append(await requests.read(request(**more, cursor=pages[-1].next)))
    return pages


@on_virtual_time
async def test_pages_of_any_size_have_each_candle_once_and_today_last() -> None:
    trading_days = 15
    for limit in (1, 4, 100):
        pages = await all_pages(requests_to(FakeCandles()), limit=limit)
        bars = [bar for page in pages for bar in page.bars]
        assert all(len(page.bars) <= limit for page in pages)
        assert len({bar.start for bar in bars}) == len(bars) == (trading_days + 1) * A_DAY
        assert sorted(bar.start for bar in bars) == [bar.start for bar in bars]
        assert {bar.source for bar in bars} == {BarSource.UPSTOX}
        assert bars[-1].state is HistoryBarState.FORMING
        assert {bar.state for bar in bars[:-1]} == {HistoryBarState.REPAIRED}


class DiwaliCandles(FakeCandles):
    """Half hours of the Friday before Muhurat trading, and of its session from 18:00 to 19:00."""

    friday_ms = midnight_ms(date(2026, 11, 6)) + OPENS_MS
    sunday_ms = midnight_ms(date(2026, 11, 8)) + 18 * 60 * MINUTE_MS

    async def past(
        self, key: str, length: CandleLength, first: date, last: date
    ) -> list[UpstoxCandle]:
        return [
            _candle(day_ms + number * 30 * MINUTE_MS)
            for day_ms, count in ((self.sunday_ms, 2), (self.friday_ms, 13))
            if first <= ist_date(day_ms) <= last
            for number in reversed(range(count))
        ]


@on_virtual_time
async def test_half_hours_of_muhurat_start_with_its_session_on_a_page_with_a_usual_day() -> None:
    candles = DiwaliCandles()
    pages = await all_pages(
        requests_to(candles),
        interval=CandleInterval.HALF_HOUR,
        to_ms=midnight_ms(date(2026, 11, 9)),
    )
    bars = [bar for page in pages for bar in page.bars]
    starts = [(bar.start - candles.friday_ms) // MINUTE_MS for bar in bars[:-2]]
    assert starts == list(range(0, 13 * 30, 30))
    assert [(bar.start, bar.end) for bar in bars[-2:]] == [
        (candles.sunday_ms + minutes * MINUTE_MS, candles.sunday_ms + (minutes + 30) * MINUTE_MS)
        for minutes in (0, 30)
    ]


@on_virtual_time
async def test_candles_outside_of_their_span_or_twice_in_it_do_not_change_the_pages() -> None:
    trading_days = 15
    for limit in (1, 6, 2_000):
        candles = FakeCandles()
        candles.repeats_all = True
        pages = await all_pages(requests_to(candles), limit=limit)
        starts = [bar.start for page in pages for bar in page.bars]
        assert starts == sorted(set(starts))
        assert len(starts) == (trading_days + 1) * A_DAY


@on_virtual_time
async def test_candles_are_called_for_once_until_they_are_too_old() -> None:
    candles = FakeCandles()
    requests = requests_to(candles)
    first = [bar for page in await all_pages(requests, limit=100) for bar in page.bars]
    calls = len(candles.calls)
    (again,) = await all_pages(requests, limit=100)
    assert again.bars == first
    assert len(candles.calls) == calls
    await WallClock().sleep(10)
    await all_pages(requests, limit=100)
    assert candles.calls[calls:] == ["today minutes/1"]


@on_virtual_time
async def test_equal_requests_at_the_same_time_make_one_call() -> None:
    candles = FakeCandles()
    candles.hold.clear()
    requests = requests_to(candles)
    same = [asyncio.create_task(requests.read(request(from_ms=MONDAY_10_00))) for _ in range(9)]
    await asyncio.sleep(1)
    candles.hold.set()
    assert len({reply.bars[0].start for reply in await asyncio.gather(*same)}) == 1
    assert candles.calls == ["today minutes/1"]


@on_virtual_time
async def test_a_request_makes_a_bounded_number_of_calls() -> None:
    candles = FakeCandles()
    reply = await requests_to(candles).read(request(from_ms=0, limit=2_000))
    assert len(candles.calls) == 4
    assert reply.next is not None


@on_virtual_time
async def test_while_upstox_is_away_cached_candles_are_returned_and_others_are_an_error() -> None:
    candles = FakeCandles()
    requests = requests_to(candles)
    before_today = midnight_ms(TODAY)
    cached = await requests.read(request(to_ms=before_today, limit=2_000))
    candles.is_away = True
    assert await requests.read(request(to_ms=before_today, limit=2_000)) == cached
    cut_off = await requests.read(request(limit=2_000))
    assert (cut_off.bars, cut_off.next is not None) == (cached.bars, True)
    with pytest.raises(Unavailable):
        await requests.read(request(limit=2_000, cursor=cut_off.next))
    with pytest.raises(Unavailable):
        await requests.read(request(key=OTHER_KEY))


@on_virtual_time
async def test_a_range_in_the_future_is_empty_and_calls_nobody() -> None:
    candles = FakeCandles()
    reply = await requests_to(candles).read(
        request(from_ms=midnight_ms(date(2026, 11, 25)), to_ms=midnight_ms(date(2027, 1, 1)))
    )
    assert (reply.bars, reply.next, candles.calls) == ([], None, [])


@on_virtual_time
async def test_a_key_that_the_master_lacks_costs_no_call() -> None:
    candles = FakeCandles()
    candles.known["NSE_EQ|NOBODY"] = False
    with pytest.raises(NotFound):
        await requests_to(candles).read(request(key="NSE_EQ|NOBODY"))
    assert candles.calls == []


@on_virtual_time
async def test_an_index_has_no_volume() -> None:
    reply = await requests_to(FakeCandles()).read(request(key=OTHER_KEY, limit=1))
    assert [bar.volume for bar in reply.bars] == [None]
