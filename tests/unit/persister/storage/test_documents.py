"""Bars and gaps become documents that sort and repeat as the store needs."""

import msgspec
import pytest
from bson.int64 import Int64
from hypothesis import given
from hypothesis import strategies as st

from services.persister.aggregation.closed_windows import WindowGap
from services.persister.storage.documents import (
    BAR_SCHEMA,
    GAP_SCHEMA,
    MAX_ID_TIME_MS,
    bar_document,
    bar_from_document,
    bar_id,
    bar_id_range,
    gap_document,
    plain_int,
    to_ms,
)
from shared.contracts.history import MAX_TIME_MS, GapReason
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import WINDOW_MS, to_datetime
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY

BAR = Bar(
    key=KEY, start=MONDAY_10_00, open=1_400.0, high=1_401.0, low=1_399.95, close=1_400.05, ltq=5,
    ltt=MONDAY_10_00 + 299_999, volume=3_000_000_000, vtt=9_000_000_000, atp=1_400.1, oi=None,
    ticks=7, state=BarState.PARTIAL, silent_ms=12, epoch=4,
)  # fmt: skip
GAP = WindowGap(MONDAY_10_00, MONDAY_10_00 + WINDOW_MS, GapReason.FEED_AWAY, (KEY, OTHER_KEY))
times = st.integers(0, MAX_TIME_MS)
storable_times = st.integers(1_000_000_000_000, MAX_ID_TIME_MS - 1)


def test_a_bars_document_has_the_fields_of_its_validator() -> None:
    assert bar_document(BAR).keys() | {"source"} == BAR_SCHEMA["properties"].keys()


def test_a_bar_survives_its_document() -> None:
    for bar in (BAR, msgspec.structs.replace(BAR, ltt=None, ltq=None, volume=None, vtt=None)):
        assert bar_from_document(bar_document(bar)) == bar


def test_a_bar_from_a_document_has_no_source() -> None:
    assert bar_from_document(bar_document(BAR) | {"source": "upstox"}) == BAR


def test_a_bar_from_a_document_has_plain_integers() -> None:
    document = bar_document(BAR) | {"volume": Int64(BAR.volume or 0), "epoch": Int64(4)}
    bar = bar_from_document(document)
    assert bar == BAR
    assert {type(bar.volume), type(bar.epoch)} == {int}


@pytest.mark.parametrize("number", [None, 5, Int64(1 << 40)])
def test_a_plain_integer_can_be_encoded_as_json(number: int | None) -> None:
    assert msgspec.json.decode(msgspec.json.encode(plain_int(number))) == number


@given(storable_times, times, times)
def test_an_id_is_in_the_range_of_exactly_the_times_in_it(
    start_ms: int, from_ms: int, to_ms: int
) -> None:
    ids = bar_id_range(KEY, from_ms, to_ms)
    assert (ids["$gte"] <= bar_id(KEY, start_ms) < ids["$lt"]) is (from_ms <= start_ms < to_ms)


def test_an_id_range_holds_no_bar_of_another_instrument() -> None:
    ids = bar_id_range("A|1", 0, MAX_TIME_MS)
    for key in ("A|", "A|11", "A|10", "A|2", "B|1"):
        assert not ids["$gte"] <= bar_id(key, MONDAY_10_00) < ids["$lt"]


def test_a_gaps_document_is_open_for_all_its_instruments() -> None:
    document = gap_document(GAP)
    assert document.keys() == GAP_SCHEMA["properties"].keys()
    assert document["keys"] == document["open_keys"] == [KEY, OTHER_KEY]
    assert (document["state"], document["abandoned_keys"]) == ("open", [])


def test_equal_gaps_have_one_id_and_different_gaps_have_different_ids() -> None:
    start_ms, end_ms, reason, keys = GAP.start_ms, GAP.end_ms, GAP.reason, GAP.keys
    others = [
        WindowGap(start_ms - WINDOW_MS, end_ms, reason, keys),
        WindowGap(start_ms, end_ms + WINDOW_MS, reason, keys),
        WindowGap(start_ms, end_ms, GapReason.ENTRIES_LOST, keys),
        WindowGap(start_ms, end_ms, reason, (KEY,)),
    ]
    again = WindowGap(start_ms, end_ms, reason, keys)
    assert gap_document(again) == gap_document(GAP)
    assert len({gap_document(gap)["_id"] for gap in (GAP, *others)}) == 5


@given(times)
def test_a_time_survives_its_date(at_ms: int) -> None:
    assert to_ms(to_datetime(at_ms)) == at_ms
