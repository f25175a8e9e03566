"""The aggregator makes the same bars of the same stream, wherever it was interrupted."""

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from embedded.truth import differences, plain_bars
from services.persister.aggregate import Aggregator, ClosedWindow
from services.persister.checkpoint import FRESH, Checkpoint
from services.persister.store import bar_document
from shared.exchange_time import WINDOW_MS
from shared.messages import Bar, BarState, ClockTick, FeedState, Quote
from tests.support.builders import MONDAY_10_00, OTHER_KEY, quote

GRACE_MS = 2_000
T0 = MONDAY_10_00
DAY_MS = 86_400_000


def aggregator(checkpoint: Checkpoint = FRESH) -> Aggregator:
    return Aggregator(checkpoint, grace_ms=GRACE_MS, silent_after_ms=15_000)


def tick(ts: int, *, feed_ts: int | None = None, epoch: int = 1) -> ClockTick:
    return ClockTick(ts=ts, feed_ts=ts if feed_ts is None else feed_ts, epoch=epoch, seq=0,
                     state=FeedState.LIVE)  # fmt: skip


class Feeder:
    """Gives quotes to an aggregator at rising positions, and keeps the windows that close."""

    def __init__(self) -> None:
        self.target = aggregator()
        self.position = 0
        self.windows: list[ClosedWindow] = []

    def quote(self, **fields: Any) -> None:
        self.position += 1
        self.windows += self.target.quote(quote(**fields), self.position)

    def trade(self, at: int, ltp: float, volume: int | None, **fields: Any) -> None:
        self.quote(**({"ts": at, "ltt": at, "ltp": ltp, "volume": volume} | fields))

    def run_until(self, ts: int, *, epoch: int = 1) -> None:
        """Clock ticks every second, as ingest sends them."""
        start = self.target.time_ms or ts
        for at in range(start + 1_000, ts + 1, 1_000):
            self.position += 1
            self.windows += self.target.clock(tick(at, epoch=epoch), self.position)

    def bars(self) -> list[Bar]:
        return [bar for window in self.windows for bar in window.bars]


def test_a_window_holds_open_high_low_close_and_its_share_of_volume() -> None:
    feed = Feeder()
    feed.quote(ts=T0, ltt=T0 - 1, volume=1_000, snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010, ltq=10)
    feed.trade(T0 + 2_000, 105.0, 1_030, ltq=5)
    feed.trade(T0 + 3_000, 95.0, 1_060, ltq=7, atp=99.5)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert (bar.open, bar.high, bar.low, bar.close) == (100.0, 105.0, 95.0, 95.0)
    assert (bar.ltq, bar.volume, bar.vtt, bar.atp, bar.ticks) == (7, 60, 1_060, 99.5, 3)
    assert (bar.start, bar.state, bar.silent_ms) == (T0, BarState.COMPLETE, 0)


def test_a_window_stays_open_for_the_grace_and_then_closes() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS - 1_000)
    assert feed.windows == []
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    assert [window.start for window in feed.windows] == [T0]


def test_a_trade_just_before_the_end_counts_there_though_its_frame_comes_after() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.run_until(T0 + WINDOW_MS - 1_000)
    feed.quote(ts=T0 + WINDOW_MS + 100, ltt=T0 + WINDOW_MS - 50, ltp=101.0, volume=1_010)
    feed.trade(T0 + WINDOW_MS + 1_000, 102.0, 1_030)
    feed.run_until(T0 + 2 * WINDOW_MS + GRACE_MS)
    assert [(bar.start, bar.close, bar.volume) for bar in feed.bars()] == [
        (T0, 101.0, 10),
        (T0 + WINDOW_MS, 102.0, 20),
    ]


def test_a_late_trade_changes_no_stored_bar_and_its_volume_is_not_lost() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    feed.quote(ts=T0 + WINDOW_MS + 3_000, ltt=T0 + 2_000, ltp=50.0, volume=1_015)
    feed.trade(T0 + WINDOW_MS + 4_000, 101.0, 1_020)
    feed.run_until(T0 + 2 * WINDOW_MS + GRACE_MS)
    assert [(bar.low, bar.volume) for bar in feed.bars()] == [(100.0, 10), (101.0, 10)]
    assert feed.target.late_trades == 1


