"""The aggregator's state at one position of the stream, and its encoding as a checkpoint."""

from typing import Final

import msgspec

from services.persister.aggregation.bar_builder import BarBuilder
from services.persister.aggregation.quote_count import QuoteCount
from shared.contracts.history import GapReason

# Structs are stored as arrays: the order of their fields is the layout.
_LAYOUT: Final = 1
_MAX_BREAKS: Final = 64
FROM_END: Final = -1
"""As `next_position`: read the entries to come, and none that the stream holds."""


class FeedSilence(msgspec.Struct, array_like=True, frozen=True):
    """A stretch of exchange time without messages of the feed, or whose messages were lost."""

    since_ms: int
    until_ms: int
    reason: GapReason

    def overlap_ms(self, start_ms: int, end_ms: int) -> int:
        """Length of the silence within `[start_ms, end_ms)`; 0 or less if there is none."""
        return min(self.until_ms, end_ms) - max(self.since_ms, start_ms)


class StreamBreak(msgspec.Struct, array_like=True, frozen=True):
    """A step of the stream over which messages may be missing, or are delivered late."""

    since_ms: int
    """The last exchange time that the feed had sent before."""
    until_ms: int
    """Exchange time reached after the step."""


class InstrumentGap(msgspec.Struct, array_like=True, frozen=True):
    """Whole windows in `[start_ms, end_ms)` in which trades of one instrument may be missing."""

    start_ms: int
    end_ms: int
    reason: GapReason
    key: str


class UnseenRange(msgspec.Struct, array_like=True, frozen=True):
    """Whole windows in `[start_ms, end_ms)` in which an instrument may have hidden trades."""

    start_ms: int
    end_ms: int
    is_tail: bool
    """The hidden trades may also belong to a later window."""


class InstrumentProgress(msgspec.Struct, array_like=True):
    """The aggregator's state of one instrument."""

    key: str
    first_quote_ms: int
    last_quote_ms: int
    ltt_ms: int
    """Time of the last trade that a quote showed."""
    vtt: int | None
    """Cumulative volume of the last quote; None for an index."""
    open_windows: list[BarBuilder] = []
    """Windows that are not over, oldest first."""
    last_closed: BarBuilder | None = None
    """The last window that is over. Late candles and trades amend it."""
    unseen_ranges: list[UnseenRange] = []
    """Windows that may have hidden trades, among those that can still change."""
    unseen_since_ms: int | None = None
    """Its trades were seen until then: its subscription has ended, and no quote has come since."""


class AggregatorState(msgspec.Struct, array_like=True):
    """The whole state. Equal states make equal bars of the same entries."""

    layout: int = _LAYOUT
    stream_id: str = ""
    """The stream that positions refer to, by the identity in its description."""
    next_position: int = 1
    """The entry to read next; 0 if entries before the stream's first one are lost.
    `FROM_END` until `resume_on_stream` replaces it."""
    closed_until_ms: int = 0
    """All windows that end by this exchange time are closed."""
    time_ms: int | None = None
    """Exchange time reached; None before the first entry."""
    feed_time_ms: int | None = None
    """The latest exchange time that the feed itself has sent; None before the first entry."""
    feed_epoch: int = 0
    """Lease epoch of the ingest leader whose entries count."""
    silences: list[FeedSilence] = []
    """Silences that reach into windows that are not closed."""
    gaps: list[InstrumentGap] = []
    """Gaps that were not taken yet."""
    instruments: dict[str, InstrumentProgress] = {}
    breaks: list[StreamBreak] = []
    """The last breaks, oldest first."""
    breaks_known_since_ms: int = 0
    """Earlier breaks are forgotten."""
    quote_count: QuoteCount = msgspec.field(default_factory=QuoteCount)
    """Tells whether the stream has lost quotes."""
    stored_ns: int = 0
    """When the server stored the entry before `next_position`, epoch ns; 0 if that is unknown."""

    def add_break(self, since_ms: int, until_ms: int) -> None:
        """Note a break. The oldest one is forgotten if there are many."""
        self.breaks.append(StreamBreak(since_ms, until_ms))
        if len(self.breaks) > _MAX_BREAKS:
            self.breaks_known_since_ms = self.breaks.pop(0).until_ms

    def has_break_since(self, since_ms: int) -> bool:
        """Whether a break of the stream ended at or after `since_ms`."""
        return bool(self.breaks) and self.breaks[-1].until_ms >= since_ms

    def reported_until_ms(self, delay_ms: int) -> int:
        """Exchange time until which the feed has reported all trades; 0 if that is unknown.

        It reports a trade within `delay_ms`, unless the stream has a break meanwhile.
        """
        until_ms = (self.feed_time_ms or 0) - delay_ms
        for stream_break in reversed(self.breaks):
            if stream_break.until_ms <= until_ms:
                return until_ms
            until_ms = stream_break.since_ms - delay_ms
        return until_ms if until_ms >= self.breaks_known_since_ms else 0

    def unbroken_until_ms(self, since_ms: int) -> int:
        """Exchange time of the feed until which the stream had no break after `since_ms`.

        It is less than `since_ms` if that is unknown.
        """
        until_ms = self.feed_time_ms or 0
        for stream_break in reversed(self.breaks):
            if stream_break.until_ms <= since_ms:
                return until_ms
            until_ms = stream_break.since_ms
        return until_ms if since_ms >= self.breaks_known_since_ms else 0


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(AggregatorState)


def encode_state(state: AggregatorState) -> bytes:
    """The state as MessagePack, some hundred bytes for each instrument."""
    return _encoder.encode(state)


def decode_state(data: bytes) -> AggregatorState:
    """Inverse of `encode_state`. Raises msgspec.DecodeError for any other layout."""
    try:
        state = _decoder.decode(data)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(str(error)) from None
    if state.layout != _LAYOUT:
        raise msgspec.DecodeError(f"checkpoint has layout {state.layout}, expected {_LAYOUT}")
    return state


def resume_on_stream(
    state: AggregatorState, stream_id: str, last_position: int, *, holds_last: bool = True
) -> AggregatorState:
    """Prepare `state` for reading the stream `stream_id`, which ends at `last_position`.

    If that is another stream than before, or an older copy of it, reading starts at its
    beginning, and the entries between the lost stream's last one and its first one count as lost.
    An older copy may have been continued: then it does not hold the last entry that was read
    (`holds_last`).
    """
    if state.next_position == FROM_END:
        state.next_position = last_position + 1
    is_replaced = state.stream_id not in ("", stream_id)
    if is_replaced or not holds_last or state.next_position > last_position + 1:
        state.next_position = 0
        state.stored_ns = 0
    state.stream_id = stream_id
    return state
