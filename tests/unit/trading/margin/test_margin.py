"""Margin estimates, compared with worked examples."""

from decimal import Decimal

import pytest

from services.trading.margin.margin import (
    UnderlyingKind,
    bought_option_margin,
    future_margin,
    share_margin,
    sold_option_margin,
)


@pytest.mark.parametrize(
    ("is_intraday", "is_sale_of_holding", "has_derivatives", "expected"),
    [
        (False, False, True, "100000.00"),
        (True, False, True, "20000.00"),
        (True, False, False, "100000.00"),
        (False, True, True, "0"),
    ],
)
def test_the_margin_of_a_share_depends_on_product_and_holding(
    is_intraday: bool, is_sale_of_holding: bool, has_derivatives: bool, expected: str
) -> None:
    margin = share_margin(
        Decimal(100_000),
        is_intraday=is_intraday,
        is_sale_of_holding=is_sale_of_holding,
        has_derivatives=has_derivatives,
    )
    assert margin == Decimal(expected)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (UnderlyingKind.INDEX, "241800.00"),
        (UnderlyingKind.STOCK, "403000.00"),
        (UnderlyingKind.COMMODITY, "241800.00"),
        (UnderlyingKind.CURRENCY, "80600.00"),
    ],
)
def test_the_margin_of_a_future_is_a_percentage_of_its_value(
    kind: UnderlyingKind, expected: str
) -> None:
    assert future_margin(Decimal(24_800 * 65), kind) == Decimal(expected)


def test_a_bought_option_needs_its_premium() -> None:
    assert bought_option_margin(Decimal(65) * Decimal("100.05")) == Decimal("6503.25")


@pytest.mark.parametrize(
    ("strike", "is_call", "is_expiry_day", "expected"),
    [
        (24_800, True, False, "241800.00"),  # at the money
        (25_800, True, False, "176800.00"),  # 1 000 points out of the money
        (30_000, True, False, "120900.00"),  # far out of the money: the floor
        (23_800, True, False, "241800.00"),  # in the money
        (23_800, False, False, "176800.00"),  # a put, 1 000 points out of the money
        (24_800, False, True, "274040.00"),  # on expiry day, 2 % more
    ],
)
def test_the_margin_of_a_sold_index_option_falls_with_its_distance_to_a_floor(
    strike: int, is_call: bool, is_expiry_day: bool, expected: str
) -> None:
    margin = sold_option_margin(
        underlying_price=Decimal(24_800),
        strike=Decimal(strike),
        is_call=is_call,
        quantity=65,
        kind=UnderlyingKind.INDEX,
        is_expiry_day=is_expiry_day,
    )
    assert margin == Decimal(expected)