def test_a_quote_without_a_new_trade_is_no_tick() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.quote(ts=T0 + 2_000, ltt=T0 + 1_000, ltp=100.0, volume=1_010, bid=99.0)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert bar.ticks == 1


def test_a_first_quote_and_a_snapshot_make_no_trade() -> None:
    feed = Feeder()
    feed.quote(ts=T0 + 1_000, ltt=T0 + 900)
    feed.quote(ts=T0 + 2_000, ltt=T0 + 1_900, volume=2_000, snap=True)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    assert feed.bars() == []


def test_volume_traded_unseen_counts_with_the_next_trade() -> None:
    feed = Feeder()
    feed.trade(T0, 100.0, 1_000)
    feed.quote(ts=T0 + 2_000, ltt=T0 + 1_900, volume=1_500, snap=True)
    feed.trade(T0 + 3_000, 101.0, 1_510)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert (bar.volume, bar.ticks) == (510, 1)


def test_volume_begins_anew_each_day() -> None:
    feed = Feeder()
    feed.trade(T0, 100.0, 1_000)
    feed.trade(T0 + DAY_MS, 100.0, 70)
    feed.run_until(T0 + DAY_MS + WINDOW_MS + GRACE_MS)
    assert feed.bars()[-1].volume == 70


def test_a_snapshot_of_a_new_day_is_where_its_volume_begins() -> None:
    feed = Feeder()
    feed.trade(T0, 100.0, 1_000)
    feed.quote(ts=T0 + DAY_MS, ltt=T0 + DAY_MS - 5, volume=5_000, snap=True)
    feed.trade(T0 + DAY_MS + 1_000, 100.0, 5_030)
    feed.run_until(T0 + DAY_MS + WINDOW_MS + GRACE_MS)
    assert feed.bars()[-1].volume == 30


def test_volume_that_falls_within_a_day_is_never_negative() -> None:
    feed = Feeder()
    feed.trade(T0, 100.0, 1_000)
    feed.trade(T0 + 1_000, 100.0, 400)
    feed.trade(T0 + 2_000, 100.0, 410)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert (bar.volume, bar.vtt) == (10, 410)


def test_an_index_has_bars_without_volume() -> None:
    feed = Feeder()
    feed.trade(T0, 24_000.0, None, key=OTHER_KEY, ltq=None)
    feed.trade(T0 + 1_000, 24_001.5, None, key=OTHER_KEY, ltq=None)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert (bar.close, bar.volume, bar.vtt, bar.ltq) == (24_001.5, None, None, None)


def test_a_window_that_began_before_the_stream_is_partial() -> None:
    feed = Feeder()
    feed.quote(ts=T0 + 60_000, ltt=T0, snap=True)
    feed.trade(T0 + 61_000, 100.0, 1_010)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert (bar.state, bar.silent_ms) == (BarState.PARTIAL, 60_000)


def test_silence_makes_partial_only_the_windows_it_falls_in() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + WINDOW_MS - 20_000)
    feed.trade(T0 + WINDOW_MS + 10_000, 101.0, 1_020)
    feed.trade(T0 + WINDOW_MS + 11_000, 101.0, 1_030)
    feed.run_until(T0 + 2 * WINDOW_MS)
    feed.trade(T0 + 2 * WINDOW_MS + 1_000, 102.0, 1_040)
    feed.run_until(T0 + 3 * WINDOW_MS + GRACE_MS)
    states = [(bar.state, bar.silent_ms) for bar in feed.bars()]
    assert states == [
        (BarState.PARTIAL, 20_000),
        (BarState.PARTIAL, 10_000),
        (BarState.COMPLETE, 0),
    ]


def test_volume_of_a_gap_in_another_window_makes_a_bar_partial() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + WINDOW_MS - 2_000)
    feed.quote(ts=T0 + WINDOW_MS, ltt=T0 + WINDOW_MS - 500, volume=1_500, snap=True)
    feed.trade(T0 + WINDOW_MS + 1_000, 101.0, 1_520, ltq=20)
    feed.run_until(T0 + 2 * WINDOW_MS + GRACE_MS)
    first, second = feed.bars()
    assert (first.volume, first.state, first.silent_ms) == (10, BarState.PARTIAL, 2_000)
    assert (second.volume, second.state, second.silent_ms) == (510, BarState.PARTIAL, 0)


