"""Trades are derived from quotes, snapshots and candles, and hidden trades from their volumes."""

from typing import Any

import pytest

from services.persister.aggregation.bar_builder import BarBuilder
from services.persister.aggregation.checkpoint import (
    AggregatorState,
    InstrumentGap,
    InstrumentProgress,
    UnseenRange,
)
from services.persister.aggregation.trades import TradeRecorder
from services.persister.aggregation.trading_times import TradingTimes
from services.persister.aggregation.windows import Windows
from shared.contracts.history import GapReason
from shared.contracts.messages import Candle
from shared.market.exchange_time import DAY_MS, MINUTE_MS, WINDOW_MS
from tests.support.builders import KEY, MONDAY_10_00, quoted_trade

T0 = MONDAY_10_00
GRACE_MS = 2_000


class Recording:
    """A recorder whose instrument was seen at T0, with a cumulative volume of 1 000."""

    def __init__(self, **first_quote: Any) -> None:
        self.state = AggregatorState(closed_until_ms=T0, time_ms=T0)
        self.windows = Windows(self.state)
        self.recorder = TradeRecorder(self.state, self.windows, TradingTimes(), grace_ms=GRACE_MS)
        self.quote(T0, **({"ltt": T0 - 1, "snap": True} | first_quote))

    @property
    def instrument(self) -> InstrumentProgress:
        return self.state.instruments[KEY]

    def quote(self, ts: int, **fields: Any) -> None:
        """Advance time to `ts` and apply a quote."""
        self.state.time_ms = ts
        self.recorder.apply_quote(quoted_trade(**({"ts": ts, "ltt": ts} | fields)))

    def candle(self, start: int, volume: int, **fields: Any) -> None:
        """Apply a candle with the price of all quotes, once its minute is over."""
        assert self.state.time_ms is not None
        self.state.time_ms = max(self.state.time_ms, start + MINUTE_MS)
        prices = dict.fromkeys(("open", "high", "low", "close"), 1_400.0)
        self.recorder.apply_candle(
            Candle(
                key=KEY, start=start, volume=volume, epoch=1, ts=self.state.time_ms,
                **(prices | fields),
            )
        )  # fmt: skip

    def close(self, until_ms: int) -> None:
        self.windows.close(self.instrument, until_ms)
        self.state.closed_until_ms = until_ms

    def window(self, start_ms: int = T0) -> BarBuilder:
        window = self.windows.find(self.instrument, start_ms)
        assert window is not None
        return window


def test_a_first_quote_makes_no_trade() -> None:
    recording = Recording()
    assert recording.instrument.open_windows == []
    assert (recording.instrument.vtt, recording.instrument.ltt_ms) == (1_000, T0 - 1)


def test_a_first_quote_with_a_trade_of_its_window_makes_that_window_partial() -> None:
    recording = Recording(ltt=T0)
    assert recording.window().is_partial
    assert not recording.window().has_trades


@pytest.mark.parametrize("missing", ["ltp", "ltt"])
def test_a_quote_without_a_trade_changes_nothing(missing: str) -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, **{missing: None, "volume": 1_010})
    assert recording.instrument.last_quote_ms == T0
    assert recording.instrument.open_windows == []


def test_a_quote_whose_volume_rose_by_its_quantity_hides_no_trade() -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, volume=1_010, ltq=10)
    window = recording.window()
    assert (window.ticks, window.is_partial) == (1, False)


@pytest.mark.parametrize("volume", [1_009, 1_011, 990, None])
def test_any_other_volume_means_hidden_trades(volume: int | None) -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, volume=volume, ltq=10)
    assert recording.window().is_partial


def test_a_trade_at_the_same_time_as_the_last_one_is_new_if_the_volume_rose() -> None:
    recording = Recording()
    for volume in (1_010, 1_010, 1_020):
        recording.quote(T0 + 1_000, volume=volume, ltq=10)
    assert recording.window().ticks == 2


def test_hidden_trades_may_belong_to_the_minutes_since_the_quote_before() -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, volume=1_010, ltq=10)
    recording.quote(T0 + 2 * MINUTE_MS + 1_000, volume=1_050, ltq=10)
    partial = [(m.is_partial, m.is_tail_partial) for m in recording.window().minutes]
    assert partial == [(False, True), (False, True), (True, False)]


