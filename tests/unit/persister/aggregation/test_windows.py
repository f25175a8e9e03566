"""Windows are opened, found, closed and amended."""

import pytest

from services.persister.aggregation.bar_builder import BarBuilder
from services.persister.aggregation.checkpoint import (
    AggregatorState,
    FeedSilence,
    InstrumentGap,
    InstrumentProgress,
    UnseenRange,
)
from services.persister.aggregation.minute import VolumeBounds
from services.persister.aggregation.windows import Windows
from shared.contracts.history import GapReason
from shared.contracts.messages import BarState
from shared.market.exchange_time import DAY_MS, MINUTE_MS, WINDOW_MS
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, quoted_trade

T0 = MONDAY_10_00
END = T0 + WINDOW_MS


def state_with(*keys: str) -> AggregatorState:
    """Instruments whose first quote was a window before T0, at which all windows are closed."""
    state = AggregatorState(closed_until_ms=T0, feed_epoch=4)
    for key in keys:
        since_ms = T0 - WINDOW_MS
        state.instruments[key] = InstrumentProgress(key, since_ms, since_ms, since_ms, vtt=1_000)
    return state


def trade(window: BarBuilder, at_ms: int, price: float, vtt: int) -> None:
    window.record_trade(
        quoted_trade(ltq=10, volume=vtt), price, at_ms, volume=10, previous_vtt=vtt - 10,
        hidden_since_ms=None,
    )  # fmt: skip


def traded(windows: Windows, instrument: InstrumentProgress, at_ms: int, vtt: int = 1_010) -> None:
    """Record a trade of 10 at a price of 100."""
    window = windows.find(instrument, at_ms - at_ms % WINDOW_MS)
    assert window is not None
    trade(window, at_ms, 100.0, vtt)


def close(windows: Windows, state: AggregatorState, until_ms: int) -> None:
    for instrument in state.instruments.values():
        windows.close(instrument, until_ms)
    state.closed_until_ms = until_ms


def test_a_window_is_opened_once_and_windows_are_ordered_by_time() -> None:
    state = state_with(KEY)
    windows, instrument = Windows(state), state.instruments[KEY]
    later = windows.find(instrument, END)
    first = windows.find(instrument, T0)
    assert windows.find(instrument, END) is later
    assert windows.find(instrument, T0) is first
    assert instrument.open_windows == [first, later]


def test_open_windows_of_several_instruments_are_counted_once() -> None:
    state = state_with(KEY, OTHER_KEY)
    windows = Windows(state)
    for instrument in state.instruments.values():
        windows.find(instrument, T0)
    windows.find(state.instruments[KEY], END)
    assert windows.open_count == 2


def test_closed_windows_give_their_bars_ordered_by_time_and_instrument() -> None:
    state = state_with(OTHER_KEY, KEY)
    windows = Windows(state)
    for at_ms in (END, T0):
        for instrument in state.instruments.values():
            traded(windows, instrument, at_ms)
    close(windows, state, END + WINDOW_MS)
    keys = sorted([KEY, OTHER_KEY])
    assert [(bar.start, bar.key, bar.epoch) for bar in windows.take_bars().bars] == [
        (start, key, 4) for start in (T0, END) for key in keys
    ]
    assert windows.take_bars().bars == ()


def test_a_window_without_trades_has_no_bar_and_is_not_held() -> None:
    state = state_with(KEY)
    windows, instrument = Windows(state), state.instruments[KEY]
    windows.find(instrument, T0)
    close(windows, state, END)
    assert windows.take_bars().bars == ()
    assert instrument.last_closed is None


def test_a_trade_in_the_last_closed_window_amends_its_bar() -> None:
    state = state_with(KEY)
    windows, instrument = Windows(state), state.instruments[KEY]
    traded(windows, instrument, T0)
    close(windows, state, END)
    windows.take_bars()
    traded(windows, instrument, T0 + 1, vtt=1_020)
    (bar,) = windows.take_bars().bars
    assert (bar.volume, bar.vtt, bar.ticks) == (20, 1_020, 2)


def test_a_closed_window_that_is_found_and_not_changed_gives_no_bar() -> None:
    state = state_with(KEY)
    windows, instrument = Windows(state), state.instruments[KEY]
    traded(windows, instrument, T0)
    close(windows, state, END)
    windows.take_bars()
    assert windows.find(instrument, T0) is instrument.last_closed
    assert windows.take_bars().bars == ()


