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
from services.simulator.market.trading_day import Stage
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
    window = calendar.next_window("NSE_EQ", at_ms, closing_auction=True)
    assert (window.stage, window.end_ms - window.start_ms) == (Stage.TRADING, DAY_MS)
    assert calendar.is_trading("MCX_FO", at_ms, closing_auction=False)
    assert not calendar.is_over("NSE_EQ", at_ms, closing_auction=True)
    assert calendar.closing_auction("NSE_EQ", at_ms) is None
    assert {t.end_ms - t.start_ms for t in calendar.timings(date(2026, 11, 22))} == {DAY_MS}


@given(
    st.integers(at("2025-01-01T00:00"), at("2026-12-01T00:00")),
    st.sampled_from(["NSE_EQ", "NSE_FO", "MCX_FO"]),
    st.booleans(),
)
def test_the_next_window_and_the_last_trading_are_the_nearest(
    at_ms: int, segment: str, closing_auction: bool
) -> None:
    window = EXCHANGE.next_window(segment, at_ms, closing_auction=closing_auction)
    assert at_ms < window.end_ms
    is_trading = EXCHANGE.is_trading(segment, at_ms, closing_auction=closing_auction)
    assert is_trading is (window.stage is Stage.TRADING and window.start_ms <= at_ms)
    if is_trading:
        assert EXCHANGE.is_open(segment, at_ms)
        assert not EXCHANGE.is_over(segment, at_ms, closing_auction=closing_auction)
    closed_ms = EXCHANGE.last_close_ms(segment, at_ms, closing_auction=closing_auction)
    assert closed_ms <= at_ms
    assert not EXCHANGE.is_trading(segment, closed_ms, closing_auction=closing_auction)
    between = EXCHANGE.next_window(segment, closed_ms + 1, closing_auction=closing_auction)
    while between.end_ms <= at_ms:
        assert between.stage is not Stage.TRADING
        between = EXCHANGE.next_window(segment, between.end_ms, closing_auction=closing_auction)


def test_the_last_close_is_the_end_of_trading_or_the_match_of_the_closing_auction() -> None:
    def last_close(time: str, *, closing_auction: bool = True) -> int:
        return EXCHANGE.last_close_ms("NSE_EQ", at(time), closing_auction=closing_auction)

    matched = last_close("2026-11-23T20:00")
    assert at("2026-11-23T15:30") <= matched < at("2026-11-23T15:35")
    assert last_close("2026-11-24T09:13") == matched
    assert last_close("2026-11-23T15:18") == at("2026-11-23T15:15")
    assert last_close("2026-11-23T20:00", closing_auction=False) == at("2026-11-23T15:30")
    assert last_close("2026-07-31T20:00") == at("2026-07-31T15:30")


@pytest.mark.parametrize(
    ("segment", "time", "stage", "starts"),
    [
        ("NSE_EQ", "2026-11-23T03:00", Stage.ORDER_ENTRY, "2026-11-23T09:00"),
        ("BSE_EQ", "2026-11-23T09:03", Stage.ORDER_ENTRY, "2026-11-23T09:00"),
        ("NSE_EQ", "2026-11-23T09:13", Stage.TRADING, "2026-11-23T09:15"),
        ("NSE_EQ", "2026-11-23T15:16", Stage.ORDER_ENTRY, "2026-11-23T15:20"),
        ("NSE_FO", "2026-11-23T03:00", Stage.TRADING, "2026-11-23T09:15"),
        ("NSE_INDEX", "2026-11-23T15:16", Stage.TRADING, "2026-11-23T09:15"),
        ("NSE_EQ", "2026-11-20T16:00", Stage.ORDER_ENTRY, "2026-11-23T09:00"),
        ("NSE_EQ", "2026-07-31T15:16", Stage.TRADING, "2026-07-31T09:15"),
    ],
)
def test_only_shares_have_windows_of_auctions(
    segment: str, time: str, stage: Stage, starts: str
) -> None:
    window = EXCHANGE.next_window(segment, at(time), closing_auction=True)
    assert (window.stage, window.start_ms) == (stage, at(starts))


def test_a_day_is_over_after_its_last_window() -> None:
    for closing_auction, ends in ((False, "15:30"), (True, "15:35")):
        assert not EXCHANGE.is_over(
            "NSE_EQ", at("2026-11-23T15:29"), closing_auction=closing_auction
        )
        ended = at(f"2026-11-23T{ends}")
        assert EXCHANGE.is_over("NSE_EQ", ended, closing_auction=closing_auction)
    assert EXCHANGE.is_over("NSE_EQ", at("2026-11-22T12:00"), closing_auction=True)


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
