"""A day is made of the own bars, or is Upstox's candle if that has trades which they lack."""

from typing import Any

import msgspec

from services.persister.storage.daily_candles import first_day, merged_days, page_of_days
from shared.contracts.history import MAX_TIME_MS, BarSource, HistoryBar, HistoryBarState
from shared.market.exchange_time import DAY_MS, day_start, ist_date
from tests.support.builders import MONDAY_10_00

MONDAY = day_start(MONDAY_10_00)
COMPLETE = HistoryBarState.COMPLETE


def day(number: int, **more: Any) -> HistoryBar:
    fields: dict[str, Any] = {
        "start": MONDAY + number * DAY_MS, "end": MONDAY + (number + 1) * DAY_MS, "open": 10.0,
        "high": 12.0, "low": 9.0, "close": 11.0, "volume": 100, "ticks": 0,
        "state": HistoryBarState.REPAIRED, "source": BarSource.UPSTOX,
    }  # fmt: skip
    return HistoryBar(**(fields | more))


def own(number: int, **more: Any) -> HistoryBar:
    return day(number, state=more.pop("state", COMPLETE), source=None, ticks=9, **more)


def test_a_day_with_all_trades_is_the_own_bar() -> None:
    assert merged_days([own(0)], [day(0)]) == [own(0)]


def test_a_day_that_lacks_trades_is_the_candle() -> None:
    for lacking in (own(0, volume=99), own(0, high=11.5), own(0, low=9.5)):
        assert merged_days([lacking], [day(0)]) == [day(0)]
    assert merged_days([own(0, state=HistoryBarState.PARTIAL)], [day(0)]) == [day(0)]


def test_days_of_one_kind_only_are_taken_in_order() -> None:
    assert merged_days([own(2), own(3)], [day(0), day(1)]) == [day(0), day(1), own(2), own(3)]


def test_a_page_ends_where_one_of_its_parts_was_not_read() -> None:
    days = [day(number) for number in range(6)]
    assert page_of_days(days, 9, (None, None)) == (days, None)
    assert page_of_days(days, 9, (days[4].start, days[2].start)) == (days[:2], days[2].start)
    assert page_of_days(days, 3, (days[4].start, None)) == (days[:3], days[3].start)
    assert page_of_days([], 3, (None, days[3].start)) == ([], days[3].start)


def test_the_first_day_of_a_range_begins_in_it() -> None:
    assert first_day(MONDAY) == ist_date(MONDAY)
    assert first_day(MONDAY + 1) == ist_date(MONDAY + DAY_MS)
    assert first_day(MAX_TIME_MS).year == 9_999


def test_an_own_bar_is_not_changed() -> None:
    bar = own(0)
    merged_days([bar], [day(0, volume=1_000)])
    assert bar == msgspec.structs.replace(own(0))
