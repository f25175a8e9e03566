"""The aggregator makes bars of quotes and candles, and names the gaps in them."""

from collections.abc import Iterable
from typing import Any

import pytest

from services.persister.aggregation.aggregator import FORGET_AFTER_MS, MAX_INSTRUMENTS, Aggregator
from services.persister.aggregation.checkpoint import (
    AggregatorState,
    decode_state,
    encode_state,
    resume_on_stream,
)
from services.persister.aggregation.closed_windows import ClosedWindows
from shared.contracts.history import GapReason
from shared.contracts.messages import Bar, BarState, Candle, ClockTick, FeedState
from shared.market.exchange_time import MINUTE_MS, WINDOW_MS, trading_day
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, quoted_trade

GRACE_MS = 2_000
T0 = MONDAY_10_00
DAY_MS = 86_400_000


def aggregator(state: AggregatorState | None = None) -> Aggregator:
    return Aggregator(state or AggregatorState(), grace_ms=GRACE_MS, silent_after_ms=15_000)


def tick(ts: int, *, feed_ts: int | None = None, epoch: int = 1) -> ClockTick:
    return ClockTick(ts=ts, feed_ts=ts if feed_ts is None else feed_ts, epoch=epoch, seq=0,
                     state=FeedState.LIVE)  # fmt: skip


class Feeder:
    """Applies messages to an aggregator at rising positions, and collects what closes."""

    def __init__(self) -> None:
        self.target = aggregator()
        self.position = 0
        self.closed: list[ClosedWindows] = []
        self.amended: list[Bar] = []

    def quote(self, **fields: Any) -> None:
        self.position += 1
        self.target.apply_quote(quoted_trade(**fields), self.position)
        self._take()

    def trade(self, at: int, ltp: float, volume: int | None, **fields: Any) -> None:
        self.quote(**({"ts": at, "ltt": at, "ltp": ltp, "volume": volume} | fields))

    def candle(self, start: int, ohlc: tuple[float, ...], volume: int | None, **more: Any) -> None:
        self.position += 1
        fields: dict[str, Any] = dict(zip(("open", "high", "low", "close"), ohlc, strict=True))
        fields |= {"key": KEY, "epoch": 1, "ts": start + MINUTE_MS + 100} | more
        candle = Candle(start=start, volume=volume, **fields)
        self.target.apply_candle(candle, self.position)
        self._take()

    def run_until(self, ts: int, *, epoch: int = 1) -> None:
        """Apply a clock tick every second, as ingest publishes them."""
        start = self.target.time_ms or ts
        for at in [*range(start + 1_000, ts, 1_000), ts]:
            self.position += 1
            self.target.apply_clock_tick(tick(at, epoch=epoch), self.position)
            self._take()

    def _take(self) -> None:
        closed = self.target.take_closed()
        if closed is not None:
            self.closed.append(closed)

    def run_without_frames_until(self, ts: int) -> None:
        """The same while the feed sends nothing, as in a halt of all segments."""
        start = feed_ts = self.target.time_ms or ts
        for at in [*range(start + 1_000, ts, 1_000), ts]:
            self.position += 1
            self.target.apply_clock_tick(tick(at, feed_ts=feed_ts), self.position)
            self._take()

    def close(self, windows: int = 1) -> list[Bar]:
        """Run until `windows` windows have closed. Returns the newest version of each bar."""
        self.run_until(T0 + windows * WINDOW_MS + GRACE_MS)
        return self.bars()

    def bars(self) -> list[Bar]:
        bars = [bar for closed in self.closed for bar in closed.bars]
        self.amended += self.target.take_amended().bars
        newest = {(bar.start, bar.key): bar for bar in [*bars, *self.amended]}
        return [newest[place] for place in sorted(newest)]

    def gaps(self) -> list[tuple[int, int, str, tuple[str, ...]]]:
        return [
            (gap.start_ms, gap.end_ms, gap.reason.value, gap.keys)
            for closed in self.closed
            for gap in closed.gaps
        ]


EVENING = T0 + 8 * 60 * MINUTE_MS


def started() -> Feeder:
    """A feed that starts at T0, with a cumulative volume of 1 000."""
    feed = Feeder()
    feed.quote(ts=T0, ltt=T0 - 1, volume=1_000, snap=True)
    return feed


# Quotes alone.