def test_a_candle_that_explains_the_hidden_trades_clears_the_minutes_before() -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, volume=1_010, ltq=10)
    recording.quote(T0 + 2 * MINUTE_MS + 1_000, volume=1_050, ltq=10)
    recording.quote(T0 + 3 * MINUTE_MS, ltt=T0 + 2 * MINUTE_MS + 1_000, volume=1_050)
    recording.candle(T0 + 2 * MINUTE_MS, volume=40)
    assert not recording.window().is_partial


@pytest.mark.parametrize(
    ("last_quote_ms", "candle_volume"),
    [(T0 + 3 * MINUTE_MS, 30), (T0 + 3 * MINUTE_MS - 1, 40)],
    ids=["it does not explain all", "the minute may have had more trades"],
)
def test_a_candle_that_does_not_explain_them_leaves_the_minutes_before_partial(
    last_quote_ms: int, candle_volume: int
) -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, volume=1_010, ltq=10)
    recording.quote(T0 + 2 * MINUTE_MS + 1_000, volume=1_050, ltq=10)
    recording.quote(last_quote_ms, ltt=T0 + 2 * MINUTE_MS + 1_000, volume=1_050)
    recording.candle(T0 + 2 * MINUTE_MS, volume=candle_volume)
    assert recording.window().is_partial


def test_windows_between_two_quotes_with_hidden_trades_are_a_gap_until_explained() -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, volume=1_010, ltq=10)
    far = T0 + 3 * WINDOW_MS
    recording.quote(far, volume=1_050, ltq=10)
    gap = (T0 + WINDOW_MS, far - WINDOW_MS)
    assert recording.state.gaps == [InstrumentGap(*gap, GapReason.UNSEEN_TRADES, KEY)]
    assert recording.instrument.unseen_ranges == [UnseenRange(*gap, is_tail=True)]
    recording.quote(far + MINUTE_MS, ltt=far, volume=1_050)
    recording.candle(far, volume=40)
    assert recording.state.gaps == []
    assert recording.instrument.unseen_ranges == []
    assert not recording.window(far - WINDOW_MS).is_partial


def test_a_snapshot_adds_the_volume_traded_unseen_in_its_window() -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, volume=1_010, ltq=10)
    recording.quote(T0 + 2_000, volume=1_100, snap=True)
    bar = recording.window().bar(KEY)
    assert bar is not None
    assert (bar.volume, bar.ticks, recording.window().is_partial) == (100, 1, True)
    assert recording.instrument.vtt == 1_100


def test_a_snapshot_without_news_hides_no_trade() -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, volume=1_010, ltq=10)
    recording.quote(T0 + 90_000, ltt=T0 + 1_000, volume=1_010, snap=True)
    assert not recording.window().is_partial


def test_volume_traded_unseen_over_several_windows_is_added_to_none() -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, volume=1_010, ltq=10)
    recording.quote(T0 + WINDOW_MS + 1_000, volume=1_100, snap=True)
    bar = recording.window().bar(KEY)
    assert bar is not None
    assert bar.volume == 10
    assert recording.window(T0 + WINDOW_MS).bar(KEY) is None


def test_a_snapshot_of_a_new_day_replaces_the_cumulative_volume() -> None:
    recording = Recording()
    recording.quote(T0 + DAY_MS, volume=70, snap=True)
    assert recording.instrument.vtt == 70
    recording.quote(T0 + 2 * DAY_MS, volume=None, snap=True)
    assert recording.instrument.vtt is None


def test_the_first_trade_of_a_day_counts_all_volume_of_the_day() -> None:
    recording = Recording()
    recording.quote(T0 + DAY_MS, volume=70, ltq=70)
    window = recording.window(T0 + DAY_MS)
    bar = window.bar(KEY)
    assert bar is not None
    assert (bar.volume, bar.vtt) == (70, 70)
    assert not window.is_partial


