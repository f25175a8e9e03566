"""The margin of orders by instrument, side and product."""

from decimal import Decimal

import msgspec
import pytest

from services.trading.orders.instrument import OrderInstrument
from services.trading.risk.order_margin import order_margin
from shared.contracts.order_terms import Product, Side
from tests.support.proposals import CALL, CRUDE, FUTURE, SHARE

WITH_DERIVATIVES = msgspec.structs.replace(SHARE, has_derivatives=True)
PUT = msgspec.structs.replace(CALL, type="PE", is_call=False)
BUY, SELL = Side.BUY, Side.SELL


def margin(
    instrument: OrderInstrument,
    side: Side,
    quantity: int,
    price: int,
    product: Product = Product.DELIVERY,
    underlying: int | None = None,
    day: str = "2026-11-27",
) -> Decimal:
    return order_margin(
        instrument,
        side=side,
        product=product,
        opening_quantity=quantity,
        price=Decimal(price),
        underlying_price=None if underlying is None else Decimal(underlying),
        day=day,
    )


@pytest.mark.parametrize(
    ("instrument", "product", "expected"),
    [
        (SHARE, Product.DELIVERY, 50_000),
        (SHARE, Product.MTF, 50_000),
        (SHARE, Product.INTRADAY, 50_000),
        (WITH_DERIVATIVES, Product.INTRADAY, 10_000),
        (WITH_DERIVATIVES, Product.DELIVERY, 50_000),
    ],
)
def test_a_share_has_leverage_intraday_if_it_has_derivatives(
    instrument: OrderInstrument, product: Product, expected: int
) -> None:
    assert margin(instrument, BUY, 100, 500, product) == expected


def test_a_future_needs_the_same_margin_on_both_sides() -> None:
    assert margin(FUTURE, BUY, 65, 24_800) == margin(FUTURE, SELL, 65, 24_800) == 241_800
    assert margin(CRUDE, BUY, 1, 6_000) == 90_000


def test_a_bought_option_needs_its_premium() -> None:
    assert margin(CALL, BUY, 65, 100) == 6_500


@pytest.mark.parametrize(
    ("instrument", "underlying", "day", "expected"),
    [
        (CALL, 24_800, "2026-11-27", 241_800),
        (CALL, 24_800, "2026-12-29", 274_040),
        (CALL, 23_800, "2026-11-27", "167050"),
        (PUT, 25_800, "2026-11-27", "186550"),
        (CALL, None, "2026-11-27", "242775"),  # as if the underlying were at 24 900
        (PUT, None, "2026-11-27", 241_800),
    ],
)
def test_a_sold_option_needs_a_percentage_of_its_underlying(
    instrument: OrderInstrument, underlying: int | None, day: str, expected: int | str
) -> None:
    result = margin(instrument, SELL, 65, 100, underlying=underlying, day=day)
    assert result == Decimal(expected)


def test_closing_a_position_needs_no_margin() -> None:
    assert margin(CALL, SELL, 0, 100) == 0
