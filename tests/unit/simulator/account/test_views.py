"""Answers about accounts have the SDK's field names, and amounts in rupees."""

from typing import Any

import upstox_client

from services.simulator.account.account import Funds
from services.simulator.account.charges import Charges
from services.simulator.account.holdings import Holding
from services.simulator.account.margin import Margin
from services.simulator.account.positions import Position
from services.simulator.account.views import (
    charges_view,
    funds_v2,
    funds_v3,
    holding_base,
    holding_row,
    margin_view,
    position_base,
    position_row,
)
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.state import SimulatedState
from services.simulator.orders.order import Product, Side

FUNDS = Funds(
    opening=100_000,
    stock_sale=5_000,
    used=Margin(equity=20_000, span=3_000, exposure=1_000, premium=500),
    realised=-2_000,
    unrealised=0,
)


def state() -> SimulatedState:
    share = ListedInstrument("NSE_EQ|X", "X", "X Limited", 10_000, 5, isin="X")
    state = SimulatedState(share, None)
    state.ltp_paise = 10_500
    return state


def fields_of(model: Any) -> set[str]:
    return set(model.attribute_map.values())


def test_funds_v2_has_all_funds_in_equity() -> None:
    data = funds_v2(FUNDS)
    equity = data["equity"]
    assert set(equity) == fields_of(upstox_client.UserFundMarginData)
    assert equity["used_margin"] == 265.0  # margin and realised loss
    assert (equity["span_margin"], equity["exposure_margin"]) == (30.0, 10.0)
    assert equity["available_margin"] == FUNDS.available / 100 == 785.0
    assert set(data["commodity"].values()) == {0.0}


def test_funds_v3_parts_add_up_to_the_available_total() -> None:
    available = funds_v3(FUNDS)["available_to_trade"]["cash_available_to_trade"]
    used, cash = available["margin_used"], available["cash"]
    parts = ("span_exposure", "cash_margin_var_elm", "premium_present")
    assert used["total"] == sum(used[part] for part in parts) + used["loss"]["total"]
    assert available["total"] == (
        cash["opening_balance"] + cash["amount_from_stock_sale"] - used["total"]
    )


def test_funds_v3_reports_a_profit_as_unsettled() -> None:
    funds = Funds(opening=100_000, stock_sale=0, used=Margin(), realised=2_000, unrealised=0)
    unavailable = funds_v3(funds)["unavailable_to_trade"]["cash_unavailable_to_trade"]
    assert unavailable["unsettled_profit"]["todays_profit"] == 20.0


def test_a_position_row_has_prices_and_profit_in_addition_to_the_base() -> None:
    position = Position("NSE_EQ|X", Product.I)
    position.add(Side.BUY, 10_000, 10)
    position.add(Side.SELL, 10_200, 4)
    row = position_row(position, state())
    base = position_base(position, state())
    assert set(row) == fields_of(upstox_client.PositionData)
    assert set(row) - set(base) == {"pnl", "realised", "unrealised", "last_price", "close_price"}
    assert (row["quantity"], row["average_price"]) == (6, 100.0)
    assert (row["realised"], row["unrealised"], row["pnl"]) == (8.0, 30.0, 38.0)


def test_the_prices_of_a_commodity_position_exclude_its_multiplier() -> None:
    position = Position("MCX_FO|1", Product.D, multiplier=100)
    position.add(Side.SELL, 50_000, 2)
    row = position_base(position, state())
    assert (row["average_price"], row["sell_price"], row["sell_value"]) == (500.0, 500.0, 100_000.0)


def test_a_short_overnight_position_is_reported_as_sold() -> None:
    position = Position("K", Product.D, overnight_quantity=-10, overnight_paise=-1_000)
    row = position_base(position, state())
    assert (row["overnight_sell_quantity"], row["overnight_sell_amount"]) == (10, 10.0)
    assert (row["overnight_buy_quantity"], row["overnight_buy_amount"]) == (0, 0.0)


def test_a_holding_row_has_prices_and_profit_in_addition_to_the_base() -> None:
    holding = Holding("NSE_EQ|X", 8, 100_000, t1_quantity=2)
    row = holding_row(holding, state())
    assert set(row) == fields_of(upstox_client.HoldingsData)
    assert "last_price" not in holding_base(holding, state())
    assert (row["average_price"], row["pnl"]) == (100.0, 50.0)
    assert (row["day_change"], row["day_change_percentage"]) == (5.0, 5.0)


def test_charges_are_reported_in_rupees() -> None:
    charges = Charges(100, 20, 30, 40, 50, 60)
    view = charges_view(charges)["charges"]
    assert view["total"] == 3.0
    assert view["taxes"] == {"gst": 0.2, "stt": 0.3, "stamp_duty": 0.4}


def test_the_required_margin_is_the_sum_of_all_orders() -> None:
    view = margin_view([Margin(equity=100), Margin(span=30, exposure=10)])
    assert [row["total_margin"] for row in view["margins"]] == [1.0, 0.4]
    assert view["required_margin"] == view["final_margin"] == 1.4