def test_a_bar_holds_open_high_low_close_and_the_volume_of_its_window() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010, ltq=10)
    feed.trade(T0 + 2_000, 105.0, 1_015, ltq=5)
    feed.trade(T0 + 3_000, 95.0, 1_022, ltq=7, atp=99.5, oi=3)
    (bar,) = feed.close()
    assert (bar.open, bar.high, bar.low, bar.close) == (100.0, 105.0, 95.0, 95.0)
    assert (bar.ltq, bar.ltt, bar.atp, bar.oi, bar.ticks) == (7, T0 + 3_000, 99.5, 3, 3)
    assert (bar.start, bar.volume, bar.vtt) == (T0, 22, 1_022)
    assert (bar.state, bar.silent_ms) == (BarState.COMPLETE, 0)


def test_a_window_closes_when_the_grace_period_after_its_end_has_passed() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS - 1_000)
    assert feed.closed == []
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    assert [closed.until_ms for closed in feed.closed] == [T0 + WINDOW_MS]


def test_a_window_without_a_trade_advances_the_checkpoint_and_has_no_bar() -> None:
    feed = started()
    assert feed.close() == []
    assert decode_state(feed.closed[0].checkpoint).closed_until_ms == T0 + WINDOW_MS


def test_a_trade_counts_by_its_own_time_not_by_the_time_of_its_frame() -> None:
    feed = started()
    feed.run_until(T0 + WINDOW_MS - 1_000)
    feed.quote(ts=T0 + WINDOW_MS + 100, ltt=T0 + WINDOW_MS - 50, ltp=101.0, volume=1_010)
    feed.trade(T0 + WINDOW_MS + 1_000, 102.0, 1_030, ltq=20)
    assert [(bar.start, bar.close, bar.volume, bar.vtt) for bar in feed.close(2)] == [
        (T0, 101.0, 10, 1_010),
        (T0 + WINDOW_MS, 102.0, 20, 1_030),
    ]


def test_a_late_trade_amends_the_last_closed_bar() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.close()
    feed.quote(ts=T0 + WINDOW_MS + 3_000, ltt=T0 + 2_000, ltp=50.0, volume=1_015, ltq=5)
    (bar,) = feed.bars()
    assert (bar.low, bar.volume, bar.ticks) == (50.0, 15, 2)
    feed.trade(T0 + WINDOW_MS + 4_000, 101.0, 1_020, ltq=5)
    assert [(bar.low, bar.volume) for bar in feed.close(2)] == [(50.0, 15), (101.0, 5)]


def test_a_trade_that_is_two_windows_late_is_refused() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.trade(T0 + WINDOW_MS + 1_000, 101.0, 1_020)
    feed.close(2)
    feed.quote(ts=T0 + 2 * WINDOW_MS + 3_000, ltt=T0 + 2_000, ltp=50.0, volume=1_025)
    assert [bar.low for bar in feed.close(3)] == [100.0, 101.0]
    assert (feed.target.late_trades, feed.target.early_trades) == (1, 0)


def test_a_quote_without_a_new_trade_is_not_counted_as_a_tick() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.quote(ts=T0 + 2_000, ltt=T0 + 1_000, ltp=100.0, volume=1_010, bid=99.0)
    (bar,) = feed.close()
    assert bar.ticks == 1


def test_an_instrument_that_trades_once_a_day_has_one_complete_bar() -> None:
    feed = started()
    feed.trade(T0 + 2 * WINDOW_MS + 1_000, 100.0, 1_010)
    (bar,) = feed.close(5)
    assert (bar.start, bar.state, bar.volume) == (T0 + 2 * WINDOW_MS, BarState.COMPLETE, 10)


def test_cumulative_volume_restarts_each_day() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + 3_000)
    feed.trade(T0 + DAY_MS, 100.0, 70, ltq=70)
    feed.run_until(T0 + DAY_MS + WINDOW_MS + GRACE_MS)
    assert (feed.bars()[-1].volume, feed.bars()[-1].vtt) == (70, 70)


def test_volume_that_falls_within_a_day_is_never_negative() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 400)
    feed.trade(T0 + 2_000, 100.0, 410)
    (bar,) = feed.close()
    assert (bar.volume, bar.vtt, bar.state) == (10, 410, BarState.PARTIAL)


def test_volume_is_exact_after_a_quote_without_volume() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, None)
    feed.trade(T0 + 2_000, 101.0, 1_010)
    (bar,) = feed.close()
    assert (bar.volume, bar.vtt, bar.ticks) == (10, 1_010, 2)


