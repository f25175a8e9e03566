"""A market that nothing moves on is detected, with the cause; what is usual is none."""

import pytest

from services.trading.paper.broker import PaperBroker
from services.trading.paper.market_view import MarketView
from services.trading.paper.progress import STALLED_AFTER_SECS, ProgressMonitor
from shared.contracts.messages import ClockTick, FeedState, Quote, encode
from shared.contracts.subjects import CLOCK, quote_subject
from shared.market.exchange_calendar import Calendar
from tests.support.builders import KEY, MONDAY_10_00, quote

HOUR_MS = 3_600_000
STALL_SECS = int(STALLED_AFTER_SECS)


def tick(ts: int, epoch: int = 9, state: FeedState = FeedState.LIVE) -> tuple[str, bytes]:
    return CLOCK, encode(ClockTick(ts=ts, feed_ts=ts, epoch=epoch, seq=1, state=state))


def entry(message: Quote) -> tuple[str, bytes]:
    return quote_subject(message.key), encode(message)


class Watched:
    """A view that has seen one clock tick of epoch 9 at 10:00, and the monitor of its term."""

    def __init__(self, view: MarketView | None = None) -> None:
        self.view = view or MarketView()
        self.view.apply(*tick(MONDAY_10_00))
        self.monitor = ProgressMonitor(self.view.progress, silence_secs=15.0)
        self.now_secs = 1_000

    def second(self, *entries: tuple[str, bytes]) -> str:
        """Apply a batch, and say what is stalled a second later."""
        for subject, data in entries:
            self.view.apply(subject, data)
        self.now_secs += 1
        return self.monitor.check(float(self.now_secs))

    def seconds(self, count: int, *entries: tuple[str, bytes]) -> set[str]:
        """Apply the same entries in `count` seconds. Returns the reasons that were reported."""
        return {self.second(*entries) for _ in range(count)}


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([tick(MONDAY_10_00 + HOUR_MS, epoch=4)], ["epoch 4", "older than 9"]),
        ([entry(quote(epoch=4, ts=MONDAY_10_00 + HOUR_MS))], ["epoch 4", "older than 9"]),
        (
            [tick(MONDAY_10_00 - HOUR_MS), entry(quote(epoch=9, ts=MONDAY_10_00 - HOUR_MS))],
            ["2026-11-23 03:30:00 UTC, before", "2026-11-23 04:30:00 UTC"],
        ),
        (
            [(CLOCK, b'{"ts":1}'), entry(quote(epoch=9, ts=MONDAY_10_00 + HOUR_MS))],
            ["kind clock cannot be decoded"],
        ),
    ],
    ids=["older epoch", "quotes of an older epoch", "earlier time", "undecodable ticks"],
)
def test_entries_that_move_nothing_on_for_ten_seconds_are_a_stall_with_its_cause(
    entries: list[tuple[str, bytes]], words: list[str]
) -> None:
    watched = Watched()
    assert watched.seconds(STALL_SECS, *entries) == {""}
    reason = watched.second(*entries)
    assert watched.view.is_live, "the view itself keeps the last state"
    assert all(word in reason for word in words), reason
    assert watched.seconds(5, *entries) == {reason}
    assert watched.second() == reason, "a silence ends no stall"
    assert watched.second(tick(MONDAY_10_00 + 2 * HOUR_MS)) == ""
    assert watched.seconds(STALL_SECS, *entries) == {""}, "the next stall takes ten seconds again"


def test_a_night_without_entries_is_no_stall() -> None:
    assert Watched().seconds(1_000) == {""}


def test_a_late_entry_before_and_one_after_a_silence_are_no_stall() -> None:
    watched = Watched()
    old = entry(quote(epoch=4))
    assert watched.second(old) == ""
    assert watched.seconds(1_000) == {""}
    assert watched.second(old) == ""
    assert watched.second(tick(MONDAY_10_00 + HOUR_MS)) == ""


def test_a_clock_that_stands_still_after_the_session_is_no_stall() -> None:
    watched = Watched()
    assert watched.seconds(60, tick(MONDAY_10_00, state=FeedState.CLOSED)) == {""}


def test_quotes_that_go_back_a_little_beside_a_clock_that_goes_on_are_no_stall() -> None:
    watched = Watched()
    for second in range(60):
        now_ms = MONDAY_10_00 + second * 1_000
        late = quote(epoch=9, seq=second, ts=now_ms - 30_000)
        assert watched.second(tick(now_ms), entry(late)) == ""


def test_entries_of_a_superseded_leader_beside_those_of_the_current_one_are_no_stall() -> None:
    watched = Watched()
    for second in range(60):
        now_ms = MONDAY_10_00 + second * 1_000
        assert watched.second(tick(now_ms), tick(now_ms, epoch=4), entry(quote(epoch=4))) == ""


def test_a_new_leader_whose_clock_is_behind_for_a_moment_is_no_stall() -> None:
    watched = Watched()
    for second in range(60):
        assert watched.second(tick(MONDAY_10_00 - 5_000 + second * 1_000, epoch=10)) == ""


def test_a_plain_market_after_one_that_ran_faster_than_time_is_a_stall_until_it_catches_up() -> (
    None
):
    watched = Watched()
    for minute in range(60):
        assert watched.second(tick(MONDAY_10_00 + minute * 60_000)) == ""
    reasons = [
        watched.second(tick(MONDAY_10_00 + second * 1_000, epoch=10)) for second in range(3_550)
    ]
    assert [bool(reason) for reason in reasons] == [False] * STALL_SECS + [True] * (
        3_540 - STALL_SECS
    ) + [False] * 10


def test_a_new_owner_that_reads_on_from_a_stored_state_is_not_stalled_by_old_entries() -> None:
    former = PaperBroker(Calendar())
    former.on_entry(1, *tick(MONDAY_10_00))
    broker = PaperBroker(Calendar())
    broker.restore(former.state())
    monitor = ProgressMonitor(broker.progress, silence_secs=15.0)
    for second in range(60):  # a slow replay of entries of hours ago
        broker.on_entry(2 + second, *tick(MONDAY_10_00 + second * 1_000))
        assert monitor.check(10_000.0 + second) == ""


def test_what_was_refused_before_the_term_does_not_count() -> None:
    view = MarketView()
    view.apply(*tick(MONDAY_10_00, epoch=4))
    view.apply(quote_subject(KEY), b"{")
    watched = Watched(view)
    assert watched.seconds(60) == {""}
