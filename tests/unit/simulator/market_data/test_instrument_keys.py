"""Requested keys are validated, and answers are named by symbol."""

import pytest

from services.simulator.errors import ApiError
from services.simulator.market.instruments import INDICES, STOCKS
from services.simulator.market.state import SimulatedState
from services.simulator.market.universe import instruments_of
from services.simulator.market_data.instrument_keys import answer_name, requested_states

STATES = {stock.key: SimulatedState(stock, None) for stock in STOCKS}
KEYS = list(STATES)


def requested(*keys: str, max_keys: int = 500) -> list[str]:
    states = requested_states({"instrument_key": ",".join(keys)}, STATES, max_keys=max_keys)
    return [state.instrument.key for state in states]


def test_states_are_in_the_requested_order_and_unique() -> None:
    assert requested(KEYS[2], KEYS[0], KEYS[2]) == [KEYS[2], KEYS[0]]


@pytest.mark.parametrize("keys", [("nothing",), (KEYS[0], ""), ()])
def test_one_unknown_key_fails_the_request(keys: tuple[str, ...]) -> None:
    with pytest.raises(ApiError) as error:
        requested(*keys)
    assert error.value.code == "UDAPI100011"


def test_the_number_of_keys_is_limited() -> None:
    assert len(requested(*KEYS[:3], max_keys=3)) == 3
    with pytest.raises(ApiError):
        requested(*KEYS[:4], max_keys=3)


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