def test_a_trade_from_the_future_is_refused() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 1.0, 1_005, ltt=T0 + 10 * DAY_MS)
    feed.trade(T0 + 2_000, 100.0, 1_010)
    (bar,) = feed.close()
    assert (bar.low, feed.target.early_trades, feed.target.late_trades) == (100.0, 1, 0)


def test_an_indicative_price_before_the_open_is_not_a_trade() -> None:
    feed = started()
    for second in range(1, 5):
        feed.quote(ts=T0 + second * 1_000, ltt=T0 - 1, volume=1_000, ltp=100.0 + second)
    assert feed.close() == []


# Hidden trades, and candles.


def test_a_bar_with_hidden_trades_is_partial_until_the_candle_arrives() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.trade(T0 + WINDOW_MS - 5_000, 101.0, 1_100, ltq=10)
    (bar,) = feed.close()
    assert (bar.state, bar.high, bar.volume) == (BarState.PARTIAL, 101.0, 100)
    last = {"ltt": T0 + WINDOW_MS - 5_000, "ltp": 101.0, "volume": 1_100}
    feed.quote(ts=T0 + WINDOW_MS + 3_000, **last)
    feed.candle(T0 + 4 * MINUTE_MS, (102.0, 109.0, 98.5, 101.0), 90, ts=T0 + WINDOW_MS + 3_000)
    (bar,) = feed.bars()
    assert (bar.state, bar.high, bar.low, bar.close) == (BarState.COMPLETE, 109.0, 98.5, 101.0)
    assert (bar.volume, bar.vtt) == (100, 1_100)


def test_a_candle_gives_the_trades_at_either_end_that_no_quote_showed() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + WINDOW_MS - 1_000)
    feed.quote(ts=T0 + WINDOW_MS - 400, ltt=T0 + 1_000, ltp=100.0, volume=1_010)
    # One frame shows the second of two trades, and the first was in the window before.
    feed.trade(T0 + WINDOW_MS + 300, 103.0, 1_060, ltq=10)
    feed.candle(T0 + 4 * MINUTE_MS, (99.0, 99.0, 99.0, 99.0), 40, ts=T0 + WINDOW_MS + 300)
    feed.quote(ts=T0 + WINDOW_MS + 61_000, ltt=T0 + WINDOW_MS + 300, ltp=103.0, volume=1_060)
    feed.candle(T0 + WINDOW_MS, (103.0, 103.0, 103.0, 103.0), 10, ts=T0 + WINDOW_MS + 61_000)
    first, second = feed.close(2)
    assert (first.close, first.volume, first.vtt, first.state) == (99.0, 50, 1_050, "complete")
    assert (second.open, second.volume, second.vtt, second.state) == (103.0, 10, 1_060, "complete")


def test_a_candle_can_show_that_hidden_trades_belong_to_its_own_minute() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + WINDOW_MS - 1_000)
    feed.quote(ts=T0 + WINDOW_MS - 400, ltt=T0 + 1_000, ltp=100.0, volume=1_010)
    feed.trade(T0 + WINDOW_MS + 300, 103.0, 1_060, ltq=10)
    assert [bar.state for bar in feed.close()] == [BarState.PARTIAL]
    feed.quote(ts=T0 + WINDOW_MS + 61_000, ltt=T0 + WINDOW_MS + 300, ltp=103.0, volume=1_060)
    feed.candle(T0 + WINDOW_MS, (104.0, 104.0, 103.0, 103.0), 50, ts=T0 + WINDOW_MS + 61_000)
    assert [(bar.state, bar.volume) for bar in feed.close(2)] == [
        (BarState.COMPLETE, 10),
        (BarState.COMPLETE, 50),
    ]
    assert feed.gaps() == []


def test_a_bar_of_an_index_is_complete_once_each_minute_has_its_candle() -> None:
    feed = Feeder()
    index: dict[str, Any] = {"key": OTHER_KEY, "ltq": None}
    feed.trade(T0, 24_000.0, None, **index, snap=True)
    feed.trade(T0 + 1_000, 24_001.5, None, **index)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS)
    (bar,) = feed.bars()
    assert (bar.close, bar.volume, bar.vtt, bar.ltq) == (24_001.5, None, None, None)
    assert bar.state is BarState.PARTIAL
    feed.candle(T0, (24_000.0, 24_002.0, 23_999.0, 24_001.5), None, key=OTHER_KEY)
    (bar,) = feed.bars()
    assert (bar.high, bar.state, bar.volume) == (24_002.0, BarState.COMPLETE, None)


