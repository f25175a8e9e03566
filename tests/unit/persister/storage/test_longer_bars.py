"""The state and the values of a longer bar made of a row of the database."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.persister.storage.longer_bars import longer_bar
from shared.contracts.history import HistoryBar, HistoryBarState

HOUR_MS = 3_600_000
ROW: dict[str, Any] = {
    "_id": HOUR_MS, "open": 1.0, "high": 3.0, "low": 0.5, "close": 2.0, "ltq": 5,
    "ltt": datetime(1970, 1, 1, 1, 59, tzinfo=UTC), "volume": 70, "parts_with_volume": 3,
    "vtt": 700, "atp": 1.5, "oi": 9, "ticks": 4, "certainty": 0, "silent_ms": 0, "parts": 3,
}  # fmt: skip


def state(*, closed_until_ms: int, certainty: int = 0, incomplete: tuple[int, ...] = ()) -> str:
    row = ROW | {"certainty": certainty}
    bar = longer_bar(row, HOUR_MS, closed_until_ms=closed_until_ms, incomplete=incomplete)
    return bar.state.value


@pytest.mark.parametrize("certainty", [0, 1, 2])
def test_a_bar_is_forming_until_all_its_windows_are_stored(certainty: int) -> None:
    assert state(closed_until_ms=2 * HOUR_MS - 1, certainty=certainty) == "forming"
    assert state(closed_until_ms=2 * HOUR_MS, certainty=certainty) != "forming"


def test_a_bar_has_the_least_certain_state_of_its_parts() -> None:
    states = [state(closed_until_ms=2 * HOUR_MS, certainty=certainty) for certainty in range(3)]
    assert states == ["complete", "repaired", "partial"]


def test_a_bar_with_a_missing_window_is_partial() -> None:
    assert state(closed_until_ms=2 * HOUR_MS, incomplete=(HOUR_MS,)) == "partial"
    assert state(closed_until_ms=2 * HOUR_MS, incomplete=(0, 2 * HOUR_MS)) == "complete"


def test_a_bar_has_the_values_of_its_row() -> None:
    assert longer_bar(ROW, HOUR_MS, closed_until_ms=2 * HOUR_MS, incomplete=()) == HistoryBar(
        start=HOUR_MS, end=2 * HOUR_MS, open=1.0, high=3.0, low=0.5, close=2.0, ltq=5,
        ltt=2 * HOUR_MS - 60_000, volume=70, vtt=700, atp=1.5, oi=9, ticks=4,
        state=HistoryBarState.COMPLETE,
    )  # fmt: skip


def test_a_bar_of_an_index_has_no_volume() -> None:
    row = ROW | {"volume": 0, "parts_with_volume": 0, "vtt": None, "ltq": None, "ltt": None}
    bar = longer_bar(row, HOUR_MS, closed_until_ms=0, incomplete=())
    assert (bar.volume, bar.vtt, bar.ltq, bar.ltt) == (None, None, None, None)
