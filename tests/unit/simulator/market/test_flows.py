"""Stocks trade at the configured rate near their base price; indices follow their stocks."""

import pytest

from services.simulator.market.flows import IndexFlow, StockFlow, Trade
from services.simulator.market.instruments import INDICES, STOCKS
from services.simulator.market.state import SimulatedState

START = 1_767_607_200_000


def events_until(flow: StockFlow, until_ms: int) -> list[Trade | None]:
    events, time_ms = [], START
    while time_ms < until_ms:
        events.append(flow.act(time_ms))
        time_ms = flow.next_ms(time_ms)
    return events


def test_the_first_event_of_a_stock_is_a_trade() -> None:
    for stock in STOCKS:
        assert StockFlow(stock, seed=1, trades_per_sec=2.0).act(START) is not None


def test_a_stock_trades_at_the_configured_rate_near_its_base_price() -> None:
    flow = StockFlow(STOCKS[0], seed=3, trades_per_sec=5.0)
    events = events_until(flow, START + 3_600_000)
    trades = [trade for trade in events if trade is not None]
    assert len(trades) / 3_600 == pytest.approx(5.0, rel=0.05)
    assert len(trades) < len(events)  # some events change only the order book
    assert all(
        trade.price_paise == pytest.approx(STOCKS[0].base_paise, rel=0.1) for trade in trades
    )
    assert len({trade.price_paise for trade in trades}) > 10


def test_an_index_moves_by_the_mean_move_of_its_stocks() -> None:
    states = [SimulatedState(stock, None) for stock in STOCKS[:2]]
    flow = IndexFlow(INDICES[0], states)
    base_paise = INDICES[0].base_paise
    assert flow.act(START) == Trade(INDICES[0].key, START, base_paise, 0)
    states[0].record(START, STOCKS[0].base_paise * 102 // 100, 1)
    assert flow.act(START).price_paise == base_paise * 101 // 100


def test_an_index_has_a_value_every_whole_second() -> None:
    flow = IndexFlow(INDICES[0], [SimulatedState(STOCKS[0], None)])
    assert flow.next_ms(START + 300) == START + 1_000
    assert flow.next_ms(START + 1_000) == START + 2_000


def test_the_indicative_price_stays_near_the_last_price_and_is_matched_once() -> None:
    flow = StockFlow(STOCKS[0], seed=1, trades_per_sec=2.0)
    state = flow.state
    assert flow.match(START) is None
    for _ in range(20_000):
        flow.indicate()
        assert abs(state.indicative_paise - state.ltp_paise) <= state.ltp_paise * 3 // 100
        assert state.indicative_paise % STOCKS[0].tick_paise == 0
    price, quantity = state.indicative_paise, state.indicative_quantity
    assert flow.match(START) == Trade(STOCKS[0].key, START, price, quantity)
    assert state.book is not None
    assert state.book.best_bid_paise == price - STOCKS[0].tick_paise
    assert flow.match(START) is None