def test_a_gap_before_an_instruments_next_trade_matters_only_if_it_hid_something() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + WINDOW_MS - 2_000)
    feed.position += 1
    feed.trade(T0 + WINDOW_MS + 1_000, 101.0, 1_030, ltq=20)
    feed.run_until(T0 + 2 * WINDOW_MS + GRACE_MS)
    second = feed.bars()[1]
    assert (second.volume, second.silent_ms) == (20, 1_000)


def test_entries_missing_from_the_stream_make_a_bar_partial_however_short() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.position += 1
    feed.trade(T0 + 3_000, 100.0, 1_020)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert (bar.state, bar.silent_ms) == (BarState.PARTIAL, 2_000)


def test_quotes_of_a_superseded_leader_are_refused() -> None:
    feed = Feeder()
    feed.quote(snap=True, epoch=5)
    feed.trade(T0 + 1_000, 100.0, 1_010, epoch=5)
    feed.trade(T0 + 2_000, 1.0, 1_020, epoch=4)
    feed.trade(T0 + 3_000, 101.0, 1_030, epoch=5)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS, epoch=5)
    (bar,) = feed.bars()
    assert (bar.low, bar.state) == (100.0, BarState.COMPLETE)
    assert feed.target.stale_entries == 1


def test_a_superseded_leaders_clock_closes_nothing() -> None:
    feed = Feeder()
    feed.quote(snap=True, epoch=5)
    feed.trade(T0 + 1_000, 100.0, 1_010, epoch=5)
    feed.position += 1
    assert feed.target.clock(tick(T0 + 2 * WINDOW_MS, epoch=4), feed.position) == []
    assert feed.target.stale_entries == 1


def test_time_goes_on_while_the_feed_is_quiet_and_the_bar_is_complete() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010)
    for at in range(T0 + 2_000, T0 + WINDOW_MS + GRACE_MS + 1, 1_000):
        feed.position += 1
        feed.windows += feed.target.clock(tick(at, feed_ts=T0 + 1_000), feed.position)
    (bar,) = feed.bars()
    assert (bar.state, bar.silent_ms) == (BarState.COMPLETE, 0)


def test_a_feed_that_was_away_however_shortly_makes_a_bar_partial() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.quote(ts=T0 + 4_000, ltt=T0 + 3_900, volume=2_000, snap=True)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert (bar.state, bar.silent_ms) == (BarState.PARTIAL, 3_000)


def test_a_new_leader_makes_a_bar_partial_from_the_last_word_of_the_old() -> None:
    feed = Feeder()
    feed.quote(snap=True, epoch=1)
    feed.trade(T0 + 1_000, 100.0, 1_010, epoch=1)
    feed.trade(T0 + 5_000, 100.0, 1_020, epoch=2)
    feed.position += 1
    feed.windows += feed.target.clock(
        tick(T0 + WINDOW_MS + GRACE_MS, feed_ts=T0 + WINDOW_MS, epoch=2), feed.position
    )
    (bar,) = feed.bars()
    assert bar.state is BarState.PARTIAL
    assert bar.silent_ms >= 4_000


def test_a_quote_without_volume_neither_loses_nor_invents_any() -> None:
    feed = Feeder()
    feed.quote(ts=T0, ltt=T0 - 1, volume=5_000_000, snap=True)
    feed.trade(T0 + 1_000, 100.0, None)
    feed.trade(T0 + 2_000, 101.0, 5_000_010)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert (bar.volume, bar.vtt, bar.ticks) == (10, 5_000_010, 2)


def test_volume_of_a_day_whose_beginning_was_not_seen_is_not_one_trades() -> None:
    feed = Feeder()
    feed.trade(T0, 100.0, None)
    feed.trade(T0 + 1_000, 100.0, 5_000_000)
    feed.trade(T0 + 2_000, 101.0, 5_000_010)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert bar.volume == 10


def test_a_trade_of_a_time_that_has_not_come_is_refused() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.trade(T0 + 1_000, 1.0, 1_005, ltt=T0 + 10 * DAY_MS)
    feed.trade(T0 + 2_000, 100.0, 1_010)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert (bar.low, bar.volume) == (100.0, 10)


def test_an_entry_that_is_none_of_ours_was_not_lost() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.position += 1
    feed.target.passed(feed.position)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert bar.state is BarState.COMPLETE


