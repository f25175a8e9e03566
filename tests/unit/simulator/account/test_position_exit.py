"""Positions are closed with market orders: all, or those of a tag or a segment."""

import pytest

from services.simulator.account.position_exit import PositionExit
from services.simulator.errors import ApiError
from services.simulator.orders.order import OrderType, Product, Side
from tests.support.order_managers import KEY, USER, OrderManagerHarness


@pytest.fixture
def position_exit(harness: OrderManagerHarness) -> PositionExit:
    return PositionExit(harness.order_manager, harness.accounts, harness.states, harness.calendar)


def buy(harness: OrderManagerHarness, product: Product, tag: str | None = None) -> None:
    harness.place(Side.BUY, 5, OrderType.MARKET, product=product, tag=tag)
    harness.advance()


def test_all_open_positions_are_closed(
    harness: OrderManagerHarness, position_exit: PositionExit
) -> None:
    buy(harness, Product.I)
    buy(harness, Product.D)
    result = position_exit.exit(USER, harness.now_ms, tag=None, segment=None)
    assert (result.status, result.total) == ("success", 2)
    assert harness.account.positions.quantity(KEY, Product.I) == 0
    assert harness.account.positions.quantity(KEY, Product.D) == 0


def test_with_a_tag_only_its_positions_are_closed(
    harness: OrderManagerHarness, position_exit: PositionExit
) -> None:
    buy(harness, Product.I, tag="mine")
    buy(harness, Product.D)
    position_exit.exit(USER, harness.now_ms, tag="mine", segment=None)
    assert harness.account.positions.quantity(KEY, Product.I) == 0
    assert harness.account.positions.quantity(KEY, Product.D) == 5


def test_with_a_segment_only_its_positions_are_closed(
    harness: OrderManagerHarness, position_exit: PositionExit
) -> None:
    buy(harness, Product.I)
    with pytest.raises(ApiError) as error:
        position_exit.exit(USER, harness.now_ms, tag=None, segment="NSE_FO")
    assert error.value.code == "UDAPI1111"
    assert position_exit.exit(USER, harness.now_ms, tag=None, segment="NSE_EQ").total == 1


def test_positions_cannot_be_closed_after_market_hours(
    harness: OrderManagerHarness, position_exit: PositionExit
) -> None:
    buy(harness, Product.D)
    harness.advance(harness.now_ms + 7 * 3_600_000)
    with pytest.raises(ApiError) as error:
        position_exit.exit(USER, harness.now_ms, tag=None, segment=None)
    assert error.value.code == "UDAPI1113"
    assert harness.account.positions.quantity(KEY, Product.D) == 5


def test_a_short_position_of_a_cover_order_is_closed(
    harness: OrderManagerHarness, position_exit: PositionExit
) -> None:
    harness.place(Side.SELL, 5, OrderType.MARKET, product=Product.CO)
    harness.advance()
    assert position_exit.exit(USER, harness.now_ms, tag=None, segment=None).total == 1
    assert harness.account.positions.quantity(KEY, Product.CO) == 0


def test_shares_sold_from_the_holdings_are_no_open_position(
    harness: OrderManagerHarness, position_exit: PositionExit
) -> None:
    harness.place(Side.SELL, 5, OrderType.MARKET, product=Product.D)
    with pytest.raises(ApiError) as error:
        position_exit.exit(USER, harness.now_ms, tag=None, segment=None)
    assert error.value.code == "UDAPI1111"