def test_a_trade_from_the_future_is_refused_beyond_the_grace_period() -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, ltt=T0 + 1_001 + GRACE_MS, volume=1_010)
    assert (recording.recorder.early_trades, recording.instrument.vtt) == (1, 1_000)
    recording.quote(T0 + 1_000, ltt=T0 + 1_000 + GRACE_MS, volume=1_010)
    assert (recording.recorder.early_trades, recording.instrument.vtt) == (1, 1_010)


def test_a_trade_of_a_window_that_can_no_longer_change_is_refused() -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, volume=1_010, ltq=10)
    recording.close(T0 + 2 * WINDOW_MS)
    recording.quote(T0 + 2 * WINDOW_MS, ltt=T0 + 2_000, volume=1_020)
    assert recording.instrument.last_closed is not None
    assert recording.recorder.late_trades == 0
    recording.quote(T0 + 2 * WINDOW_MS + 1_000, ltt=T0 + WINDOW_MS, volume=1_030)
    recording.quote(T0 + 2 * WINDOW_MS + 2_000, ltt=T0 + 3_000, volume=1_040)
    assert recording.recorder.late_trades == 1


@pytest.mark.parametrize(
    ("start", "time_ms"),
    [(T0 - 2 * WINDOW_MS, T0), (T0 + MINUTE_MS, T0 + 2 * MINUTE_MS - GRACE_MS - 1)],
    ids=["before the first quote", "not over yet"],
)
def test_a_candle_of_another_time_is_ignored(start: int, time_ms: int) -> None:
    recording = Recording()
    recording.state.time_ms = time_ms
    candle = Candle(
        key=KEY, start=start, open=1.0, high=1.0, low=1.0, close=1.0, volume=5, epoch=1, ts=time_ms
    )
    recording.recorder.apply_candle(candle)
    assert recording.instrument.open_windows == []


def test_a_candle_of_an_unknown_instrument_is_ignored() -> None:
    recording = Recording()
    candle = Candle(
        key="A|1", start=T0 - MINUTE_MS, open=1.0, high=1.0, low=1.0, close=1.0, epoch=1, ts=T0
    )
    recording.recorder.apply_candle(candle)
    assert set(recording.state.instruments) == {KEY}


def test_a_quote_confirms_the_last_closed_window() -> None:
    recording = Recording()
    recording.quote(T0 + 1_000, volume=1_010, ltq=10)
    recording.window().close(epoch=1, vtt_at_start=None, is_unconfirmed=True)
    recording.instrument.last_closed = recording.instrument.open_windows.pop()
    recording.state.closed_until_ms = T0 + WINDOW_MS
    recording.quote(T0 + WINDOW_MS, ltt=T0 + 1_000, volume=1_010)
    (bar,) = recording.windows.take_bars().bars
    assert bar.state.value == "complete"


def test_the_rest_of_a_window_is_not_seen_once_a_subscription_has_ended() -> None:
    recording = Recording()
    recording.quote(T0 + 61_000, ltq=10, volume=1_010)
    recording.state.feed_time_ms = recording.state.time_ms = T0 + 130_000
    recording.recorder.end_subscription(KEY, T0 + 130_000)
    partial = [minute.start_ms for minute in recording.window().minutes if minute.is_partial]
    assert partial == [T0 + number * MINUTE_MS for number in (2, 3, 4)]


def test_a_window_without_trades_is_a_gap_if_its_subscription_has_ended_within_it() -> None:
    recording = Recording()
    recording.state.feed_time_ms = recording.state.time_ms = T0 + 130_000
    recording.recorder.end_subscription(KEY, T0 + 130_000)
    recording.close(T0 + WINDOW_MS)
    assert recording.state.gaps == [InstrumentGap(T0, T0 + WINDOW_MS, GapReason.UNSEEN_TRADES, KEY)]
    recording.close(T0 + 2 * WINDOW_MS)
    assert len(recording.state.gaps) == 1


def test_the_end_of_a_subscription_after_the_session_is_no_gap() -> None:
    recording = Recording()
    evening_ms = T0 + 8 * 60 * MINUTE_MS
    recording.state.feed_time_ms = recording.state.time_ms = evening_ms
    recording.state.closed_until_ms = evening_ms - WINDOW_MS
    recording.recorder.end_subscription(KEY, evening_ms)
    recording.recorder.end_subscription("NSE_EQ|OTHER", evening_ms)
    recording.close(evening_ms + WINDOW_MS)
    assert recording.state.gaps == []


