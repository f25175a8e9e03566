"""The simulator's calendar has opens, closes, holidays and auctions, or is always open."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.market.simulated_calendar import (
    SimulatedCalendar,
    Timing,
    next_trading_day,
)
from shared.market.exchange_calendar import Phase
from shared.market.exchange_holidays import HolidayKind
from shared.market.exchange_time import DAY_MS, IST

EXCHANGE = SimulatedCalendar(always_open=False)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1_000)


@pytest.mark.parametrize("day", ["2026-11-21", "2026-11-22", "2025-12-25", "2026-01-26"])
def test_a_weekend_or_a_holiday_has_no_timings(day: str) -> None:
    assert EXCHANGE.timings(date.fromisoformat(day)) == []


def test_a_holiday_lists_closed_exchanges_and_the_hours_of_the_others() -> None:
    holi = date(2026, 3, 3)
    evening = [
        Timing(name, at("2026-03-03T17:00"), at("2026-03-03T23:55")) for name in ("NSCOM", "MCX")
    ]
    assert EXCHANGE.timings(holi) == evening
    (holiday,) = [listed for listed in EXCHANGE.holidays(2026) if listed.day == holi]
    assert holiday.kind is HolidayKind.TRADING
    assert list(holiday.open) == evening
    assert set(holiday.closed) == {"NSE", "NFO", "CDS", "BSE", "BFO", "BCD"}


def test_a_settlement_holiday_closes_no_exchange() -> None:
    (holiday,) = [listed for listed in EXCHANGE.holidays(2025) if listed.day == date(2025, 4, 1)]
    assert (holiday.kind, holiday.closed, holiday.open) == (HolidayKind.SETTLEMENT, (), ())


def test_holidays_are_in_order_and_of_the_requested_year() -> None:
    for year in (2025, 2026):
        days = [holiday.day for holiday in EXCHANGE.holidays(year)]
        assert days == sorted(set(days))
        assert {day.year for day in days} == {year}
    assert EXCHANGE.holidays(2024) == []


def test_orders_and_funds_are_not_available_at_night() -> None:
    assert not EXCHANGE.service_hours_open(at("2026-11-23T00:00"))
    assert not EXCHANGE.service_hours_open(at("2026-11-23T05:29:59"))
    assert EXCHANGE.service_hours_open(at("2026-11-23T05:30"))
    assert SimulatedCalendar().service_hours_open(at("2026-11-23T03:00"))


@given(st.integers(at("2025-01-01T00:00"), at("2026-12-01T00:00")))
def test_an_always_open_market_is_open_at_any_time(at_ms: int) -> None:
    calendar = SimulatedCalendar()
    assert calendar.phase("NSE_EQ", at_ms) is Phase.NORMAL_OPEN
    assert calendar.is_open("NSE_EQ", at_ms)
    assert calendar.next_open_ms("MCX_FO", at_ms) == at_ms
    assert calendar.closing_auction("NSE_EQ", at_ms) is None
    assert {t.end_ms - t.start_ms for t in calendar.timings(date(2026, 11, 22))} == {DAY_MS}


@given(
    st.integers(at("2025-01-01T00:00"), at("2026-12-01T00:00")),
    st.sampled_from(["NSE_EQ", "NSE_FO", "MCX_FO"]),
)
def test_next_open_and_last_close_are_the_nearest_ends_of_sessions(
    at_ms: int, segment: str
) -> None:
    opens_ms = EXCHANGE.next_open_ms(segment, at_ms)
    assert EXCHANGE.is_open(segment, opens_ms)
    assert opens_ms == at_ms or not EXCHANGE.is_open(segment, opens_ms - 1)
    assert (opens_ms == at_ms) is EXCHANGE.is_open(segment, at_ms)
    closed_ms = EXCHANGE.last_close_ms(segment, at_ms)
    assert closed_ms <= at_ms
    assert EXCHANGE.is_open(segment, closed_ms - 1)
    assert not EXCHANGE.is_open(segment, closed_ms)


@pytest.mark.parametrize(
    ("segment", "time", "event"),
    [
        ("NSE_EQ", "2026-11-23T03:00", "2026-11-23T09:00"),
        ("NSE_EQ", "2026-11-23T09:03", "2026-11-23T09:03"),
        ("NSE_EQ", "2026-11-23T09:10", "2026-11-23T09:15"),
        ("NSE_EQ", "2026-11-23T12:00", "2026-11-23T12:00"),
        ("NSE_FO", "2026-11-23T03:00", "2026-11-23T09:15"),
        ("NSE_EQ", "2026-11-20T16:00", "2026-11-23T09:00"),
    ],
)
def test_the_next_event_of_shares_is_the_order_entry_before_the_open(
    segment: str, time: str, event: str
) -> None:
    assert EXCHANGE.next_event_ms(segment, at(time)) == at(event)


def test_the_phase_of_the_pre_open_has_a_start() -> None:
    assert EXCHANGE.phase_since_ms("NSE_EQ", at("2026-11-23T09:03")) == at("2026-11-23T09:00")
    assert EXCHANGE.phase_since_ms("NSE_EQ", at("2026-11-23T09:12")) == at("2026-11-23T09:10")
    assert EXCHANGE.phase_since_ms("NSE_EQ", at("2026-11-23T12:00")) == at("2026-11-23T12:00")


@pytest.mark.parametrize(
    ("segment", "time", "stage"),
    [
        ("NSE_EQ", "2026-11-23T15:14", None),
        ("NSE_EQ", "2026-11-23T15:16", ("CTS_CLOSE", "2026-11-23T15:15")),
        ("BSE", "2026-11-23T15:27", ("CAS_M_STOP", "2026-11-23T15:25")),
        ("NSE_EQ", "2026-11-23T16:00", ("CAS_STOP", "2026-11-23T15:30")),
        ("NSE_FO", "2026-11-23T15:20", None),
        ("NSE_EQ", "2026-07-31T15:20", None),
    ],
)
def test_the_closing_auction_of_shares_has_stages_from_august_2026(
    segment: str, time: str, stage: tuple[str, str] | None
) -> None:
    expected = stage and (stage[0], at(stage[1]))
    assert EXCHANGE.closing_auction(segment, at(time)) == expected


def test_the_next_trading_day_skips_holidays_and_weekends() -> None:
    assert next_trading_day("NSE", date(2026, 1, 24)) == date(2026, 1, 27)
    assert next_trading_day("NSE", date(2026, 1, 26), step=-1) == date(2026, 1, 23)
