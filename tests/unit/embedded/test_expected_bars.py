"""Bars are computed from all trades of a window."""

from typing import Any

from embedded.expected_bars import ExpectedBar, differences, expected_bars
from tests.support.builders import KEY, MONDAY_10_00

WINDOW_MS = 300_000
DAY_MS = 86_400_000


def trade(time_ms: int, price: float, quantity: int | None = 10) -> dict[str, Any]:
    return {"time_ms": time_ms, "price": price, "quantity": quantity}


def test_a_bar_has_the_prices_and_volumes_of_its_window() -> None:
    bars = expected_bars(
        KEY,
        [
            trade(MONDAY_10_00 - 1, 100.0, 7),
            trade(MONDAY_10_00, 101.0),
            trade(MONDAY_10_00 + 1_000, 103.0),
            trade(MONDAY_10_00 + WINDOW_MS - 1, 99.0),
            trade(MONDAY_10_00 + WINDOW_MS, 500.0),
        ],
    )
    assert bars[MONDAY_10_00] == ExpectedBar(KEY, MONDAY_10_00, 101.0, 103.0, 99.0, 99.0, 30, 37)


def test_the_cumulative_volume_starts_again_each_day() -> None:
    bars = expected_bars(KEY, [trade(MONDAY_10_00, 1.0), trade(MONDAY_10_00 + DAY_MS, 1.0)])
    assert [bar.vtt for bar in bars.values()] == [10, 10]


def test_an_index_has_no_volume() -> None:
    (bar,) = expected_bars(KEY, [trade(MONDAY_10_00, 1.0, None)]).values()
    assert (bar.volume, bar.vtt) == (None, None)


def test_each_field_that_differs_is_reported() -> None:
    (bar,) = expected_bars(KEY, [trade(MONDAY_10_00, 1.0)]).values()
    stored = {"open": 1.0, "high": 2.0, "low": 1.0, "close": 1.0, "volume": 9, "vtt": 10}
    high, volume = differences(bar, stored)
    assert high.endswith("high: traded 1.0, stored 2.0")
    assert volume.endswith("volume: traded 10, stored 9")
