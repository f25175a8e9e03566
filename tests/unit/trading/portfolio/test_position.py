"""Positions by first in, first out, compared with a second computation from cash flows."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from services.trading.portfolio.position import Position
from shared.contracts.order_terms import Side


def test_the_oldest_lot_is_closed_first() -> None:
    position = Position()
    position.fill(Side.BUY, 100, Decimal(500))
    position.fill(Side.BUY, 100, Decimal(510))
    position.fill(Side.SELL, 150, Decimal(520))
    assert position.realised == Decimal(100 * 20 + 50 * 10)
    assert (position.quantity, position.average_price) == (50, Decimal(510))
    assert position.unrealised(Decimal(515)) == Decimal(250)


def test_a_sale_beyond_the_position_opens_a_short_one() -> None:
    position = Position()
    position.fill(Side.BUY, 10, Decimal(100))
    position.fill(Side.SELL, 25, Decimal("101.05"))
    assert position.realised == Decimal("10.50")
    assert (position.quantity, position.average_price) == (-15, Decimal("101.05"))
    assert position.unrealised(Decimal("100.05")) == Decimal(15)


def test_an_empty_position_has_no_average_price() -> None:
    assert (Position().quantity, Position().average_price) == (0, None)


TRADES = st.lists(
    st.tuples(
        st.sampled_from(Side),
        st.integers(1, 500),
        st.integers(1, 100_000).map(lambda paise: Decimal(paise) / 100),
    ),
    max_size=30,
)


@given(TRADES, st.integers(1, 100_000))
def test_profits_equal_the_cash_flow_and_the_value_of_the_net_quantity(
    trades: list[tuple[Side, int, Decimal]], ltp_paise: int
) -> None:
    ltp = Decimal(ltp_paise) / 100
    position = Position()
    cash, net = Decimal(0), 0
    for side, quantity, price in trades:
        position.fill(side, quantity, price)
        sign = 1 if side is Side.BUY else -1
        cash -= sign * quantity * price
        net += sign * quantity
    assert position.quantity == net
    assert position.realised + position.unrealised(ltp) == cash + net * ltp
    assert position.buy_quantity - position.sell_quantity == net
    assert position.sell_value - position.buy_value == cash
