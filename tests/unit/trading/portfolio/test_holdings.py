"""Holdings through several trading days."""

from decimal import Decimal

from services.trading.portfolio.holdings import Holdings
from services.trading.portfolio.position import Lot

KEY = "NSE_EQ|INE002A01018"
OLD, NEW = Lot(100, Decimal(500)), Lot(40, Decimal(520))


def two_days_of_buying() -> Holdings:
    holdings = Holdings()
    holdings.settle({}, {KEY: [OLD]})
    holdings.settle({}, {KEY: [NEW]})
    return holdings


def test_shares_are_t1_for_one_trading_day() -> None:
    holdings = two_days_of_buying()
    assert (holdings.settled_quantity(KEY), holdings.quantity(KEY)) == (100, 140)
    holdings.settle({}, {})
    assert holdings.settled_quantity(KEY) == 140


def test_the_oldest_shares_are_delivered_first_and_t1_last() -> None:
    holdings = two_days_of_buying()
    holdings.settle({KEY: 110}, {})
    assert holdings.shares[KEY].settled == [Lot(30, Decimal(520))]


def test_shares_that_are_all_sold_are_no_holding() -> None:
    holdings = two_days_of_buying()
    holdings.settle({KEY: 140}, {})
    assert holdings.shares == {}
    assert (holdings.settled_quantity(KEY), holdings.quantity(KEY)) == (0, 0)
