"""Positions by instrument and product, and what the holdings deliver of them."""

from decimal import Decimal

import pytest

from services.trading.orders.instrument import OrderInstrument
from services.trading.portfolio.holdings import Holdings
from services.trading.portfolio.position import Lot
from services.trading.portfolio.position_book import PositionBook
from shared.contracts.order_terms import Product, Side
from tests.support.trading_journal import DELIVERY_SHARE, INDEX_FUTURE, INTRADAY_SHARE

KEY = DELIVERY_SHARE.key
DELIVERY, INTRADAY, MTF = Product.DELIVERY, Product.INTRADAY, Product.MTF


def test_products_of_one_instrument_have_positions_of_their_own() -> None:
    book = PositionBook()
    book.fill(DELIVERY_SHARE, DELIVERY, Side.BUY, 10, Decimal(500))
    book.fill(INTRADAY_SHARE, INTRADAY, Side.SELL, 4, Decimal(500))
    assert [book.quantity(KEY, product) for product in (DELIVERY, INTRADAY, MTF)] == [10, -4, 0]
    assert book.find(KEY, MTF) is None


@pytest.mark.parametrize(
    ("held", "covered", "exposed"), [(0, 0, -30), (10, 10, -20), (30, 30, 0), (50, 30, 0)]
)
def test_holdings_deliver_a_sale_and_the_rest_is_exposed(
    held: int, covered: int, exposed: int
) -> None:
    holdings = Holdings()
    holdings.settle({}, {KEY: [Lot(held, Decimal(400))]} if held else {})
    book = PositionBook()
    book.fill(DELIVERY_SHARE, DELIVERY, Side.SELL, 10, Decimal(500))
    booked = book.fill(DELIVERY_SHARE, DELIVERY, Side.SELL, 20, Decimal(510))
    assert booked.quantity_from(holdings) == covered
    assert booked.exposure(holdings).quantity == exposed
    assert booked.position.quantity == -30


@pytest.mark.parametrize(
    ("instrument", "product"),
    [(INTRADAY_SHARE, INTRADAY), (DELIVERY_SHARE, MTF), (INDEX_FUTURE, DELIVERY)],
)
def test_holdings_deliver_no_other_sale(instrument: OrderInstrument, product: Product) -> None:
    holdings = Holdings()
    holdings.settle({}, {instrument.key: [Lot(100, Decimal(400))]})
    booked = PositionBook().fill(instrument, product, Side.SELL, 10, Decimal(500))
    assert booked.quantity_from(holdings) == 0
    assert booked.exposure(holdings) is booked.position


def test_the_next_day_begins_with_the_open_positions_only() -> None:
    book = PositionBook()
    book.fill(INTRADAY_SHARE, INTRADAY, Side.BUY, 10, Decimal(500))
    book.fill(INTRADAY_SHARE, INTRADAY, Side.SELL, 10, Decimal(510))
    book.fill(INDEX_FUTURE, DELIVERY, Side.SELL, 65, Decimal(24_800))
    book.start_day()
    (booked,) = book.booked.values()
    assert (booked.instrument, booked.position.quantity) == (INDEX_FUTURE, -65)
    assert booked.position.sell_quantity == 0


def test_a_trade_after_a_settlement_is_of_a_position_that_is_not_settled() -> None:
    book = PositionBook()
    booked = book.fill(INDEX_FUTURE, DELIVERY, Side.BUY, 65, Decimal(24_800))
    booked.settled_price = Decimal(24_850)
    assert book.fill(INDEX_FUTURE, DELIVERY, Side.BUY, 65, Decimal(24_900)).settled_price is None
