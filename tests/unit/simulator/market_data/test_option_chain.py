"""An option chain has a call and a put at every strike."""

from services.simulator.market.market import Market
from services.simulator.market.universe import instruments_of
from services.simulator.market_data.option_chain import option_chain

START_MS = 1_767_607_200_000  # 2026-01-05
NIFTY = "NSE_INDEX|Nifty 50"
MARKET = Market(
    instruments_of("full", synthetic=0, start_ms=START_MS),
    seed=1,
    start_ms=START_MS,
    trades_per_sec=2.0,
)
MARKET.advance(START_MS + 5_000)
OPTIONS = [
    state
    for state in MARKET.states.values()
    if state.instrument.is_option and state.instrument.underlying_key == NIFTY
]


def test_strikes_are_sorted_and_have_a_call_and_a_put() -> None:
    rows = option_chain(MARKET.states[NIFTY], reversed(OPTIONS))
    strikes = [strike["strike_price"] for strike in rows]
    assert strikes == sorted(set(strikes))
    assert 2 * len(rows) == len(OPTIONS)
    for strike in rows:
        for side, instrument_type in (("call_options", "CE"), ("put_options", "PE")):
            instrument = MARKET.states[strike[side]["instrument_key"]].instrument
            assert instrument.instrument_type == instrument_type
            assert instrument.strike_paise == strike["strike_price"] * 100


def test_a_side_has_its_market_data_and_its_volatility_in_per_cent() -> None:
    first = option_chain(MARKET.states[NIFTY], OPTIONS)[0]
    assert first["underlying_spot_price"] == MARKET.states[NIFTY].ltp_paise / 100
    call = first["call_options"]
    state = MARKET.states[call["instrument_key"]]
    assert call["market_data"]["ltp"] == state.ltp_paise / 100
    assert call["market_data"]["oi"] == state.oi
    assert call["option_greeks"]["iv"] == round(state.iv * 100, 2)
    assert 0 <= call["option_greeks"]["pop"] <= 100
    put = MARKET.states[first["put_options"]["instrument_key"]]
    assert first["pcr"] == round(put.oi / state.oi, 4)