def test_a_repeated_candle_or_one_without_news_amends_no_bar() -> None:
    feed = started()
    feed.trade(T0 + WINDOW_MS - 1_000, 100.0, 1_010)
    feed.close()
    for _ in range(2):
        feed.candle(T0 + 4 * MINUTE_MS, (100.0, 100.0, 100.0, 100.0), 10)
    assert (feed.target.take_amended().bars, feed.amended) == ((), [])


@pytest.mark.parametrize("volume", [None, 0])
def test_candles_without_volume_make_no_bar(volume: int | None) -> None:
    feed = started()
    for number in range(5):
        feed.candle(
            T0 + number * MINUTE_MS, (100.0, 100.0, 100.0, 100.0), volume,
            ts=T0 + (number + 1) * MINUTE_MS + 300,
        )  # fmt: skip
    assert feed.close() == []


def test_a_trade_outside_its_minutes_candle_makes_the_bar_partial_and_is_counted() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 90.0, 1_010)
    feed.trade(T0 + 61_000, 100.0, 1_020)
    feed.candle(T0, (100.0, 101.0, 99.0, 100.0), 10, ts=T0 + 61_500)
    (bar,) = feed.close()
    assert (bar.low, bar.state, feed.target.contradictions) == (90.0, BarState.PARTIAL, 1)
    feed.candle(T0, (100.0, 101.0, 99.0, 100.0), 10, ts=T0 + WINDOW_MS + 3_000)
    assert feed.target.contradictions == 1


def test_a_candle_from_before_the_first_quote_makes_no_bar() -> None:
    feed = Feeder()
    feed.quote(ts=T0, ltt=T0 - 90_000, volume=1_000, snap=True)
    feed.candle(T0 - 2 * MINUTE_MS, (1.0, 1.0, 1.0, 1.0), 5, ts=T0)
    assert feed.close() == []


# Silences and lost entries.


def test_a_first_quote_and_a_snapshot_make_no_trade() -> None:
    feed = Feeder()
    feed.quote(ts=T0 + 1_000, ltt=T0 - 900)
    feed.quote(ts=T0 + 2_000, ltt=T0 + 1_900, volume=2_000, snap=True)
    assert feed.close() == []
    assert feed.gaps() == [(T0, T0 + WINDOW_MS, "feed_away", (KEY,))]


def test_volume_traded_unseen_counts_in_its_window() -> None:
    feed = started()
    feed.quote(ts=T0 + 2_000, ltt=T0 + 1_900, volume=1_500, snap=True)
    feed.trade(T0 + 3_000, 101.0, 1_510)
    (bar,) = feed.close()
    assert (bar.volume, bar.ticks, bar.state) == (510, 1, BarState.PARTIAL)


def test_a_window_that_began_before_the_first_quote_is_partial_if_it_had_trades() -> None:
    feed = Feeder()
    feed.quote(ts=T0 + 60_000, ltt=T0 + 100, snap=True)
    feed.trade(T0 + 61_000, 100.0, 1_010)
    (bar,) = feed.close()
    assert (bar.state, bar.silent_ms) == (BarState.PARTIAL, 60_000)


def test_a_window_that_began_before_the_first_quote_is_complete_without_trades() -> None:
    feed = Feeder()
    feed.quote(ts=T0 + 60_000, ltt=T0 - 100, snap=True)
    feed.trade(T0 + 61_000, 100.0, 1_010)
    (bar,) = feed.close()
    assert (bar.state, bar.silent_ms) == (BarState.COMPLETE, 60_000)


def test_an_instrument_that_is_added_late_makes_no_other_instrument_partial() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + 120_000)
    feed.quote(key=OTHER_KEY, ts=T0 + 120_000, ltt=T0 + 100_000, volume=50, snap=True)
    feed.trade(T0 + 130_000, 5.0, 60, key=OTHER_KEY)
    states = {bar.key: (bar.state, bar.silent_ms) for bar in feed.close()}
    assert states == {KEY: (BarState.COMPLETE, 0), OTHER_KEY: (BarState.PARTIAL, 120_000)}


