"""The limit of a protected order, on a tick."""

from decimal import Decimal

import pytest

from services.trading.paper.resting_order import RestingOrder
from shared.contracts.order_terms import (
    Account,
    OrderType,
    Prices,
    Product,
    Side,
    Terms,
    Validity,
)


def order(side: Side) -> RestingOrder:
    prices = Prices(quantity=1, order_type=OrderType.MARKET, validity=Validity.DAY)
    terms = Terms(
        account=Account.PAPER, key="NSE_EQ|X", side=side, product=Product.DELIVERY, prices=prices
    )
    return RestingOrder("o1", terms, 0, Decimal("0.05"), Decimal(1), 1)


@pytest.mark.parametrize(
    ("side", "reference", "limit"),
    [
        (Side.BUY, "100", "101.00"),
        (Side.SELL, "100", "99.00"),
        (Side.BUY, "100.33", "101.30"),  # 101.3333, down to the tick
        (Side.SELL, "100.33", "99.35"),  # 99.3267, up to the tick
    ],
)
def test_a_protected_limit_is_on_a_tick_and_never_beyond_the_protection(
    side: Side, reference: str, limit: str
) -> None:
    assert order(side).protected_limit(Decimal(reference)) == Decimal(limit)


def test_a_price_passes_a_limit_only_beyond_it() -> None:
    buy = order(Side.BUY)
    buy.activate(Decimal(100))
    assert not buy.is_passed_by(Decimal(101))
    assert buy.is_passed_by(Decimal("100.95"))
