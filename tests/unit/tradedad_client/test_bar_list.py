"""Bars become data frames without losing their times, their zone or what is unknown."""

import builtins
from typing import Any

import polars as pl
import pytest

from tests.support.builders import MONDAY_10_00
from tradedad_client import BarList, HistoryBar

FIVE_MINUTES = 300_000


def bar(start: int, **fields: Any) -> HistoryBar:
    return HistoryBar(
        start=start, end=start + FIVE_MINUTES, open=1.0, high=3.0, low=0.5, close=2.0, ticks=4,
        state="complete", **fields,
    )  # fmt: skip


BARS = BarList(
    "NSE_EQ|X",
    "5m",
    [bar(MONDAY_10_00, volume=2**53 + 1), bar(MONDAY_10_00 + FIVE_MINUTES, source="upstox")],
)


def test_it_is_a_list_that_shows_its_span() -> None:
    assert len(BARS) == 2
    assert BARS[0].time.isoformat().endswith("T10:00:00+05:30")
    assert repr(BARS).startswith("BarList('NSE_EQ|X', '5m', 2 bars, ")
    assert "10:00 to" in repr(BARS)
    assert repr(BarList("A|1", "1d")) == "BarList('A|1', '1d', 0 bars)"


@pytest.mark.parametrize("bars", [BARS, BarList("A|1", "5m")], ids=["two", "none"])
def test_a_frame_of_pandas_is_indexed_by_time_in_india(bars: BarList) -> None:
    frame = bars.to_pandas()
    assert str(frame.index.dtype) == "datetime64[ms, Asia/Kolkata]"
    assert str(frame["end"].dtype) == "datetime64[ms, Asia/Kolkata]"
    assert [str(frame[name].dtype) for name in ("close", "volume", "state")] == [
        "float64", "Int64", "string",
    ]  # fmt: skip
    assert len(frame) == len(bars)


def test_values_of_pandas_are_exact_and_unknown_ones_missing() -> None:
    frame = BARS.to_pandas()
    assert frame.index[0].isoformat() == BARS[0].time.isoformat()
    assert int(frame["volume"].iloc[0]) == 2**53 + 1
    assert frame["volume"].isna().tolist() == [False, True]
    assert frame["oi"].isna().all()


@pytest.mark.parametrize("bars", [BARS, BarList("A|1", "5m")], ids=["two", "none"])
def test_a_frame_of_polars_has_the_same_columns(bars: BarList) -> None:
    frame = bars.to_polars()
    assert frame.schema["start"] == pl.Datetime("ms", "Asia/Kolkata")
    assert frame.schema["volume"] == pl.Int64
    assert frame.columns == ["start", *bars.to_pandas().columns]
    assert frame.height == len(bars)
    if bars:
        assert frame["start"][0].isoformat() == bars[0].time.isoformat()
        assert frame["volume"].to_list() == [2**53 + 1, None]


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_missing_package_is_named_with_its_extra(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_import = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name == package:
            raise ImportError(name)
        return real_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=rf"pip install 'trade-dad-client\[{package}\]'"):
        getattr(BARS, f"to_{package}")()
