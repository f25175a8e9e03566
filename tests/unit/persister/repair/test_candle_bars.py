"""Five-minute bars of Upstox's one-minute candles."""

from services.persister.candles.candle import UpstoxCandle
from services.persister.repair.candle_bars import repaired_bars
from shared.contracts.messages import BarState
from shared.market.exchange_time import MINUTE_MS, WINDOW_MS
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY

T0 = MONDAY_10_00


def minute(number: int, price: float, volume: int) -> UpstoxCandle:
    return UpstoxCandle(
        T0 + number * MINUTE_MS, price, price + 1, price - 1, price + 0.5, volume, oi=number
    )


def test_a_bar_is_made_of_its_minutes_which_upstox_lists_newest_first() -> None:
    day = [minute(number, 100.0 + number, 10) for number in range(12)]
    (bar,) = repaired_bars(KEY, day[::-1], {T0 + WINDOW_MS})
    assert (bar.open, bar.high, bar.low, bar.close) == (105.0, 110.0, 104.0, 109.5)
    assert (bar.volume, bar.vtt, bar.oi) == (50, 100, 9)
    assert (bar.state, bar.start, bar.ticks) == (BarState.REPAIRED, T0 + WINDOW_MS, 0)
    assert (bar.silent_ms, bar.epoch) == (WINDOW_MS, 0)


def test_fields_that_only_quotes_give_are_none() -> None:
    (bar,) = repaired_bars(KEY, [minute(0, 100.0, 10)], {T0})
    assert (bar.ltq, bar.ltt, bar.atp) == (None, None, None)


def test_only_requested_windows_have_bars_oldest_first() -> None:
    day = [minute(number, 100.0, 1) for number in range(20)]
    windows = {T0 + 3 * WINDOW_MS, T0 + WINDOW_MS}
    assert [bar.start for bar in repaired_bars(KEY, day, windows)] == sorted(windows)


def test_minutes_without_a_candle_are_left_out_of_the_bar() -> None:
    (bar,) = repaired_bars(KEY, [minute(1, 100.0, 3), minute(4, 90.0, 4)], {T0})
    assert (bar.open, bar.low, bar.close, bar.volume) == (100.0, 89.0, 90.5, 7)


def test_a_window_without_a_candle_has_no_bar() -> None:
    assert repaired_bars(KEY, [minute(0, 100.0, 10)], {T0 + WINDOW_MS}) == []


def test_a_bar_of_an_index_has_no_volume() -> None:
    (bar,) = repaired_bars(OTHER_KEY, [minute(0, 24_000.0, 0), minute(1, 24_001.0, 0)], {T0})
    assert (bar.volume, bar.vtt, bar.oi) == (None, None, 1)
    assert (bar.open, bar.close) == (24_000.0, 24_001.5)


def test_a_window_whose_candles_have_no_volume_has_no_bar() -> None:
    day = [minute(0, 100.0, 10), minute(5, 100.0, 0), minute(9, 100.0, 0)]
    (bar,) = repaired_bars(KEY, day, {T0, T0 + WINDOW_MS})
    assert bar.start == T0
    assert repaired_bars(KEY, day[1:], {T0, T0 + WINDOW_MS}) == []


def test_a_minute_without_volume_adds_no_price_to_its_bar() -> None:
    (bar,) = repaired_bars(KEY, [minute(0, 100.0, 10), minute(1, 50.0, 0)], {T0})
    assert (bar.low, bar.close, bar.volume, bar.vtt) == (99.0, 100.5, 10, 10)


def test_a_window_with_an_invalid_candle_has_no_bar_and_later_bars_no_volume_of_the_day() -> None:
    day = [minute(0, 100.0, 10), UpstoxCandle.invalid(T0 + 6 * MINUTE_MS), minute(7, 100.0, 5)]
    day.append(minute(10, 101.0, 5))
    windows = {T0, T0 + WINDOW_MS, T0 + 2 * WINDOW_MS}
    first, last = repaired_bars(KEY, day, windows)
    assert (first.start, first.volume, first.vtt) == (T0, 10, 10)
    assert (last.start, last.volume, last.vtt) == (T0 + 2 * WINDOW_MS, 5, None)