def test_a_bar_with_a_short_silence_is_complete_once_the_candle_arrives() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + 10_000)
    feed.quote(ts=T0 + 20_000, ltt=T0 + 15_000, ltp=104.0, volume=1_050, snap=True)
    feed.run_until(T0 + 61_000)
    feed.candle(T0, (100.0, 106.0, 100.0, 104.0), 50, ts=T0 + 61_000)
    (bar,) = feed.close()
    assert (bar.high, bar.volume, bar.vtt) == (106.0, 50, 1_050)
    assert (bar.state, bar.silent_ms) == (BarState.COMPLETE, 10_000)


def test_a_silence_without_trades_leaves_the_bar_complete() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + 10_000)
    feed.quote(ts=T0 + 200_000, ltt=T0 + 1_000, volume=1_010, snap=True)
    (bar,) = feed.close()
    assert (bar.state, bar.silent_ms) == (BarState.COMPLETE, 190_000)
    assert feed.gaps() == []


def test_a_silence_of_two_windows_makes_partial_bars_at_its_ends_and_a_gap() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + 60_000)
    back = T0 + 3 * WINDOW_MS + 150_000
    feed.quote(ts=back, ltt=back - 100, ltp=120.0, volume=9_000, snap=True)
    feed.trade(back + 1_000, 121.0, 9_010)
    first, last = feed.close(4)
    assert (first.start, first.state, first.silent_ms) == (T0, BarState.PARTIAL, 240_000)
    assert (last.state, last.silent_ms) == (BarState.PARTIAL, 150_000)
    assert feed.gaps() == [
        (T0, T0 + WINDOW_MS, "feed_away", (KEY,)),
        (T0 + WINDOW_MS, T0 + 3 * WINDOW_MS, "unseen_trades", (KEY,)),
        (T0 + 3 * WINDOW_MS, T0 + 4 * WINDOW_MS, "feed_away", (KEY,)),
    ]


@pytest.mark.parametrize("has_traded", [True, False])
def test_an_instrument_that_was_not_subscribed_has_a_gap_if_it_has_traded(has_traded: bool) -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + 3 * WINDOW_MS + 150_000)  # the stream has no break
    assert [bar.state for bar in feed.bars()] == [BarState.COMPLETE]
    back = T0 + 3 * WINDOW_MS + 150_100
    volume, ltt = (9_000, back - 100) if has_traded else (1_010, T0 + 1_000)
    feed.quote(ts=back, ltt=ltt, ltp=120.0, volume=volume, snap=True)
    feed.trade(back + 1_000, 121.0, volume + 10)
    first, last = feed.close(4)
    state = BarState.PARTIAL if has_traded else BarState.COMPLETE
    assert (first.start, first.state) == (T0, state)
    assert last.state is state
    between = (T0 + WINDOW_MS, T0 + 3 * WINDOW_MS, "unseen_trades", (KEY,))
    assert (between in feed.gaps()) == has_traded


def silence(feed: Feeder, since_ms: int, until_ms: int) -> None:
    """Let exchange time pass without a message of the feed, until a clock tick."""
    feed.run_until(since_ms)
    feed.position += 1
    feed.target.apply_clock_tick(tick(until_ms), feed.position)
    feed.run_until(until_ms + 2 * WINDOW_MS)


def test_a_silence_after_the_close_is_no_gap() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.position += 1
    feed.target.apply_clock_tick(tick(EVENING), feed.position)
    feed.run_until(EVENING + WINDOW_MS)
    feed.closed.clear()
    silence(feed, EVENING + 2 * WINDOW_MS, EVENING + 9 * WINDOW_MS)
    assert feed.gaps() == []


def test_a_silence_over_night_is_a_gap_in_the_sessions_only() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    silence(feed, T0 + 10_000, T0 + 2 * DAY_MS)
    spans = [(start, end) for start, end, *_ in feed.gaps()]
    assert spans[0][0] == T0
    assert spans[-1][0] == T0 + 2 * DAY_MS - 60 * MINUTE_MS
    # Tuesday, 24 November 2026, is a holiday.
    assert len({trading_day(start) for start, _ in spans}) == 2
    assert all(end - start <= 7 * 60 * MINUTE_MS for start, end in spans)


