"""Expiry dates follow the exchanges' rules."""

from datetime import date

import pytest

from services.simulator.market.expiries import (
    days_of_month,
    last_moment_ms,
    last_tuesdays,
    tuesdays,
)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("2026-01-05", ["2026-01-27", "2026-02-24"]),
        ("2026-01-27", ["2026-01-27", "2026-02-24"]),
        ("2026-01-28", ["2026-02-24", "2026-03-30"]),  # the 31st of March is a holiday
        ("2025-12-31", ["2026-01-27", "2026-02-24"]),
        # The 24th is a holiday, so the expiry was the 23rd.
        ("2026-11-24", ["2026-12-29", "2027-01-26"]),
    ],
)
def test_monthly_contracts_expire_on_the_last_tuesday_or_the_trading_day_before(
    first: str, expected: list[str]
) -> None:
    assert [str(day) for day in last_tuesdays(date.fromisoformat(first), 2)] == expected


def test_weekly_contracts_expire_on_a_tuesday_or_the_trading_day_before() -> None:
    assert tuesdays(date(2026, 1, 5), 2) == [date(2026, 1, 6), date(2026, 1, 13)]
    assert tuesdays(date(2026, 3, 3), 1) == [date(2026, 3, 10)]  # Holi, so the expiry was the 2nd


def test_commodities_expire_on_their_day_of_the_month_or_before() -> None:
    assert days_of_month(date(2026, 1, 5), 2, 19) == [date(2026, 1, 19), date(2026, 2, 19)]
    # The exchange is closed from 3 to 5 April.
    assert days_of_month(date(2026, 4, 1), 1, 5) == [date(2026, 4, 2)]


def test_the_last_moment_is_the_close_of_trading() -> None:
    assert last_moment_ms("NSE", date(2026, 1, 5)) == 1_767_607_200_000
    assert last_moment_ms("MCX", date(2026, 1, 5)) == 1_767_607_200_000 + 8 * 3_600_000