def ended(recording: Recording, at_ms: int) -> None:
    """End the subscription, and close all windows until then, and one more."""
    recording.state.feed_time_ms = recording.state.time_ms = at_ms
    recording.recorder.end_subscription(KEY, at_ms)
    for until_ms in range(T0 + WINDOW_MS, at_ms + 2 * WINDOW_MS, WINDOW_MS):
        recording.close(until_ms)


@pytest.mark.parametrize("is_snapshot", [True, False])
@pytest.mark.parametrize("has_break", [True, False])
def test_windows_since_the_end_of_a_subscription_are_a_gap_once_trades_were_unseen(
    is_snapshot: bool, has_break: bool
) -> None:
    recording = Recording()
    recording.quote(T0 + 61_000, ltq=10, volume=1_010)
    ended(recording, T0 + 3 * WINDOW_MS + 10_000)
    recording.windows.take_bars()
    at_ms = T0 + 5 * WINDOW_MS + 10_000
    recording.state.feed_time_ms = at_ms
    if has_break:
        recording.state.add_break(at_ms - 5_000, at_ms - 1_000)
    recording.quote(at_ms, ltt=at_ms - 1_000, volume=1_500, snap=is_snapshot)
    starts_ms = {
        start_ms
        for gap in recording.state.gaps
        for start_ms in range(gap.start_ms, gap.end_ms, WINDOW_MS)
    }
    assert starts_ms == {T0 + 3 * WINDOW_MS, T0 + 4 * WINDOW_MS}
    assert recording.windows.take_bars().bars == ()
    assert recording.window(T0 + 5 * WINDOW_MS).is_partial
    assert recording.instrument.unseen_since_ms is None


def test_the_time_of_a_subscription_is_not_doubted_if_it_ends_later() -> None:
    recording = Recording()
    recording.state.add_break(T0 + WINDOW_MS, T0 + WINDOW_MS + 3_500)
    ended(recording, T0 + 6 * WINDOW_MS + 10_000)
    assert [gap.start_ms for gap in recording.state.gaps] == [T0 + 6 * WINDOW_MS]


def gap_starts(recording: Recording) -> set[int]:
    """The starts of all windows that are in a gap, in windows since T0."""
    return {
        (start_ms - T0) // WINDOW_MS
        for gap in recording.state.gaps
        for start_ms in range(gap.start_ms, gap.end_ms, WINDOW_MS)
    }


def test_a_second_end_of_a_subscription_without_a_quote_between_does_not_hide_the_first() -> None:
    recording = Recording()
    ended(recording, T0 + WINDOW_MS + 10_000)
    ended(recording, T0 + 6 * WINDOW_MS + 10_000)
    at_ms = T0 + 8 * WINDOW_MS + 10_000
    recording.quote(at_ms, ltt=at_ms - 1_000, volume=1_500, snap=True)
    assert gap_starts(recording) == set(range(1, 8))


@pytest.mark.parametrize("is_snapshot", [True, False])
def test_a_trade_before_the_end_of_a_subscription_shows_that_the_feed_had_told_nothing(
    is_snapshot: bool,
) -> None:
    recording = Recording()
    ended(recording, T0 + 6 * WINDOW_MS + 10_000)
    at_ms = T0 + 8 * WINDOW_MS + 10_000
    recording.quote(at_ms, ltt=T0 + 4 * WINDOW_MS, volume=1_500, snap=is_snapshot)
    assert gap_starts(recording) == {0, 1, 2, 3, 4, 6}


def test_after_a_break_no_time_before_the_end_of_a_subscription_is_proven() -> None:
    recording = Recording()
    recording.state.add_break(T0 + 2 * WINDOW_MS, T0 + 2 * WINDOW_MS + 3_500)
    ended(recording, T0 + 6 * WINDOW_MS + 10_000)
    assert gap_starts(recording) == {6}
    at_ms = T0 + 8 * WINDOW_MS + 10_000
    recording.quote(at_ms, ltt=at_ms - 1_000, volume=1_500, snap=True)
    assert gap_starts(recording) == set(range(1, 8))
