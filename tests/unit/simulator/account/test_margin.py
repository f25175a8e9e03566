"""Margin depends on instrument, product and side."""

import pytest

from services.simulator.account.margin import Margin, required_margin
from services.simulator.market.instruments import InstrumentType, ListedInstrument
from services.simulator.orders.order import Product, Side

SHARE = ListedInstrument("NSE_EQ|1", "A", "A", 10_000, 5)
FUTURE = ListedInstrument(
    "MCX_FO|1", "F", "F", 10_000, 5, instrument_type=InstrumentType.FUTURE, multiplier=10
)
CALL = ListedInstrument(
    "NSE_FO|1",
    "C",
    "C",
    10_000,
    5,
    instrument_type=InstrumentType.CALL,
    strike_paise=100_000,
)


@pytest.mark.parametrize(
    ("instrument", "product", "side", "expected"),
    [
        (SHARE, Product.D, Side.BUY, Margin(equity=2_000)),
        (SHARE, Product.MTF, Side.BUY, Margin(equity=800)),
        (SHARE, Product.I, Side.SELL, Margin(equity=400)),
        (SHARE, Product.CO, Side.BUY, Margin(equity=400)),
        (FUTURE, Product.D, Side.BUY, Margin(span=3_000, exposure=600)),
        (CALL, Product.D, Side.BUY, Margin(premium=2_000)),
        (CALL, Product.D, Side.SELL, Margin(span=30_000, exposure=6_000)),
    ],
)
def test_margin_of_two_at_ten_rupees(
    instrument: ListedInstrument, product: Product, side: Side, expected: Margin
) -> None:
    assert required_margin(instrument, product, side, 2, 1_000) == expected


def test_margin_is_rounded_up_to_a_paisa() -> None:
    assert required_margin(SHARE, Product.I, Side.BUY, 1, 101).equity == 21


def test_margins_are_added_by_kind() -> None:
    total = Margin(equity=1, span=2) + Margin(span=3, exposure=4, premium=5)
    assert total == Margin(1, 5, 4, 5)
    assert total.total == 15
