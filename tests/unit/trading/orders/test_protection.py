"""The market protection of orders."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.trading.orders.protection import automatic_protection_percent, protected_price
from shared.contracts.order_terms import Side


@pytest.mark.parametrize(
    ("reference", "is_option", "percent"),
    [
        ("49.95", False, "3"),
        ("50", False, "2"),
        ("500", False, "1"),
        ("9999.95", False, "1"),
        ("10000", False, "0.5"),
        ("4.95", True, "15"),
        ("5", True, "10"),
        ("10", True, "5"),
    ],
)
def test_the_automatic_protection_falls_with_the_price(
    reference: str, is_option: bool, percent: str
) -> None:
    result = automatic_protection_percent(Decimal(reference), is_option=is_option)
    assert result == Decimal(percent)


@pytest.mark.parametrize(
    ("side", "percent", "price"),
    [
        (Side.BUY, "1", "101.00"),
        (Side.BUY, "0.33", "100.30"),
        (Side.SELL, "1", "99.00"),
        (Side.SELL, "0.33", "99.70"),
    ],
)
def test_the_protected_price_is_on_the_last_tick_within_the_protection(
    side: Side, percent: str, price: str
) -> None:
    result = protected_price(side, Decimal(100), Decimal(percent), Decimal("0.05"))
    assert result == Decimal(price)


@given(
    st.sampled_from(Side),
    st.decimals(1, 100_000, places=2),
    st.decimals("0.01", 10, places=2),
    st.sampled_from([Decimal("0.01"), Decimal("0.05"), Decimal(1)]),
)
def test_the_protected_price_is_never_beyond_the_protection(
    side: Side, reference: Decimal, percent: Decimal, tick: Decimal
) -> None:
    price = protected_price(side, reference, percent, tick)
    assert price % tick == 0
    farthest = reference * percent / 100
    assert price <= reference + farthest if side is Side.BUY else price >= reference - farthest
