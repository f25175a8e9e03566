"""Answers about orders have the SDK's field names, and prices in rupees."""

from dataclasses import replace
from typing import Any

import pytest
import upstox_client

from services.simulator.fault_injection.fault_kinds import FaultKind
from services.simulator.orders.gtt import Gtt, GttType, Rule, Strategy, TriggerType
from services.simulator.orders.order import Fill, OrderType, Product, Side
from services.simulator.orders.views import (
    average_rupees,
    gtt_row,
    history_row,
    order_row,
    timestamp,
    trade_row,
    true_order_row,
)
from tests.support.builders import MONDAY_10_00
from tests.support.order_managers import KEY, OrderManagerHarness


def fields_of(model: Any) -> set[str]:
    return set(model.attribute_map.values())


def test_an_order_row_has_the_fields_of_the_sdk(harness: OrderManagerHarness) -> None:
    order = harness.place(Side.BUY, 15, price=10_005, tag="mine")
    row = order_row(harness.latest(order), harness.state.instrument)
    assert set(row) == fields_of(upstox_client.OrderBookData)
    assert (row["price"], row["average_price"]) == (100.05, 100.0167)
    assert (row["filled_quantity"], row["pending_quantity"], row["status"]) == (15, 0, "complete")
    assert (row["tag"], row["status_message"], row["variety"]) == ("mine", None, "SIMPLE")
    assert row["order_timestamp"] == "2026-11-23 10:00:00"


def test_an_order_shown_as_complete_has_no_exchange_order_id(harness: OrderManagerHarness) -> None:
    harness.arm(FaultKind.EARLY_COMPLETE)
    order = harness.place(quantity=3)
    row = order_row(order, harness.state.instrument)
    assert (row["status"], row["filled_quantity"], row["pending_quantity"]) == ("complete", 3, 0)
    assert (row["average_price"], row["exchange_order_id"]) == (99.9, None)
    true = true_order_row(order, harness.state.instrument)
    assert (true["status"], true["filled_quantity"]) == ("validation pending", 0)
    assert true["pending_quantity"] == 3


def test_a_rejected_order_has_its_reason_and_no_exchange_timestamp(
    harness: OrderManagerHarness,
) -> None:
    row = order_row(harness.place(quantity=1_001), harness.state.instrument)
    assert "freeze quantity" in row["status_message"]
    assert row["status_message_raw"] == row["status_message"]
    assert (row["exchange_order_id"], row["exchange_timestamp"]) == (None, None)


def test_a_history_row_has_the_fields_of_the_sdk(harness: OrderManagerHarness) -> None:
    row = history_row(harness.place(), harness.state.instrument)
    assert set(row) == fields_of(upstox_client.OrderData)


def test_a_trade_row_has_the_fields_of_the_sdk(harness: OrderManagerHarness) -> None:
    harness.place(Side.SELL, 5, OrderType.MARKET)
    [fill] = harness.fills
    row = trade_row(fill, harness.state.instrument)
    assert set(row) == fields_of(upstox_client.TradeData)
    assert (row["quantity"], row["average_price"], row["trade_id"]) == (5, 99.95, fill.trade_id)
    later = Fill(fill.trade_id, fill.order, 1, 1, MONDAY_10_00 + 1_000)
    assert trade_row(later, harness.state.instrument)["exchange_timestamp"] == timestamp(
        MONDAY_10_00 + 1_000
    )


def test_a_gtt_row_has_times_in_microseconds(harness: OrderManagerHarness) -> None:
    rules = [
        Rule(Strategy.ENTRY, TriggerType.BELOW, 9_900),
        Rule(Strategy.STOPLOSS, TriggerType.IMMEDIATE, 9_800, trailing_gap_paise=50),
    ]
    gtt = Gtt("G", "U", GttType.MULTIPLE, KEY, Side.BUY, Product.I, 5, rules, MONDAY_10_00)
    row = gtt_row(gtt, harness.state)
    assert row["created_at"] == MONDAY_10_00 * 1_000
    assert row["expires_at"] - row["created_at"] == 365 * 86_400 * 1_000_000
    assert [rule["transaction_type"] for rule in row["rules"]] == ["BUY", "SELL"]
    assert [rule["trailing_gap"] for rule in row["rules"]] == [None, 0.5]
    assert set(row["rules"][0]) == fields_of(upstox_client.GttRule) - {"market_protection"} | {
        "status",
        "message",
        "transaction_type",
        "order_id",
    }


@pytest.mark.parametrize(
    ("paise", "quantity", "rupees"), [(0, 0, 0.0), (30_001, 3, 100.0033), (10_000, 1, 100.0)]
)
def test_the_average_price_is_rounded_to_four_digits(
    paise: int, quantity: int, rupees: float
) -> None:
    assert average_rupees(paise, quantity) == rupees


def test_an_after_market_order_has_its_variety(harness: OrderManagerHarness) -> None:
    order = replace(harness.place(), is_amo=True)
    assert order_row(order, harness.state.instrument)["variety"] == "AMO"