def test_another_stream_is_read_from_its_beginning_and_what_lies_between_is_lost() -> None:
    feed = Feeder()
    feed.quote(snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    checkpoint = feed.windows[-1].checkpoint
    assert checkpoint.of_stream(checkpoint.stream) == checkpoint
    another = checkpoint.of_stream("another")
    assert another.position == 1
    later = aggregator(another)
    later.quote(quote(ts=T0 + WINDOW_MS + 60_000, ltt=T0 + WINDOW_MS + 60_000, volume=1_020), 1)
    (window,) = later.clock(tick(T0 + 2 * WINDOW_MS + GRACE_MS, feed_ts=T0 + 2 * WINDOW_MS), 2)
    (bar,) = window.bars
    assert (bar.volume, bar.state) == (10, BarState.PARTIAL)


@dataclass(frozen=True)
class Event:
    """One entry of a made-up stream."""

    quote: Quote | None
    ts: int
    position: int
    epoch: int = 1


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """Some windows of three instruments: trades, repeats, snapshots, silences, late frames,
    lost entries and changes of leader."""
    events = []
    position = 0
    epoch = 1
    now = T0 + draw(st.integers(0, WINDOW_MS - 1))
    volumes = {"A|1": 100, "A|2": 5_000, "A|3": 0}
    traded = dict.fromkeys(volumes, now - 10_000)
    for _ in range(draw(st.integers(5, 60))):
        now += draw(st.sampled_from([0, 1, 250, 1_000, 5_000, 14_000, 40_000, 290_000]))
        position += draw(st.sampled_from([1, 1, 1, 1, 1, 1, 1, 1, 1, 3]))
        epoch += draw(st.sampled_from([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]))
        kind = draw(st.sampled_from(["trade", "trade", "trade", "repeat", "snap", "clock"]))
        if kind == "clock":
            events.append(Event(None, now, position, epoch))
            continue
        key = draw(st.sampled_from(sorted(volumes)))
        if kind != "repeat":
            ltt = now - draw(st.sampled_from([0, 1, 300, 1_500]))
            traded[key] = max(ltt, traded[key])
            volumes[key] += draw(st.integers(1, 500))
        price = draw(st.integers(1, 50)) / 4
        events.append(
            Event(
                quote(
                    key=key, ts=now, ltt=traded[key], ltp=price, volume=volumes[key],
                    snap=kind == "snap", epoch=epoch,
                ),
                now,
                position,
                epoch,
            )
        )  # fmt: skip
    return [
        *events,
        Event(None, now + 1, position + 1, epoch),
        Event(None, now + 3 * WINDOW_MS, position + 2, epoch),
    ]


def run(events: list[Event], checkpoint: Checkpoint = FRESH) -> list[ClosedWindow]:
    """Run over the events from the checkpoint's position on, as the persister does."""
    target = aggregator(checkpoint)
    windows: list[ClosedWindow] = []
    for event in events:
        if event.position < checkpoint.position:
            continue
        if event.quote is None:
            windows += target.clock(tick(event.ts, epoch=event.epoch), event.position)
        else:
            windows += target.quote(event.quote, event.position)
    return windows


@settings(max_examples=300)
@given(streams())
def test_resuming_at_any_checkpoint_gives_the_same_windows(events: list[Event]) -> None:
    whole = run(events)
    for index, window in enumerate(whole):
        assert run(events, window.checkpoint) == whole[index + 1 :]


@settings(max_examples=300)
@given(streams())
def test_bars_equal_a_plain_recomputation(events: list[Event]) -> None:
    stored = {(bar.key, bar.start): bar_document(bar) for w in run(events) for bar in w.bars}
    expected = {}
    for key in ("A|1", "A|2", "A|3"):
        sent = [
            {
                "kind": "snapshot" if event.quote.snap else "live",
                "ltp": event.quote.ltp, "ltt": event.quote.ltt,
                "ltq": event.quote.ltq, "vtt": event.quote.volume,
            }
            for event in events
            if event.quote is not None and event.quote.key == key
        ]  # fmt: skip
        for start, bar in plain_bars(key, sent).items():
            expected[key, start] = bar
    assert stored.keys() == expected.keys()
    for place, bar in expected.items():
        assert differences(bar, stored[place]) == []
