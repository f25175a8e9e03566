"""All that the aggregator knows at one position of the stream, and its bytes."""

from typing import Final

import msgspec

from services.persister.aggregation.bar_builder import BarBuilder
from shared.contracts.history import GapReason

_FORM: Final = 1


class Silence(msgspec.Struct, array_like=True, frozen=True):
    """A stretch of exchange time in which the feed told nothing, or was not heard."""

    since: int
    until: int
    reason: GapReason


class Hole(msgspec.Struct, array_like=True, frozen=True):
    """Whole windows, from `start` until before `end`, in which trades of `key` are missing."""

    start: int
    end: int
    reason: GapReason
    key: str


class Unseen(msgspec.Struct, array_like=True, frozen=True):
    """Whole windows, from `start` until before `end`, in which trades may be hidden."""

    start: int
    end: int
    tail: bool
    """They may as well have been later."""


class InstrumentProgress(msgspec.Struct, array_like=True):
    """What is known of one instrument."""

    key: str
    since: int
    """Time of its first quote."""
    seen: int
    """Time of its last quote."""
    ltt: int
    """Time of the last trade that was seen."""
    seen_vtt: int | None
    """Cumulative volume that was seen; None for an index."""
    open: list[BarBuilder] = []
    """Windows that are not over, oldest first."""
    last: BarBuilder | None = None
    """The last window that is over; a candle or a trade that comes late amends it."""
    unseen: list[Unseen] = []
    """Windows of which nothing may be known yet, among those that can still change."""


class State(msgspec.Struct, array_like=True):
    """Everything; equal states make the same bars of the same entries."""

    form: int = _FORM
    stream: str = ""
    """Which stream positions are of: when it was made."""
    next_position: int = 1
    """The entry to read next; 0 if what lies before the first one is lost."""
    closed_until: int = 0
    """All windows that end by this exchange time are closed."""
    time_ms: int | None = None
    """Exchange time reached; None before the first entry."""
    feed_ms: int | None = None
    """Exchange time that the feed itself has told."""
    feed_epoch: int = 0
    silences: list[Silence] = []
    holes: list[Hole] = []
    """Those not told yet."""
    instruments: dict[str, InstrumentProgress] = {}


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(State)


def encode_state(state: State) -> bytes:
    """Some hundred bytes for each instrument."""
    return _encoder.encode(state)


def decode_state(data: bytes) -> State:
    """Inverse of `encode_state`. Raises msgspec.DecodeError if it is of another form."""
    state = _decoder.decode(data)
    if state.form != _FORM:
        raise msgspec.DecodeError(f"a checkpoint of form {state.form}, not {_FORM}")
    return state


def of_stream(state: State, stream: str) -> State:
    """`state` to read on in `stream`: from its beginning, if that is another stream than before.

    What lies between a lost stream and the one made in its place counts as lost.
    """
    if state.stream not in ("", stream):
        state.next_position = 0
    state.stream = stream
    return state
