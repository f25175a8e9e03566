"""Answers are named by symbol, and one bad key fails all."""

import pytest
from aiohttp.test_utils import make_mocked_request

from services.simulator.envelope import Refusal
from services.simulator.market.instruments import INDICES, STOCKS
from services.simulator.market.state import InstrumentState
from services.simulator.market.universe import instruments_of
from services.simulator.rest.keys import answer_name, asked_states

STATES = {stock.key: InstrumentState(stock, None) for stock in STOCKS}
KEYS = list(STATES)


def asked(*keys: str, most: int = 500) -> list[str]:
    request = make_mocked_request("GET", "/?instrument_key=" + ",".join(keys))
    return [state.instrument.key for state in asked_states(request, STATES, most=most)]


def test_states_come_in_the_order_asked_for_and_once() -> None:
    assert asked(KEYS[2], KEYS[0], KEYS[2]) == [KEYS[2], KEYS[0]]


@pytest.mark.parametrize("keys", [("nothing",), (KEYS[0], ""), ()])
def test_one_bad_key_fails_them_all(keys: tuple[str, ...]) -> None:
    with pytest.raises(Refusal) as refused:
        asked(*keys)
    assert refused.value.errors[0].code == "UDAPI100011"


def test_number_of_keys_is_bounded() -> None:
    assert len(asked(*KEYS[:3], most=3)) == 3
    with pytest.raises(Refusal):
        asked(*KEYS[:4], most=3)


def test_answer_is_named_by_segment_and_symbol() -> None:
    names = {answer_name(stock) for stock in STOCKS}
    assert "NSE_EQ:RELIANCE" in names
    assert len(names) == len(STOCKS)
    assert answer_name(INDICES[0]) == "NSE_INDEX:Nifty 50"


def test_names_of_a_whole_market_are_distinct_and_without_spaces() -> None:
    market = instruments_of("full", synthetic=0, start_ms=1_767_607_200_000)
    names = [answer_name(instrument) for instrument in market]
    assert len(set(names)) == len(names)
    assert not any(" " in name for name in names if not name.startswith("NSE_INDEX"))
