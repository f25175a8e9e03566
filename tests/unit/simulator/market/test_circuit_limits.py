"""Shares have circuit limits of 20 % around the previous close."""

import pytest

from services.simulator.market.circuit_limits import circuit_limits, is_within_circuit
from services.simulator.market.instruments import INDICES, InstrumentType, ListedInstrument
from services.simulator.market.state import SimulatedState


def share() -> SimulatedState:
    return SimulatedState(ListedInstrument("NSE_EQ|1", "A", "A", 10_000, 5), None)


def test_the_limits_follow_the_previous_close() -> None:
    state = share()
    assert circuit_limits(state) == (8_000, 12_000)
    state.record(0, 11_000, 1)
    assert circuit_limits(state) == (8_000, 12_000)
    state.roll_day()
    assert circuit_limits(state) == (8_800, 13_200)


@pytest.mark.parametrize(
    ("price_paise", "expected"), [(7_999, False), (8_000, True), (12_000, True), (12_001, False)]
)
def test_the_limits_are_inclusive(price_paise: int, expected: bool) -> None:
    assert is_within_circuit(price_paise, share()) is expected


def test_derivatives_and_indices_have_no_limits() -> None:
    future = ListedInstrument(
        "NSE_FO|1", "F", "F", 10_000, 5, instrument_type=InstrumentType.FUTURE
    )
    for instrument in (future, INDICES[0]):
        state = SimulatedState(instrument, None)
        assert circuit_limits(state) is None
        assert is_within_circuit(1, state)
