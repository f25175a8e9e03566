"""The usual hours are dated rules, and the commodity close follows New York's winter time."""

from datetime import date, timedelta

import pytest

from shared.market.exchange_sessions import (
    EXCHANGES,
    SESSION_RULES,
    commodity_close,
    session_rule,
    usual_hours,
)


@pytest.mark.parametrize(
    ("exchange", "day", "hours"),
    [
        ("NSE", "2026-11-23", (555, 930)),
        ("BSE", "2026-01-05", (555, 930)),
        ("NFO", "2026-07-31", (555, 930)),
        ("NFO", "2026-08-03", (555, 940)),
        ("BFO", "2026-08-03", (555, 940)),
        ("CDS", "2026-11-23", (540, 1_020)),
        ("MCX", "2026-07-01", (540, 1_410)),
        ("MCX", "2026-11-23", (540, 1_435)),
        ("NSCOM", "2027-01-04", (540, 1_435)),
    ],
)
def test_each_exchange_has_its_usual_hours(exchange: str, day: str, hours: tuple[int, int]) -> None:
    assert usual_hours(exchange, date.fromisoformat(day)) == hours


@pytest.mark.parametrize(
    ("last_early", "first_late"), [("2025-10-31", "2025-11-03"), ("2026-10-30", "2026-11-02")]
)
def test_commodities_close_later_from_the_first_monday_of_new_yorks_winter_time(
    last_early: str, first_late: str
) -> None:
    assert commodity_close(date.fromisoformat(last_early)) == 23 * 60 + 30
    assert commodity_close(date.fromisoformat(first_late)) == 23 * 60 + 55


def test_commodities_close_earlier_again_in_march() -> None:
    assert commodity_close(date(2027, 3, 12)) == 23 * 60 + 55
    assert commodity_close(date(2027, 3, 15)) == 23 * 60 + 30


def test_each_rule_names_its_source_and_every_exchange_has_rules_in_order() -> None:
    assert all(rule.source for rule in SESSION_RULES)
    for exchange in EXCHANGES:
        days = [rule.since for rule in SESSION_RULES if exchange in rule.exchanges]
        assert days
        assert days == sorted(set(days))


def test_an_unknown_exchange_has_the_rule_of_shares() -> None:
    assert session_rule("XYZ", date(2026, 11, 23)) == session_rule("NSE", date(2026, 11, 23))


def test_every_session_is_within_its_day() -> None:
    day = date(2025, 1, 1)
    while day.year < 2028:
        for exchange in EXCHANGES:
            start, end = usual_hours(exchange, day)
            assert 0 <= start < end <= 24 * 60
        day += timedelta(days=1)
