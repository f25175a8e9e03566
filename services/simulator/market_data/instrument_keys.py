"""The instrument keys of quote requests, and the names of instruments in the answers."""

from collections.abc import Mapping
from typing import Final

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.state import SimulatedState

MAX_KEYS: Final = 500


def requested_states(
    query: Mapping[str, str],
    states: Mapping[str, SimulatedState],
    *,
    parameter: str = "instrument_key",
    max_keys: int = MAX_KEYS,
) -> list[SimulatedState]:
    """The states of the keys in a query parameter, which are separated by commas.

    Raises ApiError if there are more than `max_keys`, or if one key is unknown, as at Upstox.
    """
    keys = dict.fromkeys(query.get(parameter, "").split(","))
    if len(keys) > max_keys:
        raise ApiError(
            ErrorCode.INVALID_INPUT,
            f"The number of instrument keys exceeds {max_keys}",
            path=parameter,
        )
    for key in keys:
        if key not in states:
            raise unknown_key(key)
    return [states[key] for key in keys]


def unknown_key(key: str) -> ApiError:
    """The error of an unknown key, to be raised."""
    return ApiError(
        ErrorCode.UNKNOWN_INSTRUMENT_KEY,
        "Invalid Instrument key",
        path="instrument_key",
        value=key,
    )


def answer_name(instrument: ListedInstrument) -> str:
    """``NSE_EQ:RELIANCE``; for an index its name instead of the symbol: ``NSE_INDEX:Nifty 50``."""
    if instrument.is_index:
        return instrument.key.replace("|", ":")
    return f"{instrument.segment}:{instrument.symbol.replace(' ', '')}"