@pytest.mark.parametrize("is_snapshot", [True, False], ids=["snapshot", "lost entries"])
def test_a_silence_until_the_next_trading_day_hides_trades_of_both_days(is_snapshot: bool) -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + 10_000)
    back = T0 + 2 * DAY_MS + 60_000  # Tuesday, 24 November 2026, is a holiday
    feed.position += not is_snapshot
    feed.quote(ts=back, ltt=back - 100, ltp=90.0, volume=50, snap=is_snapshot)
    feed.run_until(back + WINDOW_MS)
    first = feed.bars()[0]
    assert (first.start, first.state) == (T0, BarState.PARTIAL)
    after_close = T0 + 6 * 60 * MINUTE_MS  # sessions may end half an hour after the close
    monday = {at for start, end, *_ in feed.gaps() for at in range(start, end, WINDOW_MS)
              if at < T0 + DAY_MS}  # fmt: skip
    assert monday == {*range(T0, after_close, WINDOW_MS)}
    assert any(start == T0 + 2 * DAY_MS for start, *_ in feed.gaps())


def test_a_night_with_an_unbroken_stream_hides_nothing() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + 8 * 60 * MINUTE_MS)
    feed.quote(ts=EVENING, ltt=T0 + 1_000, ltp=100.0, volume=1_010)
    feed.position += 1
    feed.target.apply_clock_tick(tick(T0 + 2 * DAY_MS), feed.position)
    feed.quote(ts=T0 + 2 * DAY_MS, ltt=T0 + 2 * DAY_MS, ltp=90.0, volume=10)
    feed.run_until(T0 + 2 * DAY_MS + 2 * WINDOW_MS)
    assert {at for at, *_ in feed.gaps() if at < T0 + DAY_MS} == set()


def test_a_snapshot_whose_volume_began_anew_still_shows_a_trade_that_was_not_seen() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + 10_000)
    back = T0 + 20 * WINDOW_MS
    feed.quote(ts=back, ltt=T0 + 5 * WINDOW_MS, ltp=90.0, volume=0, snap=True)
    feed.run_until(back + WINDOW_MS)
    assert feed.bars()[0].state is BarState.PARTIAL
    assert (T0 + WINDOW_MS, T0 + 5 * WINDOW_MS, "unseen_trades", (KEY,)) in feed.gaps()


def test_a_silence_is_a_gap_of_an_instrument_that_trades_outside_the_calendars_hours() -> None:
    feed = Feeder()
    feed.quote(ts=EVENING, ltt=EVENING - 1, volume=1_000, snap=True)
    feed.trade(EVENING + 1_000, 100.0, 1_010)
    silence(feed, EVENING + 2 * WINDOW_MS, EVENING + 9 * WINDOW_MS)
    (gap,) = feed.gaps()
    assert gap[:2] == (EVENING + 2 * WINDOW_MS, EVENING + 9 * WINDOW_MS)


def test_lost_entries_make_only_the_bars_partial_whose_trades_they_hid() -> None:
    feed = started()
    feed.quote(key="A|2", ts=T0, ltt=T0 - 1, volume=7, snap=True)
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.trade(T0 + 1_000, 3.0, 17, key="A|2")
    feed.position += 1
    feed.trade(T0 + 3_000, 100.0, 1_030)
    feed.trade(T0 + 3_000, 3.0, 27, key="A|2")
    states = {bar.key: (bar.state, bar.silent_ms) for bar in feed.close()}
    assert states == {KEY: (BarState.PARTIAL, 2_000), "A|2": (BarState.COMPLETE, 2_000)}


def test_after_lost_entries_a_bar_is_partial_until_the_next_quote_of_its_instrument() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.run_until(T0 + 10_000)
    feed.position += 1
    (bar,) = feed.close()
    assert bar.state is BarState.PARTIAL
    assert feed.gaps() == [(T0, T0 + WINDOW_MS, GapReason.ENTRIES_LOST.value, (KEY,))]
    feed.quote(ts=T0 + WINDOW_MS + 9_000, ltt=T0 + 1_000, ltp=100.0, volume=1_010)
    (bar,) = feed.bars()
    assert bar.state is BarState.COMPLETE


def test_quotes_of_a_superseded_leader_are_refused() -> None:
    feed = Feeder()
    feed.quote(ltt=T0 - 1, snap=True, epoch=5)
    feed.trade(T0 + 1_000, 100.0, 1_010, epoch=5)
    feed.trade(T0 + 2_000, 1.0, 1_020, epoch=4)
    feed.trade(T0 + 3_000, 101.0, 1_020, epoch=5)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS, epoch=5)
    (bar,) = feed.bars()
    assert (bar.low, bar.state, bar.epoch) == (100.0, BarState.COMPLETE, 5)
    assert feed.target.stale_entries == 1


