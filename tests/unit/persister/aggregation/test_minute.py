"""A minute combines the trades that quotes show with its candle."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.persister.aggregation.minute import Minute, VolumeBounds
from shared.contracts.messages import Candle
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY, quoted_trade

T0 = MONDAY_10_00


def minute_with(*prices: float) -> Minute:
    """A minute with a trade of 10 at each price; the cumulative volume was 1 000 before."""
    minute = Minute(T0)
    for number, price in enumerate(prices):
        previous_vtt = 1_000 + 10 * number
        shown = quoted_trade(ltq=10, volume=previous_vtt + 10)
        minute.record_trade(shown, price, volume=10, previous_vtt=previous_vtt)
    return minute


def candle(**fields: Any) -> Candle:
    defaults: dict[str, Any] = {
        "key": KEY, "start": T0, "open": 99.0, "high": 105.0, "low": 98.0, "close": 101.0,
        "volume": 50, "epoch": 1, "ts": T0 + 60_000,
    }  # fmt: skip
    return Candle(**(defaults | fields))


def prices_of(minute: Minute) -> tuple[float | None, float, float, float]:
    return minute.open, minute.high, minute.low, minute.close


def test_trades_make_open_high_low_close_and_volume() -> None:
    minute = minute_with(100.0, 103.0, 97.0, 101.0)
    assert prices_of(minute) == (100.0, 103.0, 97.0, 101.0)
    assert (minute.volume, minute.last_vtt) == (40, 1_040)


def test_the_first_trade_shows_the_cumulative_volume_before_it() -> None:
    assert minute_with(100.0, 101.0).vtt_before == VolumeBounds(1_000, 1_000)


def test_a_first_trade_that_hides_others_bounds_the_volume_before_it() -> None:
    minute = Minute(T0)
    minute.record_trade(quoted_trade(ltq=10, volume=1_050), 100.0, volume=50, previous_vtt=1_000)
    assert minute.vtt_before == VolumeBounds(1_000, 1_040)


def test_a_first_trade_whose_quantity_exceeds_the_rise_of_volume_counts_alone() -> None:
    minute = Minute(T0)
    minute.record_trade(quoted_trade(ltq=10, volume=1_005), 100.0, volume=5, previous_vtt=1_000)
    assert minute.vtt_before == VolumeBounds(995, 995)


def test_the_volume_before_is_unknown_after_hidden_trades() -> None:
    minute = Minute(T0)
    minute.record_hidden_trades()
    minute.record_trade(quoted_trade(ltq=10, volume=1_010), 100.0, volume=10, previous_vtt=1_000)
    assert minute.vtt_before is None


def test_a_trade_of_an_index_has_no_volume() -> None:
    minute = Minute(T0)
    minute.record_trade(
        quoted_trade(ltq=None, volume=None), 24_000.0, volume=None, previous_vtt=None
    )
    assert (minute.close, minute.volume, minute.last_vtt) == (24_000.0, None, None)


def test_a_candle_widens_the_range_that_quotes_have_shown() -> None:
    minute = minute_with(100.0, 104.0)
    minute.record_hidden_trades()
    minute.record_hidden_tail()
    minute.apply_candle(candle(high=105.0, low=98.0))
    assert prices_of(minute) == (99.0, 105.0, 98.0, 101.0)
    assert minute.volume == 50
    assert not minute.is_partial
    assert not minute.is_tail_partial
    assert not minute.is_contradicted


@pytest.mark.parametrize(
    ("price", "high", "low"), [(110.0, 110.0, 98.0), (97.5, 105.0, 97.5), (105.05, 105.05, 98.0)]
)
def test_a_trade_outside_its_minutes_candle_counts_and_contradicts_it(
    price: float, high: float, low: float
) -> None:
    before = minute_with(100.0, price, 101.0)
    before.apply_candle(candle(high=105.0, low=98.0))
    after = Minute(T0)
    after.apply_candle(candle(high=105.0, low=98.0))
    after.record_trade(quoted_trade(ltq=10, volume=1_050), price, volume=10, previous_vtt=1_040)
    for minute in (before, after):
        assert minute.is_contradicted
        assert prices_of(minute) == (99.0, high, low, 101.0)
        assert minute.volume == 50


@pytest.mark.parametrize("volume", [None, 0])
def test_a_candle_without_volume_shows_that_the_minute_has_no_trade(volume: int | None) -> None:
    minute = Minute(T0)
    minute.record_hidden_trades()
    minute.record_hidden_tail()
    minute.apply_candle(candle(volume=volume))
    assert minute.open is None
    assert (minute.is_partial, minute.is_tail_partial, minute.is_contradicted) == (
        False, False, False
    )  # fmt: skip
    minute.record_hidden_trades()
    assert not minute.is_partial


@pytest.mark.parametrize("volume", [None, 0])
def test_a_candle_without_volume_does_not_replace_a_trade(volume: int | None) -> None:
    before = minute_with(100.0)
    before.apply_candle(candle(volume=volume))
    after = Minute(T0)
    after.apply_candle(candle(volume=volume))
    after.record_trade(quoted_trade(ltq=10, volume=1_010), 100.0, volume=10, previous_vtt=1_000)
    for minute in (before, after):
        assert prices_of(minute) == (100.0, 100.0, 100.0, 100.0)
        assert minute.volume == 10
        assert minute.is_contradicted


def test_a_candle_of_an_index_has_no_volume_and_is_used() -> None:
    minute = Minute(T0)
    minute.apply_candle(candle(key=OTHER_KEY, volume=None))
    assert prices_of(minute) == (99.0, 105.0, 98.0, 101.0)
    assert (minute.has_candle, minute.is_contradicted) == (True, False)


def test_a_minute_without_a_known_trade_has_the_prices_of_its_candle() -> None:
    minute = Minute(T0)
    minute.apply_candle(candle())
    assert prices_of(minute) == (99.0, 105.0, 98.0, 101.0)


def test_after_its_candle_nothing_changes_prices_or_volume() -> None:
    minute = Minute(T0)
    minute.apply_candle(candle())
    minute.apply_candle(candle(high=500.0))
    minute.record_trade(quoted_trade(ltq=1, volume=1_051), 102.0, volume=1, previous_vtt=1_050)
    minute.add_volume(7)
    minute.record_hidden_trades()
    minute.record_hidden_tail()
    assert prices_of(minute) == (99.0, 105.0, 98.0, 101.0)
    assert (minute.volume, minute.last_vtt) == (50, 1_051)
    assert not minute.is_partial
    assert not minute.is_tail_partial


def test_a_hidden_tail_can_be_dismissed_and_hidden_trades_cannot() -> None:
    minute = Minute(T0)
    minute.record_hidden_trades()
    minute.record_hidden_tail()
    minute.dismiss_hidden_tail()
    assert (minute.is_partial, minute.is_tail_partial) == (True, False)


@pytest.mark.parametrize(
    ("since_ms", "hidden_since_ms"), [(None, None), (T0, None), (T0 - 1, T0 - 1)]
)
def test_the_start_of_hidden_trades_is_noted_if_it_is_in_an_earlier_minute(
    since_ms: int | None, hidden_since_ms: int | None
) -> None:
    minute = Minute(T0)
    minute.record_hidden_trades(since_ms)
    assert (minute.is_partial, minute.hidden_since_ms) == (True, hidden_since_ms)
    minute.resolve_hidden_trades()
    assert minute.hidden_since_ms is None


@pytest.mark.parametrize(("candle_volume", "is_explained"), [(50, True), (40, False)])
def test_a_candle_accounts_for_hidden_trades_if_its_volume_does(
    candle_volume: int, is_explained: bool
) -> None:
    minute = Minute(T0)
    minute.record_trade(quoted_trade(ltq=10, volume=1_050), 100.0, volume=50, previous_vtt=1_000)
    minute.apply_candle(candle(volume=candle_volume))
    assert minute.accounts_for_hidden_trades is is_explained


def test_a_minute_of_an_index_accounts_for_no_hidden_trades() -> None:
    minute = Minute(T0)
    minute.apply_candle(candle(key=OTHER_KEY, volume=None))
    assert not minute.accounts_for_hidden_trades


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ((1, 9), (3, 7), (3, 7)),
        ((1, 9), (3, None), (3, 9)),
        ((4, None), (3, 7), (4, 7)),
        ((1, None), (3, None), (3, None)),
        ((1, 2), (3, 7), (3, 7)),
        ((8, 9), (3, 7), (3, 7)),
    ],
)
def test_bounds_intersect_and_the_second_ones_win_a_contradiction(
    first: tuple[int, int | None], second: tuple[int, int | None], both: tuple[int, int | None]
) -> None:
    assert VolumeBounds(*first).intersect(VolumeBounds(*second)) == VolumeBounds(*both)


bounds = st.builds(
    lambda low, width: VolumeBounds(low, None if width is None else low + width),
    st.integers(0, 100),
    st.integers(0, 50) | st.none(),
)


@given(bounds, bounds)
def test_an_intersection_is_never_empty(first: VolumeBounds, second: VolumeBounds) -> None:
    both = first.intersect(second)
    assert both.high is None or both.low <= both.high


@given(bounds, st.integers(0, 100))
def test_traded_volume_moves_both_bounds(before: VolumeBounds, volume: int) -> None:
    after = before.plus(volume)
    assert after.low - before.low == volume
    assert (after.high is None) == (before.high is None)
    assert after.high is None or after.high - after.low == (before.high or 0) - before.low
