"""Circuit limits: the price band within which an instrument may trade on one day.

The band of a share is 20 % of the previous close in each direction. Derivatives have none.
"""

from typing import Final

from services.simulator.market.instruments import InstrumentType
from services.simulator.market.state import SimulatedState

_CIRCUIT_PERCENT: Final = 20


def circuit_limits(state: SimulatedState) -> tuple[int, int] | None:
    """The lowest and the highest price of the day (paise); None for unlimited instruments."""
    if state.instrument.instrument_type is not InstrumentType.EQUITY:
        return None
    band_paise = state.close_paise * _CIRCUIT_PERCENT // 100
    return state.close_paise - band_paise, state.close_paise + band_paise


def is_within_circuit(price_paise: int, state: SimulatedState) -> bool:
    """Whether this price may be traded today."""
    limits = circuit_limits(state)
    return limits is None or limits[0] <= price_paise <= limits[1]
