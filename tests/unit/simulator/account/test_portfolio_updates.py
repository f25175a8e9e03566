"""Each change of an order, a fill or a GTT order creates its updates."""

import json
from typing import Any

import pytest

from services.simulator.account.portfolio_updates import PortfolioUpdate, PortfolioUpdates
from services.simulator.orders.gtt import Gtt, GttType, Rule, Strategy, TriggerType
from services.simulator.orders.order import OrderType, Product, Side
from tests.support.order_managers import KEY, USER, OrderManagerHarness


class Recorder:
    """Records the published updates."""

    def __init__(self, harness: OrderManagerHarness) -> None:
        self.updates: list[PortfolioUpdate] = []
        self.source = PortfolioUpdates(harness.accounts, harness.states, self.updates.append)
        harness.order_manager.on_order.append(self.source.on_order)
        harness.order_manager.on_fill.append(self.source.on_fill)

    def of_type(self, update_type: str) -> list[Any]:
        messages = [json.loads(update.text) for update in self.updates]
        return [each for each in messages if each["update_type"] == update_type]


@pytest.fixture
def recorder(harness: OrderManagerHarness) -> Recorder:
    return Recorder(harness)


def test_each_version_of_an_order_is_published(
    harness: OrderManagerHarness, recorder: Recorder
) -> None:
    order = harness.place()
    orders = recorder.of_type("order")
    assert [each["status"] for each in orders] == harness.statuses(order)
    assert {(each["user_id"], each["userId"]) for each in orders} == {(USER, USER)}
    assert {each["instrument_key"] for each in orders} == {KEY}
    assert {update.user_id for update in recorder.updates} == {USER}


def test_a_fill_publishes_its_position_without_market_prices(
    harness: OrderManagerHarness, recorder: Recorder
) -> None:
    harness.place(Side.BUY, 5, OrderType.MARKET)
    [position] = recorder.of_type("position")
    assert (position["exchange"], position["quantity"]) == ("NSE_EQ", 5)
    assert not {"last_price", "pnl"} & set(position)
    assert recorder.of_type("holding") == []


def test_a_delivery_sale_also_publishes_the_holding(
    harness: OrderManagerHarness, recorder: Recorder
) -> None:
    harness.place(Side.SELL, 5, OrderType.MARKET, product=Product.D)
    [holding] = recorder.of_type("holding")
    assert (holding["cnc_used_quantity"], holding["isin"]) == (5, None)


def test_a_gtt_order_is_published(recorder: Recorder) -> None:
    rule = Rule(Strategy.ENTRY, TriggerType.BELOW, 9_900)
    gtt = Gtt("G", USER, GttType.SINGLE, KEY, Side.BUY, Product.I, 1, [rule], 0)
    recorder.source.on_gtt(gtt)
    [message] = recorder.of_type("gtt_order")
    assert (message["gtt_order_id"], message["rules"][0]["status"]) == ("G", "PENDING")
