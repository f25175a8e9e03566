"""A checkpoint holds the whole state, in a layout that does not change unnoticed."""

from typing import Any

import msgspec
import pytest

from services.persister.aggregation.bar_builder import BarBuilder
from services.persister.aggregation.checkpoint import (
    FROM_END,
    AggregatorState,
    FeedSilence,
    InstrumentGap,
    InstrumentProgress,
    StreamBreak,
    UnseenRange,
    decode_state,
    encode_state,
    resume_on_stream,
)
from services.persister.aggregation.minute import Minute, VolumeBounds
from services.persister.aggregation.quote_count import QuoteCount
from shared.contracts.history import GapReason

MINUTE = Minute(
    start_ms=60_000, open=1.0, high=2.0, low=0.5, close=1.5, volume=10,
    vtt_before=VolumeBounds(100, None), last_vtt=110, is_partial=True, is_tail_partial=False,
    hidden_since_ms=59_000, has_candle=True, is_contradicted=True,
)  # fmt: skip
WINDOW = BarBuilder(
    start_ms=0, minutes=[MINUTE], ltq=5, ltt_ms=61_000, atp=1.25, oi=7, ticks=2, silent_ms=1_000,
    is_unconfirmed=True, epoch=3, vtt_at_start=VolumeBounds(90, 95),
)  # fmt: skip
STATE = AggregatorState(
    stream_id="2026-11-23", next_position=9, closed_until_ms=300_000, time_ms=301_000,
    feed_time_ms=300_500, feed_epoch=3,
    silences=[FeedSilence(1, 2, GapReason.FEED_AWAY)],
    gaps=[InstrumentGap(3, 4, GapReason.ENTRIES_LOST, "A|1")],
    instruments={
        "A|1": InstrumentProgress(
            "A|1", first_quote_ms=10, last_quote_ms=20, ltt_ms=15, vtt=110,
            open_windows=[BarBuilder(300_000)], last_closed=WINDOW,
            unseen_ranges=[UnseenRange(5, 6, is_tail=True)], unseen_since_ms=16,
        )
    },
    breaks=[StreamBreak(7, 8)], breaks_known_since_ms=6, quote_count=QuoteCount(4, 300_400),
    stored_ns=77,
)  # fmt: skip
STORED_MINUTE = [60_000, 1.0, 2.0, 0.5, 1.5, 10, [100, None], 110, True, False, 59_000, True, True]
STORED_WINDOW = [0, [STORED_MINUTE], 5, 61_000, 1.25, 7, 2, 1_000, True, 3, [90, 95]]
STORED_NEW_WINDOW = [300_000, [], None, None, None, None, 0, 0, False, 0, None]
STORED: list[Any] = [
    1, "2026-11-23", 9, 300_000, 301_000, 300_500, 3,
    [[1, 2, "feed_away"]],
    [[3, 4, "entries_lost", "A|1"]],
    {"A|1": ["A|1", 10, 20, 15, 110, [STORED_NEW_WINDOW], STORED_WINDOW, [[5, 6, True]], 16]},
    [[7, 8]], 6, [4, 300_400], 77,
]  # fmt: skip


def test_the_stored_layout_is_an_array_of_each_structs_fields_in_order() -> None:
    assert msgspec.msgpack.decode(encode_state(STATE)) == STORED


def test_a_checkpoint_of_an_earlier_version_is_read() -> None:
    state = decode_state(msgspec.msgpack.encode(STORED[:-2]))
    assert state.next_position == 9
    assert state.quote_count == QuoteCount()
    assert state.stored_ns == 0


def test_a_decoded_state_equals_the_encoded_one() -> None:
    assert decode_state(encode_state(STATE)) == STATE


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", msgspec.msgpack.encode([1, 2]), encode_state(AggregatorState(layout=2))]
)
def test_a_checkpoint_of_another_layout_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_state(data)


def test_reading_goes_on_at_the_next_position_of_the_same_stream() -> None:
    state = AggregatorState(stream_id="a", next_position=9)
    assert resume_on_stream(state, "a", last_position=8).next_position == 9


