"""The instrument keys of quote requests, and the names of instruments in the answers."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.state import SimulatedState

_PATTERN: Final = re.compile(
    r"(NSE_EQ|NSE_FO|NCD_FO|BSE_EQ|BSE_FO|BCD_FO|MCX_FO|NSE_COM|NSE_INDEX|BSE_INDEX|MCX_INDEX)"
    r"\|[\w ]+"
)
"""Upstox's documented pattern of a key, from the appendix "Field Pattern"."""


@dataclass(frozen=True, slots=True)
class KeyParameter:
    """The parameter of a quote call that contains keys separated by commas, and its errors."""

    unknown: ErrorCode
    too_many: ErrorCode
    malformed: ErrorCode = ErrorCode.MALFORMED_INSTRUMENT_KEYS
    max_keys: int = 500
    names: tuple[str, ...] = ("instrument_key",)
    """Accepted names of the parameter; the first that is present is used."""


_V2_NAMES: Final = ("instrument_key", "symbol")
V2_LTP_KEYS: Final = KeyParameter(
    ErrorCode.INVALID_INSTRUMENT_KEYS,
    ErrorCode.TOO_MANY_INSTRUMENT_KEYS,
    malformed=ErrorCode.INVALID_INSTRUMENT_KEYS,
    names=_V2_NAMES,
)
"""Of ``/v2/market-quote/ltp`` and ``ohlc``."""
V2_QUOTE_KEYS: Final = KeyParameter(
    ErrorCode.INVALID_INSTRUMENT_KEYS,
    ErrorCode.TOO_MANY_QUOTE_KEYS,
    malformed=ErrorCode.INVALID_INSTRUMENT_KEYS,
    names=_V2_NAMES,
)
"""Of ``/v2/market-quote/quotes``."""
V3_LTP_KEYS: Final = KeyParameter(
    ErrorCode.INVALID_INSTRUMENT_KEYS, ErrorCode.TOO_MANY_INSTRUMENT_KEYS
)
"""Of ``/v3/market-quote/ltp`` and ``ohlc``."""
V3_QUOTE_KEYS: Final = KeyParameter(ErrorCode.UNKNOWN_INSTRUMENT_KEY, ErrorCode.TOO_MANY_QUOTE_KEYS)
"""Of ``/v3/market-quote/quotes``."""
V3_GREEKS_KEYS: Final = KeyParameter(
    ErrorCode.INVALID_INSTRUMENT_KEYS, ErrorCode.TOO_MANY_GREEKS_KEYS, max_keys=50
)
"""Of ``/v3/market-quote/option-greek``."""


def requested_states(
    query: Mapping[str, str], states: Mapping[str, SimulatedState], parameter: KeyParameter
) -> list[SimulatedState]:
    """The states of the requested keys, each once, in the requested order.

    Raises ApiError with the code of the parameter if the keys are missing or too many, or if
    one of them is malformed or unknown, as at Upstox.
    """
    name = next((name for name in parameter.names if name in query), parameter.names[0])
    text = query.get(name, "")
    if not text:
        raise ApiError(ErrorCode.MISSING_INSTRUMENT_KEYS, f"{name} is required", path=name)
    keys = dict.fromkeys(text.split(","))
    if len(keys) > parameter.max_keys:
        raise ApiError(
            parameter.too_many,
            f"Data of only {parameter.max_keys} instrument keys can be requested in single API call",
            path=name,
        )
    for key in keys:
        if not is_well_formed(key):
            raise ApiError(
                parameter.malformed, f"{name} is of invalid format", path=name, value=key
            )
        if key not in states:
            raise unknown_key(key, parameter.unknown, path=name)
    return [states[key] for key in keys]


def is_well_formed(key: str) -> bool:
    """Whether a key has the documented form, ``SEGMENT|identifier``."""
    return _PATTERN.fullmatch(key) is not None


def unknown_key(
    key: str,
    code: ErrorCode = ErrorCode.UNKNOWN_INSTRUMENT_KEY,
    *,
    path: str = "instrument_key",
) -> ApiError:
    """The error of an unknown key, to be raised."""
    return ApiError(code, "Invalid Instrument key", path=path, value=key)


def answer_name(instrument: ListedInstrument) -> str:
    """``NSE_EQ:RELIANCE``; for an index its name instead of the symbol: ``NSE_INDEX:Nifty 50``."""
    if instrument.is_index:
        return instrument.key.replace("|", ":")
    return f"{instrument.segment}:{instrument.symbol.replace(' ', '')}"
