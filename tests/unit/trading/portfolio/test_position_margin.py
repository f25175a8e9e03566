"""The margin of positions of each kind."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest

from services.trading.orders.instrument import OrderInstrument
from services.trading.portfolio.position import Position
from services.trading.portfolio.position_margin import position_margin
from shared.contracts.order_terms import Product, Side
from tests.support.trading_journal import (
    CRUDE_FUTURE,
    DELIVERY_SHARE,
    INDEX_CALL,
    INDEX_FUTURE,
    INTRADAY_SHARE,
    ltp_of,
    no_ltp,
)

DELIVERY, INTRADAY, MTF = Product.DELIVERY, Product.INTRADAY, Product.MTF
TODAY = date(2026, 11, 27)
WITHOUT_DERIVATIVES = msgspec.structs.replace(INTRADAY_SHARE, has_derivatives=False)
PUT = msgspec.structs.replace(INDEX_CALL, is_call=False)


def opened(instrument: OrderInstrument, side: Side, quantity: int, price: int) -> Position:
    position = Position(instrument.multiplier)
    position.fill(side, quantity, Decimal(price))
    return position


@pytest.mark.parametrize(
    ("instrument", "product", "side", "quantity", "price", "margin"),
    [
        (DELIVERY_SHARE, DELIVERY, Side.BUY, 10, 500, 5_000),
        (DELIVERY_SHARE, DELIVERY, Side.SELL, 10, 500, 5_000),
        (DELIVERY_SHARE, MTF, Side.BUY, 10, 500, 5_000),
        (INTRADAY_SHARE, INTRADAY, Side.SELL, 10, 500, 1_000),
        (WITHOUT_DERIVATIVES, INTRADAY, Side.BUY, 10, 500, 5_000),
        (INDEX_FUTURE, INTRADAY, Side.SELL, 65, 24_800, 241_800),
        (CRUDE_FUTURE, DELIVERY, Side.BUY, 1, 6_000, 90_000),
        (INDEX_CALL, DELIVERY, Side.BUY, 65, 100, 6_500),
        (PUT, DELIVERY, Side.SELL, 65, 100, 241_800),
        (INDEX_CALL, DELIVERY, Side.SELL, 65, 200, 243_750),
    ],
)
def test_a_position_blocks_the_margin_of_its_kind(
    instrument: OrderInstrument, product: Product, side: Side, quantity: int, price: int,
    margin: int,
) -> None:  # fmt: skip
    position = opened(instrument, side, quantity, price)
    assert position_margin(instrument, product, position, TODAY, no_ltp) == margin


def test_a_closed_position_blocks_nothing() -> None:
    assert position_margin(INDEX_CALL, DELIVERY, Position(), TODAY, no_ltp) == 0


def test_a_sold_option_is_margined_by_its_underlying() -> None:
    for instrument, beyond in ((INDEX_CALL, 0), (PUT, 200)):
        sold = opened(instrument, Side.SELL, 65, 100)
        margin = position_margin(instrument, DELIVERY, sold, TODAY, ltp_of(25_000))
        assert margin == Decimal(25_000 * 65) * 15 / 100 - beyond * 65


def test_a_sold_index_option_needs_more_on_its_expiry_day() -> None:
    sold = opened(PUT, Side.SELL, 65, 100)
    before = position_margin(PUT, DELIVERY, sold, date(2026, 12, 28), no_ltp)
    on_the_day = position_margin(PUT, DELIVERY, sold, date(2026, 12, 29), no_ltp)
    assert on_the_day - before == Decimal(24_800 * 65) * 2 / 100
