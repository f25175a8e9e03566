"""The list of special days is well formed."""

from itertools import pairwise

from shared.market.exchange_holidays import SPECIAL_DAYS, TABLE_YEARS, HolidayKind
from shared.market.exchange_sessions import COMMODITIES, EXCHANGES


def test_days_are_in_order_and_listed_once() -> None:
    assert all(before.day < after.day for before, after in pairwise(SPECIAL_DAYS))


def test_only_known_exchanges_have_hours_and_each_session_is_within_its_day() -> None:
    for special in SPECIAL_DAYS:
        assert set(special.hours) <= set(EXCHANGES)
        for start, end in special.hours.values():
            assert 0 <= start < end <= 24 * 60


def test_on_a_trading_holiday_at_most_commodities_trade() -> None:
    for special in SPECIAL_DAYS:
        if special.kind is HolidayKind.TRADING:
            assert set(special.hours) <= COMMODITIES


def test_a_settlement_holiday_changes_no_hours() -> None:
    assert not any(
        special.hours for special in SPECIAL_DAYS if special.kind is HolidayKind.SETTLEMENT
    )


def test_the_table_has_holidays_of_each_of_its_years_and_no_other() -> None:
    assert {special.day.year for special in SPECIAL_DAYS} == TABLE_YEARS
