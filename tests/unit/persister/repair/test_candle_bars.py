"""Bars of Upstox's candles."""

from services.persister.repair.candle_bars import MinuteCandle, repaired_bars
from shared.contracts.messages import BarState
from shared.market.exchange_time import MINUTE_MS, WINDOW_MS
from tests.support.builders import KEY, MONDAY_10_00

T0 = MONDAY_10_00


def minute(number: int, price: float, volume: int) -> MinuteCandle:
    return MinuteCandle(
        T0 + number * MINUTE_MS, price, price + 1, price - 1, price + 0.5, volume, oi=number
    )


def test_a_bar_is_put_together_of_its_minutes_newest_first_as_upstox_has_them() -> None:
    day = [minute(number, 100.0 + number, 10) for number in range(12)]
    (bar,) = repaired_bars(KEY, day[::-1], {T0 + WINDOW_MS})
    assert (bar.open, bar.high, bar.low, bar.close) == (105.0, 110.0, 104.0, 109.5)
    assert (bar.volume, bar.vtt, bar.oi) == (50, 100, 9)
    assert (bar.state, bar.start, bar.ticks) == (BarState.REPAIRED, T0 + WINDOW_MS, 0)
    assert (bar.ltq, bar.ltt, bar.atp) == (None, None, None)


def test_a_window_without_a_candle_has_no_bar() -> None:
    assert repaired_bars(KEY, [minute(0, 100.0, 10)], {T0 + WINDOW_MS}) == []


def test_an_index_has_no_volume() -> None:
    (bar,) = repaired_bars(KEY, [minute(0, 24_000.0, 0), minute(1, 24_001.0, 0)], {T0})
    assert (bar.volume, bar.vtt) == (None, None)