def test_reading_starts_with_lost_entries_on_another_stream() -> None:
    state = resume_on_stream(AggregatorState(stream_id="a", next_position=9), "b", last_position=20)
    assert (state.stream_id, state.next_position) == ("b", 0)


def test_reading_starts_at_the_beginning_of_an_older_copy_of_the_stream() -> None:
    state = resume_on_stream(AggregatorState(stream_id="a", next_position=9), "a", last_position=7)
    assert (state.stream_id, state.next_position) == ("a", 0)


def test_reading_starts_at_the_beginning_of_an_older_copy_that_was_continued() -> None:
    state = AggregatorState(stream_id="a", next_position=9, stored_ns=7)
    state = resume_on_stream(state, "a", last_position=20, holds_last=False)
    assert (state.stream_id, state.next_position, state.stored_ns) == ("a", 0, 0)


def test_after_a_reset_only_entries_to_come_are_read() -> None:
    state = resume_on_stream(AggregatorState(next_position=FROM_END), "a", last_position=7)
    assert (state.stream_id, state.next_position) == ("a", 8)


def test_a_new_state_starts_at_the_first_entry_of_any_stream() -> None:
    state = resume_on_stream(AggregatorState(), "b", last_position=0)
    assert (state.stream_id, state.next_position) == ("b", 1)


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "overlap_ms"),
    [(0, 100, 20), (15, 100, 15), (0, 15, 5), (12, 15, 3), (40, 50, -10)],
)
def test_a_silence_overlaps_a_range_by_their_common_length(
    start_ms: int, end_ms: int, overlap_ms: int
) -> None:
    silence = FeedSilence(10, 30, GapReason.FEED_AWAY)
    assert silence.overlap_ms(start_ms, end_ms) == overlap_ms


def test_a_checkpoint_of_before_breaks_were_noted_is_read() -> None:
    state = decode_state(msgspec.msgpack.encode(STORED[:-4]))
    assert (state.instruments, state.breaks, state.breaks_known_since_ms) == (
        STATE.instruments, [], 0
    )  # fmt: skip


@pytest.mark.parametrize(
    ("since_ms", "until_ms"), [(0, 0), (5, 10), (19, 10), (20, 30), (40, 99), (98, 99)]
)
def test_the_stream_is_unbroken_until_the_first_break_after_a_time(
    since_ms: int, until_ms: int
) -> None:
    state = AggregatorState(feed_time_ms=99, breaks_known_since_ms=5)
    state.add_break(10, 20)
    state.add_break(30, 40)
    assert state.unbroken_until_ms(since_ms) == until_ms


def test_only_the_last_breaks_are_kept() -> None:
    state = AggregatorState(feed_time_ms=10_000)
    for number in range(100):
        state.add_break(number * 10, number * 10 + 5)
    assert len(state.breaks) == 64
    assert state.breaks_known_since_ms == 355
    assert state.unbroken_until_ms(354) == 0
    assert state.unbroken_until_ms(355) == 360


@pytest.mark.parametrize(
    ("breaks", "until_ms"),
    [
        ([], 96_000),
        ([(50_000, 95_000)], 96_000),
        ([(50_000, 97_000)], 46_000),
        ([(20_000, 45_000), (50_000, 97_000)], 46_000),
        ([(20_000, 47_000), (50_000, 97_000)], 16_000),
    ],
)
def test_trades_are_reported_until_the_delay_before_now_or_before_a_break(
    breaks: list[tuple[int, int]], until_ms: int
) -> None:
    state = AggregatorState(feed_time_ms=100_000)
    for since_ms, break_until_ms in breaks:
        state.add_break(since_ms, break_until_ms)
    assert state.reported_until_ms(4_000) == until_ms


def test_nothing_is_known_to_be_reported_before_forgotten_breaks() -> None:
    state = AggregatorState(feed_time_ms=100_000)
    for number in range(100):
        state.add_break(90_000 + number, 97_000 + number)
    assert state.reported_until_ms(4_000) == 0
