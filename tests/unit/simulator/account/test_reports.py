"""Profit is told by pairs: what was bought first is sold first."""

import pytest

from services.simulator.account.report_routes import pair_row, trade_row
from services.simulator.account.reports import Lot, Pair, chosen, pairs, report_segment
from services.simulator.market.instruments import Kind, ListedInstrument
from services.simulator.orders.order import Fill, Order, OrderRequest, OrderType, Product, Side
from shared.market.exchange_time import DAY_MS, ist_date
from tests.support.builders import MONDAY_10_00
from tests.support.order_managers import KEY, OrderManagerHarness


def fill(side: Side, quantity: int, price: int, day: int = 0, user_id: str = "U") -> Fill:
    request = OrderRequest(KEY, side, quantity, Product.I, OrderType.MARKET)
    return Fill(
        "1", Order("1", user_id, request, 0, 0), price, quantity, MONDAY_10_00 + day * DAY_MS
    )


def test_first_bought_is_first_sold() -> None:
    fills = [
        fill(Side.BUY, 10, 100),
        fill(Side.BUY, 10, 200, day=1),
        fill(Side.SELL, 15, 300, day=2),
    ]
    found = list(pairs(fills, OrderManagerHarness().states))
    assert [(pair.quantity, pair.buy.price_paise) for pair in found] == [(10, 100), (5, 200)]
    assert {pair.sell.price_paise for pair in found} == {300}


def test_what_was_sold_first_is_paired_as_well() -> None:
    fills = [fill(Side.SELL, 10, 300), fill(Side.BUY, 4, 100), fill(Side.SELL, 1, 50)]
    [pair] = pairs(fills, OrderManagerHarness().states)
    assert (pair.quantity, pair.buy.price_paise, pair.sell.price_paise) == (4, 100, 300)


def test_fills_are_chosen_by_user_segment_and_day() -> None:
    first = fill(Side.BUY, 1, 100).at_ms
    fills = [
        fill(Side.BUY, 1, 100),
        fill(Side.BUY, 2, 100, day=1),
        fill(Side.BUY, 3, 1, user_id="V"),
    ]
    states = OrderManagerHarness().states
    day = ist_date(first)
    found = chosen(fills, states, user_id="U", segment="EQ", first=day, last=day)
    assert [each.quantity for each in found] == [1]
    assert chosen(fills, states, user_id="U", segment="FO", first=day, last=day) == []


@pytest.mark.parametrize(
    ("key", "kind", "segment"),
    [
        ("NSE_EQ|1", Kind.EQUITY, "EQ"),
        ("NSE_FO|1", Kind.FUTURE, "FO"),
        ("MCX_FO|1", Kind.FUTURE, "COM"),
        ("NCD_FO|1", Kind.FUTURE, "CD"),
    ],
)
def test_segment_of_a_report(key: str, kind: Kind, segment: str) -> None:
    assert report_segment(ListedInstrument(key, "A", "A", 1, 1, kind=kind)) == segment


def test_amounts_of_a_commodity_count_its_multiplier() -> None:
    gold = ListedInstrument("MCX_FO|1", "GOLD", "Gold", 1, 1, kind=Kind.FUTURE, multiplier=100)
    bought = fill(Side.BUY, 2, 5_000)
    assert trade_row(bought, gold)["amount"] == 10_000.0
    day = ist_date(bought.at_ms)
    row = pair_row(Pair(gold, 2, Lot(day, 5_000, 2), Lot(day, 6_000, 2)))
    assert (row["buy_amount"], row["sell_amount"]) == (10_000.0, 12_000.0)