def test_the_window_that_closed_last_can_get_its_first_trade_late() -> None:
    state = state_with(KEY)
    windows, instrument = Windows(state), state.instruments[KEY]
    traded(windows, instrument, T0)
    close(windows, state, END + WINDOW_MS)
    windows.take_bars()
    traded(windows, instrument, END, vtt=1_020)
    (bar,) = windows.take_bars().bars
    assert (bar.start, bar.volume, bar.vtt, bar.epoch) == (END, 10, 1_020, 4)


def test_older_windows_and_those_before_the_first_quote_cannot_change() -> None:
    state = state_with(KEY)
    windows, instrument = Windows(state), state.instruments[KEY]
    close(windows, state, END + WINDOW_MS)
    assert windows.find(instrument, T0) is None
    instrument.first_quote_ms = END + WINDOW_MS
    assert windows.find(instrument, END) is None


def test_cumulative_volume_carries_over_within_a_day_and_restarts_the_next_day() -> None:
    state = state_with(KEY)
    windows, instrument = Windows(state), state.instruments[KEY]
    traded(windows, instrument, T0)
    traded(windows, instrument, END, vtt=1_020)
    close(windows, state, END + WINDOW_MS)
    assert instrument.last_closed is not None
    assert instrument.last_closed.vtt_at_start == VolumeBounds(1_010, 1_010)
    traded(windows, instrument, T0 + DAY_MS, vtt=10)
    close(windows, state, END + DAY_MS)
    assert instrument.last_closed.start_ms == T0 + DAY_MS
    assert instrument.last_closed.vtt_at_start == VolumeBounds(0, 0)


@pytest.mark.parametrize(
    ("last_quote_ms", "state_of_bar"),
    [(END - 1_000, BarState.COMPLETE), (T0 + 30_000, BarState.PARTIAL)],
)
def test_after_a_silence_a_bar_is_partial_until_a_quote_of_its_instrument(
    last_quote_ms: int, state_of_bar: BarState
) -> None:
    state = state_with(KEY)
    windows, instrument = Windows(state), state.instruments[KEY]
    traded(windows, instrument, T0)
    instrument.last_quote_ms = last_quote_ms
    state.silences = [
        FeedSilence(T0 - 1_000, T0 + 2_000, GapReason.FEED_AWAY),
        FeedSilence(T0 + 30_000, T0 + 40_000, GapReason.ENTRIES_LOST),
    ]
    close(windows, state, END)
    (bar,) = windows.take_bars().bars
    assert (bar.state, bar.silent_ms) == (state_of_bar, 12_000)
    expected = [InstrumentGap(T0, END, GapReason.ENTRIES_LOST, KEY)]
    assert state.gaps == (expected if state_of_bar is BarState.PARTIAL else [])


def test_a_partial_window_without_a_known_trade_is_a_gap() -> None:
    state = state_with(KEY)
    windows, instrument = Windows(state), state.instruments[KEY]
    window = windows.find(instrument, T0)
    assert window is not None
    window.record_hidden_trades(T0, T0 + MINUTE_MS)
    close(windows, state, END)
    assert windows.take_bars().bars == ()
    assert state.gaps == [InstrumentGap(T0, END, GapReason.UNSEEN_TRADES, KEY)]


def test_time_before_the_first_quote_counts_as_silent() -> None:
    state = state_with(KEY)
    windows, instrument = Windows(state), state.instruments[KEY]
    instrument.first_quote_ms = T0 + 45_000
    traded(windows, instrument, T0 + 50_000)
    close(windows, state, END)
    (bar,) = windows.take_bars().bars
    assert bar.silent_ms == 45_000


@pytest.mark.parametrize("is_tail", [False, True])
def test_a_window_in_an_unseen_range_is_partial_from_the_start(is_tail: bool) -> None:
    state = state_with(KEY)
    windows, instrument = Windows(state), state.instruments[KEY]
    instrument.unseen_ranges = [UnseenRange(T0, END, is_tail)]
    inside, outside = windows.find(instrument, T0), windows.find(instrument, END)
    assert inside is not None
    assert outside is not None
    assert (inside.is_partial, outside.is_partial) == (True, False)
    inside.dismiss_hidden_tail(T0, END)
    assert inside.is_partial is not is_tail


def test_unseen_ranges_are_dropped_once_their_windows_can_no_longer_change() -> None:
    state = state_with(KEY)
    windows, instrument = Windows(state), state.instruments[KEY]
    latest = UnseenRange(END, END + WINDOW_MS, is_tail=False)
    instrument.unseen_ranges = [UnseenRange(T0, END, is_tail=False), latest]
    close(windows, state, END + WINDOW_MS)
    assert instrument.unseen_ranges == [latest]
