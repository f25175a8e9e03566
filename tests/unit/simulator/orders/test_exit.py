"""Positions are closed at the market, all or the chosen ones."""

import pytest

from services.simulator.orders.exit import PositionExit
from services.simulator.orders.order import OrderType, Product, Side
from tests.support.order_managers import KEY, USER, OrderManagerHarness


@pytest.fixture
def exits(stage: OrderManagerHarness) -> PositionExit:
    return PositionExit(stage.order_manager, stage.accounts, stage.states)


def buy(stage: OrderManagerHarness, product: Product, tag: str | None = None) -> None:
    stage.place(Side.BUY, 5, OrderType.MARKET, product=product, tag=tag)
    stage.quiet()


def test_everything_is_closed(stage: OrderManagerHarness, exits: PositionExit) -> None:
    buy(stage, Product.I)
    buy(stage, Product.D)
    outcome = exits.exit(USER, stage.now_ms, tag=None, segment=None)
    assert (outcome.status, outcome.total) == ("success", 2)
    assert stage.account.positions.quantity(KEY, Product.I) == 0
    assert stage.account.positions.quantity(KEY, Product.D) == 0


def test_only_what_the_tag_opened_is_closed(
    stage: OrderManagerHarness, exits: PositionExit
) -> None:
    buy(stage, Product.I, tag="mine")
    buy(stage, Product.D)
    exits.exit(USER, stage.now_ms, tag="mine", segment=None)
    assert stage.account.positions.quantity(KEY, Product.I) == 0
    assert stage.account.positions.quantity(KEY, Product.D) == 5


def test_other_segments_stay_open(stage: OrderManagerHarness, exits: PositionExit) -> None:
    buy(stage, Product.I)
    assert exits.exit(USER, stage.now_ms, tag=None, segment="NSE_FO").total == 0
    assert exits.exit(USER, stage.now_ms, tag=None, segment="NSE_EQ").total == 1


def test_shares_sold_short_by_a_cover_order_are_bought_back(
    stage: OrderManagerHarness, exits: PositionExit
) -> None:
    stage.place(Side.SELL, 5, OrderType.MARKET, product=Product.CO)
    stage.quiet()
    assert exits.exit(USER, stage.now_ms, tag=None, segment=None).total == 1
    assert stage.account.positions.quantity(KEY, Product.CO) == 0


def test_shares_sold_out_of_holdings_are_not_bought_back(
    stage: OrderManagerHarness, exits: PositionExit
) -> None:
    stage.place(Side.SELL, 5, OrderType.MARKET, product=Product.D)
    assert exits.exit(USER, stage.now_ms, tag=None, segment=None).total == 0
