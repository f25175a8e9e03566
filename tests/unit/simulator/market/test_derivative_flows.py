"""Derivatives follow their underlying and have open interest."""

import pytest

from services.simulator.market.contracts import contracts
from services.simulator.market.fair_price import future_paise, option_value
from services.simulator.market.instruments import INSTRUMENTS, InstrumentType
from services.simulator.market.market import Market
from services.simulator.market.simulated_calendar import SimulatedCalendar

START = 1_767_607_200_000
CONTRACTS = contracts(START)


def market_of(seed: int = 1) -> Market:
    return Market((*INSTRUMENTS, *CONTRACTS), seed=seed, start_ms=START, trades_per_sec=5.0)


def test_prices_follow_the_underlying() -> None:
    market = market_of()
    market.advance(START + 60_000)
    for contract in CONTRACTS:
        if contract.underlying_key is None:
            continue
        spot = market.states[contract.underlying_key]
        left_ms = (contract.expiry_ms or 0) - (spot.instrument.expiry_ms or market.now_ms)
        if contract.strike_paise is None:
            fair = future_paise(spot.ltp_paise, left_ms, contract.tick_paise)
        else:
            is_call = contract.instrument_type is InstrumentType.CALL
            fair = option_value(
                spot.ltp_paise, contract.strike_paise, left_ms, contract.tick_paise, call=is_call
            ).price_paise
        assert market.states[contract.key].ltp_paise == pytest.approx(
            fair, rel=0.005, abs=10 * contract.tick_paise
        )


def test_trades_are_in_whole_lots_and_change_the_open_interest() -> None:
    market = market_of()
    before = {key: state.oi for key, state in market.states.items()}
    trades = market.advance(START + 20_000)
    for contract in CONTRACTS:
        state = market.states[contract.key]
        contract_trades = [trade for trade in trades if trade.key == contract.key]
        assert all(trade.quantity % contract.lot_size == 0 for trade in contract_trades)
        assert all(trade.price_paise % contract.tick_paise == 0 for trade in contract_trades)
        assert state.oi != before[contract.key]
        assert state.oi >= 0
        assert abs(state.oi - before[contract.key]) <= sum(
            trade.quantity for trade in contract_trades
        )


def test_only_options_have_greeks() -> None:
    market = market_of()
    for key, state in market.states.items():
        assert (state.greeks is not None) is market.states[key].instrument.is_option
        assert (state.iv > 0) is state.instrument.is_option
    call = next(each for each in CONTRACTS if each.symbol == "NIFTY 25000 CE 06 JAN 26")
    greeks = market.states[call.key].greeks
    assert greeks is not None
    assert greeks.delta == pytest.approx(0.5, abs=0.1)
    assert greeks.theta < 0


def test_derivatives_do_not_change_the_trades_of_equities() -> None:
    alone = Market(INSTRUMENTS, seed=1, start_ms=START, trades_per_sec=5.0)
    trades = [t for t in market_of().advance(START + 5_000) if t.key in alone.states]
    assert trades == alone.advance(START + 5_000)


def test_only_commodities_trade_in_the_evening() -> None:
    market = Market(
        (*INSTRUMENTS, *CONTRACTS),
        seed=1,
        start_ms=START,  # 15:30 IST
        trades_per_sec=1.0,
        calendar=SimulatedCalendar(always_open=False),
    )
    trades = market.advance(START + 60_000)
    assert {trade.key.partition("|")[0] for trade in trades} == {"MCX_FO"}
    assert len({trade.key for trade in trades}) == 6
    assert {key.partition("|")[0] for key in market.take_changes()} == {"MCX_FO"}
