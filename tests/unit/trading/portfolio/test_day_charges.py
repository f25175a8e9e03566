"""The charges of a day, compared with legs that were worked out by hand."""

from decimal import Decimal

import pytest

from services.trading.orders.instrument import OrderInstrument
from shared.contracts.order_terms import Product, Side
from tests.support.trading_journal import (
    CRUDE_FUTURE,
    DELIVERY_SHARE,
    INDEX_CALL,
    INDEX_FUTURE,
    INTRADAY_SHARE,
    Journal,
    no_ltp,
    with_holding,
)

DELIVERY, INTRADAY, MTF = Product.DELIVERY, Product.INTRADAY, Product.MTF
BUY, SELL = Side.BUY, Side.SELL


@pytest.mark.parametrize(
    ("instrument", "product", "side", "quantity", "price", "charges"),
    [
        (DELIVERY_SHARE, DELIVERY, BUY, 100, 500, "82.98"),
        (INTRADAY_SHARE, INTRADAY, BUY, 400, 1000, "50.56"),
        (INTRADAY_SHARE, INTRADAY, SELL, 400, 1100, "150.06"),
        (INDEX_FUTURE, DELIVERY, BUY, 65, 24800, "92.55"),
        (INDEX_FUTURE, DELIVERY, SELL, 65, 24900, "869.46"),
        (INDEX_CALL, DELIVERY, BUY, 65, 100, "26.54"),
        (INDEX_CALL, DELIVERY, SELL, 65, 120, "38.88"),
        (CRUDE_FUTURE, DELIVERY, SELL, 1, 6040, "99.27"),
    ],
)
def test_a_worked_leg_costs_its_charges(
    instrument: OrderInstrument, product: Product, side: Side, quantity: int, price: int,
    charges: str,
) -> None:  # fmt: skip
    journal = Journal()
    order_id = journal.trade(instrument, side, quantity, price, product)
    account = journal.account
    assert account.charges() == Decimal(charges)
    assert account.order_view(account.orders[order_id]).charges == Decimal(charges)
    assert account.funds(no_ltp).charges == Decimal(charges)


def test_the_worked_sale_from_the_demat_account_bears_the_dp_charge_once_a_day() -> None:
    journal = with_holding(200)
    journal.trade(DELIVERY_SHARE, SELL, 100, 520)
    assert journal.account.charges() == Decimal("99.37")
    journal.trade(DELIVERY_SHARE, SELL, 100, 520)
    without_dp = Decimal("99.37") - Decimal("18.50") - Decimal("3.33")
    assert journal.account.charges() == Decimal("99.37") + without_dp


def test_charges_are_those_of_the_order_and_not_of_each_fill() -> None:
    journal = Journal()
    order_id = journal.place(DELIVERY_SHARE, BUY, 100)
    for _ in range(4):
        journal.fill(order_id, 25, 500)
    assert journal.account.charges() == Decimal("82.98")
