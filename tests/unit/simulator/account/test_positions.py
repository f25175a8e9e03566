"""Realised and unrealised profit of positions."""

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.account.positions import Position, Positions
from services.simulator.orders.order import Product, Side

trades = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(1, 100_000), st.integers(1, 500)), max_size=20
)


def position(*trades: tuple[Side, int, int], multiplier: int = 1) -> Position:
    held = Position("K", Product.I, multiplier)
    for side, price, quantity in trades:
        held.add(side, price, quantity)
    return held


def test_a_long_position_realises_its_sales_against_the_average_price() -> None:
    held = position((Side.BUY, 100, 10), (Side.BUY, 200, 10), (Side.SELL, 180, 5))
    assert (held.quantity, held.open_paise) == (15, 2_250)
    assert held.realised_paise == 5 * (180 - 150)
    assert held.unrealised_paise(160) == 15 * (160 - 150)


def test_a_short_position_gains_when_the_price_falls() -> None:
    held = position((Side.SELL, 200, 10), (Side.BUY, 150, 4))
    assert (held.quantity, held.realised_paise) == (-6, 200)
    assert held.unrealised_paise(190) == 60


def test_the_value_of_a_commodity_includes_its_multiplier() -> None:
    held = position((Side.BUY, 100, 2), multiplier=10)
    assert held.open_paise == 2_000
    assert held.unrealised_paise(101) == 20


def test_a_long_overnight_quantity_counts_as_bought() -> None:
    held = Position("K", Product.D, overnight_quantity=10, overnight_paise=1_000)
    held.add(Side.SELL, 120, 10)
    assert (held.quantity, held.realised_paise) == (0, 200)


def test_a_converted_quantity_keeps_its_average_price() -> None:
    positions = Positions()
    old = positions.of("K", Product.I, 1)
    old.add(Side.BUY, 100, 10)
    positions.convert(old, Product.D, Side.BUY, 4)
    new = positions.of("K", Product.D, 1)
    assert (old.quantity, old.open_paise, new.quantity, new.open_paise) == (6, 600, 4, 400)


@given(trades, st.integers(1, 100_000))
def test_the_total_profit_is_the_cash_flow_plus_the_value_of_the_open_quantity(
    script: list[tuple[Side, int, int]], ltp: int
) -> None:
    held = position(*script)
    flow = -sum(side.sign * price * quantity for side, price, quantity in script)
    assert held.realised_paise + held.unrealised_paise(ltp) == flow + held.quantity * ltp
