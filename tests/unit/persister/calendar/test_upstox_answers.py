"""Upstox's answers on holidays and timings are read, and refused if they cannot be right."""

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.persister.calendar.upstox_answers import (
    RefusedAnswer,
    read_holidays,
    read_timings,
)
from shared.market.calendar_data import BUILT_IN
from shared.market.exchange_holidays import HolidayKind
from shared.market.exchange_time import IST

TODAY = date(2027, 1, 4)
ALL = ["NSE", "NFO", "CDS", "BSE", "BFO", "BCD", "MCX", "NSCOM"]


def timing(exchange: str, day: str, start: str, end: str) -> dict[str, Any]:
    def at(time: str) -> int:
        moment = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=IST)
        return int(moment.timestamp() * 1_000)

    return {"exchange": exchange, "start_time": at(start), "end_time": at(end)}


def holiday(day: str, **more: Any) -> dict[str, Any]:
    return {
        "date": day, "description": "Holiday", "holiday_type": "TRADING_HOLIDAY",
        "closed_exchanges": ALL, "open_exchanges": [],
    } | more  # fmt: skip


def year_of_holidays(year: int = 2027) -> list[dict[str, Any]]:
    return [holiday(f"{year}-{month:02}-05") for month in range(1, 13)]


def holidays_body(*more: dict[str, Any], rows: list[dict[str, Any]] | None = None) -> bytes:
    listed = year_of_holidays() if rows is None else rows
    return json.dumps({"status": "success", "data": [*listed, *more]}).encode()


def timings_body(*timings: dict[str, Any]) -> bytes:
    return json.dumps({"status": "success", "data": list(timings)}).encode()


def test_holidays_are_read_with_their_open_exchanges() -> None:
    evening = holiday(
        "2027-03-22",
        closed_exchanges=ALL[:6],
        open_exchanges=[timing("MCX", "2027-03-22", "17:00", "23:30")],
    )
    muhurat = holiday(
        "2027-10-29", holiday_type="SPECIAL_TIMING", closed_exchanges=["NSCOM"],
        open_exchanges=[timing("NSE", "2027-10-29", "18:00", "19:00")],
    )  # fmt: skip
    data = read_holidays(holidays_body(evening, muhurat), TODAY)
    assert data.years == {2027}
    assert len(data.special_days) == 14
    assert data.hours("MCX", date(2027, 3, 22)) == (1_020, 1_410)
    assert data.hours("NSE", date(2027, 3, 22)) is None
    assert data.hours("NSE", date(2027, 10, 29)) == (1_080, 1_140)
    assert data.hours("NSCOM", date(2027, 10, 29)) is None
    assert data.special_days[date(2027, 10, 29)].kind is HolidayKind.SPECIAL


def test_a_year_with_few_holidays_is_not_covered() -> None:
    data = read_holidays(holidays_body(holiday("2028-01-26")), TODAY)
    assert data.years == {2027}
    assert date(2028, 1, 26) not in data.special_days


@pytest.mark.parametrize(
    "more",
    [
        holiday("2027-01-05"),
        holiday("2031-01-05"),
        holiday("1970-01-01"),
        holiday("2027-02-30"),
        holiday("05-08-2027"),
        holiday(""),
        holiday("2027-08-08", holiday_type="HALF"),
        holiday("2027-08-08", closed_exchanges="NSE"),
        holiday("2027-08-08", open_exchanges=[timing("NSE", "2027-08-08", "10:00", "11:00")]),
        holiday("2027-08-08", closed_exchanges=[],
                open_exchanges=[timing("NSE", "2027-08-08", "11:00", "10:00")]),
        holiday("2027-08-08", closed_exchanges=[],
                open_exchanges=[timing("NSE", "2027-08-07", "10:00", "11:00")]),
        holiday("2027-08-08", closed_exchanges=[],
                open_exchanges=[timing("NSE", "2027-08-08", "10:00", "10:01")]),
        holiday("2027-08-08", closed_exchanges=[],
                open_exchanges=[timing("NSE", "2027-08-08", "10:00", "11:00")] * 2),
        holiday("2027-08-08", closed_exchanges=[],
                open_exchanges=[{"exchange": "NSE", "start_time": 1e300, "end_time": 0}]),
        holiday("2027-08-08", description="x" * 10_000),
    ],
)  # fmt: skip
def test_a_list_of_holidays_with_something_that_cannot_be_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(RefusedAnswer):
        read_holidays(holidays_body(more), TODAY)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        holidays_body(rows=[]),
        holidays_body(rows=year_of_holidays()[:4]),
        holidays_body(rows=year_of_holidays(2026)),
        holidays_body(rows=[holiday(f"2027-01-{day:02}") for day in range(1, 32)] * 4),
    ],
)
def test_a_list_that_does_not_cover_the_year_is_refused(body: bytes) -> None:
    with pytest.raises(RefusedAnswer):
        read_holidays(body, TODAY)


def test_timings_of_a_day_are_read_and_unknown_exchanges_left_out() -> None:
    body = timings_body(
        timing("NSE", "2026-11-30", "09:15", "15:30"),
        timing("MCX", "2026-11-30", "09:00", "23:55"),
        timing("NEW", "2026-11-30", "09:00", "17:00"),
    )
    hours = read_timings(body, date(2026, 11, 30), BUILT_IN)
    assert hours == {"NSE": (555, 930), "MCX": (540, 1_435)}


def test_a_day_without_timings_has_no_session_if_the_list_of_holidays_allows_it() -> None:
    assert read_timings(timings_body(), date(2026, 12, 25), BUILT_IN) == {}
    assert read_timings(timings_body(), date(2027, 1, 1), BUILT_IN) == {}


@pytest.mark.parametrize(
    ("day", "timings"),
    [
        ("2026-11-30", []),
        ("2026-12-25", [timing("NSE", "2026-12-25", "09:15", "15:30")]),
        ("2026-11-29", [timing("NSE", "2026-11-29", "09:15", "15:30")]),
        ("2026-11-30", [timing("NSE", "2026-11-30", "00:00", "23:59")]),
        ("2026-11-30", [timing("NSE", "2026-12-01", "09:15", "15:30")]),
        ("2026-11-30", [timing("NSE", "2026-11-30", "15:30", "09:15")]),
        ("2026-11-30", [timing("NSE", "2026-11-30", "09:15", "09:15")]),
    ],
)
def test_timings_that_cannot_be_or_contradict_the_holidays_are_refused(
    day: str, timings: list[dict[str, Any]]
) -> None:
    with pytest.raises(RefusedAnswer):
        read_timings(timings_body(*timings), date.fromisoformat(day), BUILT_IN)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(list(holiday("2027-08-08"))), json_values))
def test_any_value_in_a_holiday_is_read_or_refused(fields: dict[str, Any]) -> None:
    try:
        data = read_holidays(holidays_body(holiday("2027-08-08") | fields), TODAY)
    except RefusedAnswer:
        return
    day = date(2027, 1, 1)
    while day.year == 2027:
        for exchange in ALL:
            hours = data.hours(exchange, day)
            assert hours is None or 0 <= hours[0] < hours[1] <= 24 * 60
        day += timedelta(days=1)
