"""The calendar has the trading hours and phases of each segment on each kind of day."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.market.calendar_data import CalendarData
from shared.market.exchange_calendar import Calendar, Phase, exchange_of, trading_hours
from shared.market.exchange_time import IST, day_start

CALENDAR = Calendar()
SEGMENTS = ["NSE_EQ", "NSE_FO", "NSE_COM", "NCD_FO", "BSE_EQ", "BSE_FO", "BCD_FO", "MCX_FO"]


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("segment", "time", "phase"),
    [
        ("NSE_EQ", "08:59:59", Phase.NORMAL_CLOSE),
        ("NSE_EQ", "09:00:00", Phase.PRE_OPEN_START),
        ("NSE_EQ", "09:09:59", Phase.PRE_OPEN_START),
        ("BSE_EQ", "09:10:00", Phase.PRE_OPEN_END),
        ("NSE_INDEX", "09:14:59", Phase.PRE_OPEN_END),
        ("NSE_EQ", "09:15:00", Phase.NORMAL_OPEN),
        ("NSE_EQ", "15:29:59", Phase.NORMAL_OPEN),
        ("NSE_EQ", "15:30:00", Phase.NORMAL_CLOSE),
        ("NSE_EQ", "15:49:59", Phase.NORMAL_CLOSE),
        ("NSE_EQ", "15:50:00", Phase.CLOSING_START),
        ("NSE_EQ", "15:59:59", Phase.CLOSING_START),
        ("NSE_EQ", "16:00:00", Phase.CLOSING_END),
        ("NSE_FO", "09:14:59", Phase.NORMAL_CLOSE),
        ("NSE_FO", "09:15:00", Phase.NORMAL_OPEN),
        ("NSE_FO", "15:39:59", Phase.NORMAL_OPEN),
        ("NSE_FO", "15:40:00", Phase.NORMAL_CLOSE),
        ("MCX_FO", "09:00:00", Phase.NORMAL_OPEN),
        ("MCX_FO", "23:54:59", Phase.NORMAL_OPEN),
        ("MCX_FO", "23:55:00", Phase.NORMAL_CLOSE),
        ("NCD_FO", "16:59:59", Phase.NORMAL_OPEN),
    ],
)
def test_the_phase_follows_the_time_of_a_trading_day(segment: str, time: str, phase: Phase) -> None:
    assert CALENDAR.phase(segment, at(f"2026-11-23T{time}")) is phase


@pytest.mark.parametrize(
    ("segment", "time", "phase"),
    [
        ("NSE_EQ", "2026-09-04T09:07:59", Phase.PRE_OPEN_START),
        ("NSE_EQ", "2026-09-04T09:08:00", Phase.PRE_OPEN_END),
        ("NSE_EQ", "2026-09-07T09:08:00", Phase.PRE_OPEN_START),
        ("NSE_EQ", "2026-07-31T15:40:00", Phase.CLOSING_START),
        ("NSE_EQ", "2026-08-03T15:40:00", Phase.NORMAL_CLOSE),
        ("NSE_EQ", "2026-08-03T15:50:00", Phase.CLOSING_START),
        ("NSE_FO", "2026-07-31T15:30:00", Phase.NORMAL_CLOSE),
        ("NSE_FO", "2026-08-03T15:30:00", Phase.NORMAL_OPEN),
        ("MCX_FO", "2026-10-30T23:30:00", Phase.NORMAL_CLOSE),
        ("MCX_FO", "2026-11-02T23:30:00", Phase.NORMAL_OPEN),
        ("MCX_FO", "2026-03-06T23:54:59", Phase.NORMAL_OPEN),
        ("MCX_FO", "2026-03-09T23:30:00", Phase.NORMAL_CLOSE),
    ],
)
def test_hours_change_on_the_day_from_which_a_rule_applies(
    segment: str, time: str, phase: Phase
) -> None:
    assert CALENDAR.phase(segment, at(time)) is phase


@pytest.mark.parametrize("day", ["2026-11-21", "2026-11-22", "2025-12-25", "2026-01-26"])
def test_nothing_trades_on_a_weekend_or_a_holiday(day: str) -> None:
    for segment in SEGMENTS:
        assert trading_hours(exchange_of(segment), date.fromisoformat(day)) is None
        assert CALENDAR.session(segment, at(f"{day}T11:00")) is None
        assert CALENDAR.phase(segment, at(f"{day}T11:00")) is Phase.NORMAL_CLOSE


def test_commodities_trade_in_the_evening_of_most_holidays() -> None:
    evening = (at("2026-03-03T17:00"), at("2026-03-03T23:55"))
    assert CALENDAR.session("MCX_FO", at("2026-03-03T09:00")) == evening
    assert CALENDAR.session("NSE_COM", at("2026-03-03T09:00")) == evening
    assert CALENDAR.session("NSE_EQ", at("2026-03-03T09:00")) is None
    summer = (at("2026-04-14T17:00"), at("2026-04-14T23:30"))
    assert CALENDAR.session("MCX_FO", at("2026-04-14T09:00")) == summer


def test_a_session_on_a_sunday_has_the_usual_phases() -> None:
    assert CALENDAR.is_open("NSE_EQ", at("2026-02-01T12:00"))
    assert CALENDAR.phase("NSE_EQ", at("2026-02-01T09:05")) is Phase.PRE_OPEN_START


def test_exchanges_trade_on_a_settlement_holiday() -> None:
    assert CALENDAR.is_open("NSE_EQ", at("2025-04-01T12:00"))


@pytest.mark.parametrize(
    ("segment", "exchange"),
    [("NSE_EQ", "NSE"), ("NSE_INDEX", "NSE"), ("NSE_FO", "NFO"), ("MCX_FO", "MCX"), ("NSE", "NSE")],
)
def test_the_exchange_of_a_segment_has_upstoxs_name(segment: str, exchange: str) -> None:
    assert exchange_of(segment) == exchange


@given(
    st.integers(at("2025-01-01T00:00"), at("2026-12-01T00:00")),
    st.sampled_from(SEGMENTS),
)
def test_a_segment_is_open_exactly_within_its_session(at_ms: int, segment: str) -> None:
    session = CALENDAR.session(segment, at_ms)
    is_within = session is not None and session[0] <= at_ms < session[1]
    assert CALENDAR.is_open(segment, at_ms) is is_within
    if session is not None:
        assert day_start(session[0]) == day_start(at_ms) == day_start(session[1] - 1)


@pytest.mark.parametrize(
    ("segment", "time", "expected"),
    [
        ("NSE_EQ", "2026-11-23T08:59:59", False),
        ("NSE_EQ", "2026-11-23T09:00:00", True),
        ("NSE_EQ", "2026-11-23T15:35:00", True),
        ("NSE_EQ", "2026-11-23T15:59:59", True),
        ("NSE_EQ", "2026-11-23T16:00:00", False),
        ("NSE_FO", "2026-11-23T09:00:00", True),
        ("NSE_FO", "2026-11-23T15:40:00", False),
        ("MCX_FO", "2026-11-23T08:59:59", False),
        ("NSE_EQ", "2026-11-22T12:00:00", False),
        ("NSE_EQ", "2027-02-01T03:00:00", True),
        ("NSE_EQ", "2027-02-06T12:00:00", True),
    ],
)
def test_trades_are_possible_in_auctions_after_the_close_and_on_any_unknown_day(
    segment: str, time: str, expected: bool
) -> None:
    assert CALENDAR.may_trade(segment, at(time)) is expected


def test_a_calendar_uses_the_data_that_it_is_given() -> None:
    calendar = Calendar()
    noon = at("2026-11-23T12:00")
    assert calendar.is_open("NSE_EQ", noon)
    calendar.replace(CalendarData(years=frozenset({2026}), timings={date(2026, 11, 23): {}}))
    assert not calendar.is_open("NSE_EQ", noon)
