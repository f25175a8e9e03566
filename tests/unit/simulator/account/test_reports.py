"""Fills are selected, and matched first in, first out."""

import pytest

from services.simulator.account.reports import (
    RoundTrip,
    TaxLot,
    historical_trade_row,
    profit_row,
    report_segment,
    round_trips,
    select_fills,
)
from services.simulator.market.instruments import InstrumentType, ListedInstrument
from services.simulator.orders.order import Fill, Order, OrderRequest, OrderType, Product, Side
from shared.market.exchange_time import DAY_MS, ist_date
from tests.support.builders import MONDAY_10_00
from tests.support.order_managers import KEY, OrderManagerHarness


def fill(side: Side, quantity: int, price: int, day: int = 0, user_id: str = "U") -> Fill:
    request = OrderRequest(KEY, side, quantity, Product.I, OrderType.MARKET)
    return Fill(
        "1", Order("1", user_id, request, 0, 0), price, quantity, MONDAY_10_00 + day * DAY_MS
    )


def test_the_first_bought_fill_is_matched_first() -> None:
    fills = [
        fill(Side.BUY, 10, 100),
        fill(Side.BUY, 10, 200, day=1),
        fill(Side.SELL, 15, 300, day=2),
    ]
    trips = list(round_trips(fills, OrderManagerHarness().states))
    assert [(trip.quantity, trip.buy.price_paise) for trip in trips] == [(10, 100), (5, 200)]
    assert {trip.sell.price_paise for trip in trips} == {300}


def test_a_short_sale_is_matched_with_a_later_buy() -> None:
    fills = [fill(Side.SELL, 10, 300), fill(Side.BUY, 4, 100), fill(Side.SELL, 1, 50)]
    [trip] = round_trips(fills, OrderManagerHarness().states)
    assert (trip.quantity, trip.buy.price_paise, trip.sell.price_paise) == (4, 100, 300)


def test_fills_are_selected_by_user_segment_and_day() -> None:
    first = fill(Side.BUY, 1, 100).at_ms
    fills = [
        fill(Side.BUY, 1, 100),
        fill(Side.BUY, 2, 100, day=1),
        fill(Side.BUY, 3, 1, user_id="V"),
    ]
    states = OrderManagerHarness().states
    day = ist_date(first)
    selected = select_fills(fills, states, user_id="U", segment="EQ", first=day, last=day)
    assert [each.quantity for each in selected] == [1]
    assert select_fills(fills, states, user_id="U", segment="FO", first=day, last=day) == []


@pytest.mark.parametrize(
    ("key", "instrument_type", "segment"),
    [
        ("NSE_EQ|1", InstrumentType.EQUITY, "EQ"),
        ("NSE_FO|1", InstrumentType.FUTURE, "FO"),
        ("MCX_FO|1", InstrumentType.FUTURE, "COM"),
        ("NCD_FO|1", InstrumentType.FUTURE, "CD"),
    ],
)
def test_the_report_segment_follows_from_the_instrument(
    key: str, instrument_type: InstrumentType, segment: str
) -> None:
    assert (
        report_segment(ListedInstrument(key, "A", "A", 1, 1, instrument_type=instrument_type))
        == segment
    )


def test_the_amounts_of_a_commodity_include_its_multiplier() -> None:
    gold = ListedInstrument(
        "MCX_FO|1", "GOLD", "Gold", 1, 1, instrument_type=InstrumentType.FUTURE, multiplier=100
    )
    bought = fill(Side.BUY, 2, 5_000)
    assert historical_trade_row(bought, gold)["amount"] == 10_000.0
    day = ist_date(bought.at_ms)
    row = profit_row(RoundTrip(gold, 2, TaxLot(day, 5_000, 2), TaxLot(day, 6_000, 2)))
    assert (row["buy_amount"], row["sell_amount"]) == (10_000.0, 12_000.0)
