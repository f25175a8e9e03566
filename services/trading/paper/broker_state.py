"""The stored state of the paper broker: its form, encoding and version."""

from typing import Final

import msgspec

from services.trading.paper.instrument_orders import InstrumentState
from services.trading.paper.market_view import MarketState
from shared.market.calendar_data import CalendarData

STATE_VERSION: Final = 1


class PaperBrokerState(msgspec.Struct):
    """Everything that influences later results."""

    version: int
    position: int
    market: MarketState
    instruments: list[InstrumentState]
    calendar: CalendarData | None = None
    """None: the built-in one."""


class _CalendarOnly(msgspec.Struct):
    calendar: CalendarData | None = None


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(PaperBrokerState)
_calendar_decoder: Final = msgspec.msgpack.Decoder(_CalendarOnly)


def encode_state(state: PaperBrokerState) -> bytes:
    """The state as it is stored."""
    return _encoder.encode(state)


def decode_state(data: bytes) -> PaperBrokerState:
    """A stored state. Raises ValueError if it is of another version or damaged."""
    try:
        state = _decoder.decode(data)
    except msgspec.DecodeError as error:
        raise ValueError(f"not a state of the paper broker: {error}") from error
    if state.version != STATE_VERSION:
        raise ValueError(f"version {state.version} of the state, not {STATE_VERSION}")
    return state


def calendar_of(data: bytes) -> CalendarData | None:
    """The calendar of a stored state, also of another version; None if it has none."""
    try:
        return _calendar_decoder.decode(data).calendar
    except msgspec.DecodeError:
        return None