def test_clock_ticks_and_candles_of_a_superseded_leader_are_refused() -> None:
    feed = Feeder()
    feed.quote(ltt=T0 - 1, snap=True, epoch=5)
    feed.trade(T0 + 1_000, 100.0, 1_010, epoch=5)
    feed.position += 1
    feed.target.apply_clock_tick(tick(T0 + 2 * WINDOW_MS, epoch=4), feed.position)
    assert feed.target.take_closed() is None
    feed.candle(T0, (1.0, 1.0, 1.0, 1.0), 10, epoch=4)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS, epoch=5)
    assert [bar.low for bar in feed.bars()] == [100.0]
    assert feed.target.stale_entries == 2


def test_a_window_closes_while_the_feed_is_quiet_and_its_bar_is_complete() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    for at in range(T0 + 2_000, T0 + WINDOW_MS + GRACE_MS + 1, 1_000):
        feed.position += 1
        feed.target.apply_clock_tick(tick(at, feed_ts=T0 + 1_000), feed.position)
        feed._take()
    (bar,) = feed.bars()
    assert (bar.state, bar.silent_ms) == (BarState.COMPLETE, 0)


def test_a_bar_is_partial_if_trades_were_made_before_a_new_leaders_snapshot() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.quote(ts=T0 + 5_000, ltt=T0 + 4_000, ltp=100.0, volume=1_020, epoch=2, snap=True)
    feed.run_until(T0 + WINDOW_MS + GRACE_MS, epoch=2)
    (bar,) = feed.bars()
    assert (bar.state, bar.silent_ms) == (BarState.PARTIAL, 4_000)


def test_entries_between_a_lost_stream_and_its_replacement_count_as_lost() -> None:
    feed = started()
    feed.trade(T0 + 1_000, 100.0, 1_010)
    feed.close()
    state = decode_state(feed.closed[-1].checkpoint)
    state.stream_id = "the lost one"
    target = aggregator(resume_on_stream(state, "another", last_position=1_000))
    at = T0 + WINDOW_MS + 9_000
    target.apply_quote(quoted_trade(ts=at, ltt=at - 1_000, volume=1_500, snap=True), 1)
    for position in range(2, 400):
        target.apply_clock_tick(tick(at + position * 1_000), position)
    closed = target.take_closed()
    assert closed is not None
    (gap,) = closed.gaps
    assert (gap.start_ms, gap.reason) == (T0 + WINDOW_MS, GapReason.ENTRIES_LOST)


def quotes_of(target: Aggregator, keys: Iterable[str], *, ts: int, position: int) -> int:
    for key in keys:
        target.apply_quote(quoted_trade(key=key, ts=ts, ltt=ts - 1_000, volume=1_000), position)
        position += 1
    return position


def test_an_instrument_that_is_silent_for_days_leaves_the_checkpoint() -> None:
    target = aggregator(AggregatorState())
    position = quotes_of(target, ["NSE_EQ|A", "NSE_EQ|B"], ts=T0, position=1)
    later = T0 + FORGET_AFTER_MS + 2 * WINDOW_MS
    position = quotes_of(target, ["NSE_EQ|B"], ts=later, position=position)
    after_grace = later + 2 * WINDOW_MS
    position = quotes_of(target, ["NSE_EQ|B"], ts=after_grace, position=position)
    quotes_of(target, ["NSE_EQ|B"], ts=after_grace + 9_000, position=position)
    closed = target.take_closed()
    assert closed is not None
    assert list(decode_state(closed.checkpoint).instruments) == ["NSE_EQ|B"]


def test_the_checkpoint_stays_far_below_the_limit_of_mongodb() -> None:
    target = aggregator(AggregatorState())
    keys = [f"NSE_EQ|INE{number:06d}01" for number in range(60_000)]
    position = 1
    for number, start in enumerate(range(0, len(keys), 10_000)):
        at = T0 + number * 2 * WINDOW_MS
        position = quotes_of(target, keys[start : start + 10_000], ts=at, position=position)
    at = T0 + 20 * WINDOW_MS
    position = quotes_of(target, keys[-1:], ts=at, position=position)
    quotes_of(target, keys[-1:], ts=at + 9_000, position=position)
    closed = target.take_closed()
    assert closed is not None
    assert len(closed.checkpoint) < 12 << 20
    instruments = decode_state(closed.checkpoint).instruments
    assert len(instruments) == MAX_INSTRUMENTS
    assert keys[-1] in instruments
    assert keys[0] not in instruments
    assert target.evicted_instruments == len(keys) - MAX_INSTRUMENTS


