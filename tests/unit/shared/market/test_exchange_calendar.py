"""The calendar knows when each segment trades."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.market.exchange_calendar import Calendar, Phase, Timing, next_trading_day
from shared.market.exchange_holidays import HolidayKind
from shared.market.exchange_time import DAY_MS, IST

EXCHANGE = Calendar(always_open=False)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("segment", "time", "phase"),
    [
        ("NSE_EQ", "08:59:59", Phase.NORMAL_CLOSE),
        ("NSE_EQ", "09:00:00", Phase.PRE_OPEN_START),
        ("NSE_EQ", "09:07:59", Phase.PRE_OPEN_START),
        ("BSE_EQ", "09:08:00", Phase.PRE_OPEN_END),
        ("NSE_INDEX", "09:14:59", Phase.PRE_OPEN_END),
        ("NSE_EQ", "09:15:00", Phase.NORMAL_OPEN),
        ("NSE_EQ", "15:29:59", Phase.NORMAL_OPEN),
        ("NSE_EQ", "15:30:00", Phase.NORMAL_CLOSE),
        ("NSE_EQ", "15:40:00", Phase.CLOSING_START),
        ("NSE_EQ", "15:59:59", Phase.CLOSING_START),
        ("NSE_EQ", "16:00:00", Phase.CLOSING_END),
        ("NSE_FO", "09:14:59", Phase.NORMAL_CLOSE),
        ("NSE_FO", "09:15:00", Phase.NORMAL_OPEN),
        ("NSE_FO", "15:45:00", Phase.NORMAL_CLOSE),
        ("MCX_FO", "09:00:00", Phase.NORMAL_OPEN),
        ("MCX_FO", "23:29:59", Phase.NORMAL_OPEN),
        ("MCX_FO", "23:30:00", Phase.NORMAL_CLOSE),
        ("NCD_FO", "16:59:59", Phase.NORMAL_OPEN),
    ],
)
def test_phase_follows_the_time_of_a_trading_day(segment: str, time: str, phase: Phase) -> None:
    assert EXCHANGE.phase(segment, at(f"2026-11-23T{time}")) is phase


@pytest.mark.parametrize("day", ["2026-11-21", "2026-11-22", "2025-12-25", "2026-01-26"])
def test_nothing_trades_on_a_weekend_or_a_holiday(day: str) -> None:
    assert EXCHANGE.timings(date.fromisoformat(day)) == []
    assert EXCHANGE.phase("NSE_EQ", at(f"{day}T11:00")) is Phase.NORMAL_CLOSE
    assert not EXCHANGE.is_open("MCX_FO", at(f"{day}T18:00"))


def test_commodities_trade_in_the_evening_of_most_holidays() -> None:
    holi = date(2026, 3, 3)
    evening = [
        Timing(name, at("2026-03-03T17:00"), at("2026-03-03T23:30")) for name in ("NSCOM", "MCX")
    ]
    assert EXCHANGE.timings(holi) == evening
    assert not EXCHANGE.is_trading_day("NSE", holi)
    assert EXCHANGE.is_trading_day("MCX", holi)
    (found,) = [one for one in EXCHANGE.holidays(2026) if one.day == holi]
    assert found.kind is HolidayKind.TRADING
    assert list(found.open) == evening
    assert set(found.closed) == {"NSE", "NFO", "CDS", "BSE", "BFO", "BCD"}


def test_budget_sunday_is_a_session() -> None:
    assert EXCHANGE.is_open("NSE_EQ", at("2026-02-01T12:00"))
    assert EXCHANGE.phase("NSE_EQ", at("2026-02-01T09:05")) is Phase.PRE_OPEN_START


def test_settlement_holiday_is_traded() -> None:
    assert EXCHANGE.is_open("NSE_EQ", at("2025-04-01T12:00"))
    (found,) = [one for one in EXCHANGE.holidays(2025) if one.day == date(2025, 4, 1)]
    assert (found.kind, found.closed, found.open) == (HolidayKind.SETTLEMENT, (), ())


def test_holidays_are_in_order_and_of_the_year_asked_for() -> None:
    for year in (2025, 2026):
        days = [holiday.day for holiday in EXCHANGE.holidays(year)]
        assert days == sorted(set(days))
        assert {day.year for day in days} == {year}
    assert EXCHANGE.holidays(2024) == []


def test_orders_and_funds_are_not_served_at_night() -> None:
    assert not EXCHANGE.service_hours_open(at("2026-11-23T00:00"))
    assert not EXCHANGE.service_hours_open(at("2026-11-23T05:29:59"))
    assert EXCHANGE.service_hours_open(at("2026-11-23T05:30"))
    assert Calendar().service_hours_open(at("2026-11-23T03:00"))


@given(st.integers(at("2025-01-01T00:00"), at("2026-12-01T00:00")))
def test_always_open_market_is_open_at_any_time(at_ms: int) -> None:
    calendar = Calendar()
    assert calendar.phase("NSE_EQ", at_ms) is Phase.NORMAL_OPEN
    assert calendar.next_open_ms("MCX_FO", at_ms) == at_ms
    assert {t.end_ms - t.start_ms for t in calendar.timings(date(2026, 11, 22))} == {DAY_MS}


@given(
    st.integers(at("2025-01-01T00:00"), at("2026-12-01T00:00")),
    st.sampled_from(["NSE_EQ", "NSE_FO", "MCX_FO"]),
)
def test_next_open_is_the_first_moment_of_trading(at_ms: int, segment: str) -> None:
    opens_ms = EXCHANGE.next_open_ms(segment, at_ms)
    assert EXCHANGE.is_open(segment, opens_ms)
    assert opens_ms == at_ms or not EXCHANGE.is_open(segment, opens_ms - 1)
    assert (opens_ms == at_ms) is EXCHANGE.is_open(segment, at_ms)
    closed_ms = EXCHANGE.last_close_ms(segment, at_ms)
    assert closed_ms <= at_ms
    assert EXCHANGE.is_open(segment, closed_ms - 1)
    assert not EXCHANGE.is_open(segment, closed_ms)


def test_next_trading_day_passes_over_holidays_and_weekends() -> None:
    assert next_trading_day("NSE", date(2026, 1, 24)) == date(2026, 1, 27)
    assert next_trading_day("NSE", date(2026, 1, 26), step=-1) == date(2026, 1, 23)
