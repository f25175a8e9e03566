"""A persister that refuses all entries is detected, with the cause."""

from services.persister.aggregation.aggregator import Aggregator
from services.persister.aggregation.checkpoint import AggregatorState
from services.persister.aggregation.progress import STALLED_AFTER_SECS, ProgressMonitor
from shared.contracts.messages import ClockTick, FeedState
from tests.support.builders import MONDAY_10_00

LATER = STALLED_AFTER_SECS + 1


def tick(ts: int, epoch: int = 5) -> ClockTick:
    return ClockTick(ts=ts, feed_ts=ts, epoch=epoch, seq=1, state=FeedState.LIVE)


def aggregator(*ticks: ClockTick) -> Aggregator:
    result = Aggregator(AggregatorState(), grace_ms=2_000, silent_after_ms=30_000)
    for position, each in enumerate(ticks, start=1):
        result.apply_clock_tick(each, position)
    return result


def test_a_stream_that_moves_on_is_no_stall() -> None:
    bars = aggregator(tick(MONDAY_10_00))
    monitor = ProgressMonitor(bars, 0.0)
    bars.apply_clock_tick(tick(MONDAY_10_00 + 1_000), 2)
    assert monitor.check(LATER) == ""


def test_no_entries_are_no_stall() -> None:
    assert ProgressMonitor(aggregator(tick(MONDAY_10_00)), 0.0).check(1_000.0) == ""


def test_a_clock_that_stands_still_while_the_feed_is_away_is_no_stall() -> None:
    bars = aggregator(tick(MONDAY_10_00))
    monitor = ProgressMonitor(bars, 0.0)
    for second in range(1, 60):
        bars.apply_clock_tick(tick(MONDAY_10_00), 1 + second)
        assert monitor.check(float(second)) == ""


def test_entries_of_an_older_epoch_are_a_stall_that_names_both_epochs() -> None:
    bars = aggregator(tick(MONDAY_10_00, epoch=9))
    monitor = ProgressMonitor(bars, 0.0)
    bars.apply_clock_tick(tick(MONDAY_10_00 + 1_000, epoch=5), 2)
    assert monitor.check(STALLED_AFTER_SECS - 1) == ""
    reason = monitor.check(LATER)
    assert "epoch 5" in reason
    assert "older than 9" in reason


def test_entries_before_the_time_reached_are_a_stall_that_names_both_times() -> None:
    bars = aggregator(tick(MONDAY_10_00))
    monitor = ProgressMonitor(bars, 0.0)
    bars.apply_clock_tick(tick(MONDAY_10_00 - 3_600_000), 2)
    reason = monitor.check(LATER)
    assert "03:30:00 UTC, before" in reason
    assert "04:30:00 UTC" in reason
    assert "reset-checkpoint" in reason


def test_entries_that_cannot_be_decoded_are_a_stall_that_names_the_first_one() -> None:
    bars = aggregator(tick(MONDAY_10_00))
    monitor = ProgressMonitor(bars, 0.0)
    bars.note_undecodable("clock at position 2: before the next used entry")
    bars.apply_clock_tick(tick(MONDAY_10_00 + 1_000), 3)
    assert monitor.check(0.0) == ""
    assert monitor.check(LATER) == ""
    for position in (4, 5, 6):
        bars.note_undecodable(f"clock at position {position}: no `ts`")
        assert monitor.check(STALLED_AFTER_SECS - 1) == ""
    assert monitor.check(LATER) == "3 entries undecodable, first: clock at position 4: no `ts`"
    bars.apply_clock_tick(tick(MONDAY_10_00 + 2_000), 7)
    assert monitor.check(LATER + 1) == ""
    assert monitor.check(2 * LATER + 1) == ""


def test_a_stall_by_refused_and_undecodable_entries_names_both_causes() -> None:
    bars = aggregator(tick(MONDAY_10_00, epoch=9))
    monitor = ProgressMonitor(bars, 0.0)
    bars.apply_clock_tick(tick(MONDAY_10_00 + 1_000, epoch=5), 2)
    bars.note_undecodable("quote at position 3: no `key`")
    reason = monitor.check(LATER)
    assert "older than 9" in reason
    assert reason.endswith("; 1 entries undecodable, first: quote at position 3: no `key`")


def test_a_stall_ends_with_the_first_entry_that_is_used() -> None:
    bars = aggregator(tick(MONDAY_10_00))
    monitor = ProgressMonitor(bars, 0.0)
    bars.apply_clock_tick(tick(MONDAY_10_00 - 1_000), 2)
    assert monitor.check(LATER) != ""
    bars.apply_clock_tick(tick(MONDAY_10_00 + 1_000), 3)
    assert monitor.check(LATER + 1) == ""
