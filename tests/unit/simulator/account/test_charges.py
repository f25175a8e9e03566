"""Charges depend on instrument, product and side."""

import pytest

from services.simulator.account.charges import Charges, order_charges
from services.simulator.market.instruments import InstrumentType, ListedInstrument
from services.simulator.orders.order import Product, Side

SHARE = ListedInstrument("NSE_EQ|1", "A", "A", 10_000, 5)
OPTION = ListedInstrument("NSE_FO|1", "O", "O", 10_000, 5, instrument_type=InstrumentType.CALL)


@pytest.mark.parametrize(
    ("instrument", "product", "side", "brokerage", "stt", "stamp_duty"),
    [
        (SHARE, Product.D, Side.BUY, 2_000, 14_000, 2_100),
        (SHARE, Product.D, Side.SELL, 2_000, 14_000, 0),
        (SHARE, Product.I, Side.BUY, 2_000, 0, 420),
        (SHARE, Product.I, Side.SELL, 2_000, 3_500, 0),
        (OPTION, Product.D, Side.SELL, 2_000, 14_000, 0),
    ],
)
def test_rates_depend_on_instrument_product_and_side(
    instrument: ListedInstrument,
    product: Product,
    side: Side,
    brokerage: int,
    stt: int,
    stamp_duty: int,
) -> None:
    cost = order_charges(instrument, product, side, 100, 140_000)
    assert (cost.brokerage, cost.stt, cost.stamp_duty) == (brokerage, stt, stamp_duty)
    assert cost.gst == (cost.brokerage + cost.transaction + cost.sebi_turnover) * 18 // 100


def test_the_brokerage_of_a_small_trade_is_a_percentage() -> None:
    assert order_charges(SHARE, Product.I, Side.BUY, 1, 100_000).brokerage == 50


def test_charges_can_be_added() -> None:
    charges = order_charges(SHARE, Product.D, Side.BUY, 10, 140_000)
    assert (charges + charges).total == 2 * charges.total
    assert Charges().total == 0
