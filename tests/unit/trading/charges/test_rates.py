"""The rate table of a day."""

from datetime import date

import pytest

from services.trading.charges.rates import ChargeKind, rates_on


@pytest.mark.parametrize(
    ("day", "since"),
    [
        (date(2026, 4, 1), date(2026, 4, 1)),
        (date(2027, 1, 1), date(2026, 4, 1)),
        (date(2020, 1, 1), date(2026, 4, 1)),  # before all tables: the oldest
    ],
)
def test_the_newest_table_that_applies_is_used(day: date, since: date) -> None:
    assert rates_on(day).since == since


def test_every_kind_has_rates_on_some_exchange() -> None:
    table = rates_on(date(2026, 11, 27))
    assert set(table.kinds) == set(ChargeKind)
    assert all(rates.exchange for rates in table.kinds.values())
