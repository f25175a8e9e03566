"""Which instruments a call asks about, and under which name each is answered."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web

from services.simulator.envelope import INVALID_INPUT, Refusal, refuse
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.state import InstrumentState

UNKNOWN_KEY: Final = "UDAPI100011"
MOST_KEYS: Final = 500


def asked_states(
    request: web.Request,
    states: Mapping[str, InstrumentState],
    *,
    parameter: str = "instrument_key",
    most: int = MOST_KEYS,
) -> list[InstrumentState]:
    """The states of the keys in the query, separated by commas.

    Raises Refusal: one bad key fails them all, as at Upstox.
    """
    text = request.query.get(parameter, "")
    keys = dict.fromkeys(text.split(","))
    if len(keys) > most:
        raise refuse(
            HTTPStatus.BAD_REQUEST,
            INVALID_INPUT,
            f"The number of instrument keys exceeds {most}",
            path=parameter,
        )
    for key in keys:
        if key not in states:
            raise unknown_key(key)
    return [states[key] for key in keys]


def unknown_key(key: str) -> Refusal:
    """The refusal of a key that no instrument has."""
    return refuse(
        HTTPStatus.BAD_REQUEST,
        UNKNOWN_KEY,
        "Invalid Instrument key",
        path="instrument_key",
        value=key,
    )


def answer_name(instrument: ListedInstrument) -> str:
    """``NSE_EQ:RELIANCE``; of an index its name, which is what its key ends in."""
    if instrument.is_index:
        return instrument.key.replace("|", ":")
    return f"{instrument.segment}:{instrument.symbol.replace(' ', '')}"
