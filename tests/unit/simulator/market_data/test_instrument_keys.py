"""Requested keys are validated, and answers are named by symbol."""

import pytest

from services.simulator.errors import ApiError
from services.simulator.market.instruments import INDICES, STOCKS
from services.simulator.market.state import SimulatedState
from services.simulator.market.universe import instruments_of
from services.simulator.market_data.instrument_keys import (
    V2_LTP_KEYS,
    V2_QUOTE_KEYS,
    V3_GREEKS_KEYS,
    V3_LTP_KEYS,
    V3_QUOTE_KEYS,
    KeyParameter,
    answer_name,
    is_well_formed,
    requested_states,
)

STATES = {stock.key: SimulatedState(stock, None) for stock in STOCKS}
KEYS = list(STATES)


def requested(*keys: str, parameter: KeyParameter = V3_LTP_KEYS) -> list[str]:
    states = requested_states({"instrument_key": ",".join(keys)}, STATES, parameter)
    return [state.instrument.key for state in states]


def test_states_are_in_the_requested_order_and_unique() -> None:
    assert requested(KEYS[2], KEYS[0], KEYS[2]) == [KEYS[2], KEYS[0]]


def test_v2_accepts_the_documented_name_and_the_one_of_the_sdk() -> None:
    for parameter in (V2_LTP_KEYS, V2_QUOTE_KEYS):
        for name in ("instrument_key", "symbol"):
            (state,) = requested_states({name: KEYS[1]}, STATES, parameter)
            assert state.instrument.key == KEYS[1]
        both = {"instrument_key": KEYS[1], "symbol": KEYS[2]}
        (state,) = requested_states(both, STATES, parameter)
        assert state.instrument.key == KEYS[1]
    with pytest.raises(ApiError):
        requested_states({"symbol": KEYS[1]}, STATES, V3_LTP_KEYS)


@pytest.mark.parametrize(
    ("parameter", "malformed", "unknown", "too_many"),
    [
        (V2_LTP_KEYS, "UDAPI1087", "UDAPI1087", "UDAPI100043"),
        (V2_QUOTE_KEYS, "UDAPI1087", "UDAPI1087", "UDAPI100042"),
        (V3_LTP_KEYS, "UDAPI1011", "UDAPI1087", "UDAPI100043"),
        (V3_QUOTE_KEYS, "UDAPI1011", "UDAPI100011", "UDAPI100042"),
        (V3_GREEKS_KEYS, "UDAPI1011", "UDAPI1087", "UDAPI100076"),
    ],
)
def test_each_call_has_its_documented_error_codes(
    parameter: KeyParameter, malformed: str, unknown: str, too_many: str
) -> None:
    def code(*keys: str) -> str:
        with pytest.raises(ApiError) as error:
            requested(*keys, parameter=parameter)
        assert error.value.path == "instrument_key"
        return error.value.code

    assert code() == "UDAPI1009"
    assert {code("nothing"), code(KEYS[0], ""), code("NSE|RELIANCE")} == {malformed}
    assert code(KEYS[0], "NSE_EQ|NOBODY") == unknown
    keys = [f"NSE_FO|{number}" for number in range(parameter.max_keys + 1)]
    assert code(*keys) == too_many
    assert code(*keys[1:]) == unknown


def test_every_key_of_the_market_is_well_formed() -> None:
    market = instruments_of("full", synthetic=3, start_ms=1_767_607_200_000)
    assert all(is_well_formed(instrument.key) for instrument in market)
    assert V3_GREEKS_KEYS.max_keys == 50
    assert V3_QUOTE_KEYS.max_keys == 500


def test_an_answer_is_named_by_segment_and_symbol() -> None:
    names = {answer_name(stock) for stock in STOCKS}
    assert "NSE_EQ:RELIANCE" in names
    assert len(names) == len(STOCKS)
    assert answer_name(INDICES[0]) == "NSE_INDEX:Nifty 50"


def test_names_are_unique_and_without_spaces() -> None:
    market = instruments_of("full", synthetic=0, start_ms=1_767_607_200_000)
    names = [answer_name(instrument) for instrument in market]
    assert len(set(names)) == len(names)
    assert not any(" " in name for name in names if not name.startswith("NSE_INDEX"))
