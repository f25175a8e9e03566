"""Charges follow their rates, and the state takes more of a delivery."""

import pytest

from services.simulator.account.charges import Charges, charges
from services.simulator.market.instruments import Kind, ListedInstrument
from services.simulator.orders.order import Product, Side

SHARE = ListedInstrument("NSE_EQ|1", "A", "A", 10_000, 5)
OPTION = ListedInstrument("NSE_FO|1", "O", "O", 10_000, 5, kind=Kind.CALL)


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
def test_rates_depend_on_what_is_traded(
    instrument: ListedInstrument,
    product: Product,
    side: Side,
    brokerage: int,
    stt: int,
    stamp_duty: int,
) -> None:
    cost = charges(instrument, product, side, 100, 140_000)
    assert (cost.brokerage, cost.stt, cost.stamp_duty) == (brokerage, stt, stamp_duty)
    assert cost.gst == (cost.brokerage + cost.transaction + cost.sebi_turnover) * 18 // 100


def test_brokerage_of_a_small_trade_is_a_part_of_it() -> None:
    assert charges(SHARE, Product.I, Side.BUY, 1, 100_000).brokerage == 50


def test_charges_add_up() -> None:
    one = charges(SHARE, Product.D, Side.BUY, 10, 140_000)
    assert (one + one).total == 2 * one.total
    assert Charges().total == 0