@pytest.mark.parametrize("ts", [0, 1])
def test_entries_with_the_smallest_time_are_applied(ts: int) -> None:
    made = aggregator()
    made.apply_candle(
        Candle(key=KEY, start=0, open=1.0, high=1.0, low=1.0, close=1.0, volume=1, epoch=1, ts=ts),
        1,
    )
    for position, volume in ((2, 10), (3, 20)):
        made.apply_quote(
            quoted_trade(seq=position, ts=ts, ltt=ts, volume=volume, epoch=1), position
        )
    assert made.open_window_count == 1


# Quotes that the stream has lost without a missing position.


def counted_tick(feed: Feeder, ts: int, published: int, *, epoch: int = 1) -> None:
    message = ClockTick(ts=ts, feed_ts=ts, epoch=epoch, seq=published, state=FeedState.LIVE)
    feed.position += 1
    feed.target.apply_clock_tick(message, feed.position)
    feed._take()


def lossy_day(*, lost: int) -> Feeder:
    """A trade in the first window; in the second one only clock ticks arrive; a trade later."""
    feed = started()
    counted_tick(feed, T0 + 1_000, 1)
    feed.trade(T0 + 2_000, 100.0, 1_010, ltq=10)
    published = 2
    for second in range(3, 610):
        if second == 305:  # confirms that the first window had no other trade
            feed.quote(ts=T0 + 305_000, ltt=T0 + 2_000, ltp=100.0, volume=1_010, ltq=10)
            published += 1
        if second == 320:
            published += lost
        counted_tick(feed, T0 + second * 1_000, published)
    feed.trade(T0 + 610_000, 101.0, 1_500, ltq=5)
    published += 1
    for second in range(611, 911):
        counted_tick(feed, T0 + second * 1_000, published)
    return feed


def is_told(feed: Feeder, start: int) -> bool:
    """Whether a window is in a gap, or has a partial bar."""
    is_in_gap = any(
        start_ms <= start < end_ms and KEY in keys for start_ms, end_ms, _, keys in feed.gaps()
    )
    return is_in_gap or {bar.start: bar.state for bar in feed.bars()}.get(start) == "partial"


def test_a_window_whose_quotes_were_lost_is_told_although_the_clock_went_on() -> None:
    feed = lossy_day(lost=40)
    assert feed.target.lost_quotes == 40
    assert is_told(feed, T0 + WINDOW_MS)


def test_a_window_without_trades_is_proven_while_no_quote_is_missing() -> None:
    feed = lossy_day(lost=0)
    assert feed.target.lost_quotes == 0
    assert not is_told(feed, T0 + WINDOW_MS)


def test_the_count_of_quotes_survives_a_checkpoint() -> None:
    feed = started()
    counted_tick(feed, T0 + 1_000, 1)
    state = decode_state(encode_state(feed.target._state))
    resumed = aggregator(state)
    resumed.apply_clock_tick(
        ClockTick(ts=T0 + 2_000, feed_ts=T0 + 2_000, epoch=1, seq=3, state=FeedState.LIVE),
        feed.position + 1,
    )
    assert resumed.lost_quotes == 2


# Halts.


def test_a_feed_without_frames_in_a_halt_has_no_gap() -> None:
    feed = started()
    feed.trade(T0 + 10_000, 100.0, 1_010, ltq=10)
    feed.run_without_frames_until(T0 + 4 * WINDOW_MS + 30_000)
    feed.trade(T0 + 4 * WINDOW_MS + 30_500, 90.0, 1_015, ltq=5)
    bars = feed.close(5)
    assert [(bar.start, bar.state) for bar in bars] == [
        (T0, BarState.COMPLETE),
        (T0 + 4 * WINDOW_MS, BarState.COMPLETE),
    ]
    assert feed.gaps() == []


def test_trades_hidden_by_the_first_quote_after_a_halt_concern_its_window_only() -> None:
    feed = started()
    feed.trade(T0 + 10_000, 100.0, 1_010, ltq=10)
    feed.run_without_frames_until(T0 + 4 * WINDOW_MS + 90_000)
    feed.trade(T0 + 4 * WINDOW_MS + 90_500, 90.0, 1_050, ltq=5)
    bars = feed.close(5)
    assert [(bar.start, bar.state) for bar in bars] == [
        (T0, BarState.COMPLETE),
        (T0 + 4 * WINDOW_MS, BarState.PARTIAL),
    ]
    assert feed.gaps() == []
