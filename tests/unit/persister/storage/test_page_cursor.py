"""A cursor is accepted with the request that it was made for, and with no other one."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.persister.storage.page_cursor import encode_cursor, page_start
from shared.contracts.history import (
    MAX_CURSOR_CHARS,
    MAX_TIME_MS,
    BarsRequest,
    GapsRequest,
    Interval,
)
from shared.contracts.subjects import MAX_KEY_CHARS
from shared.errors import InvalidField
from tests.support.builders import KEY, OTHER_KEY

BARS = BarsRequest(key=KEY, from_ms=10, to_ms=20, interval=Interval.HOUR, limit=7)
GAPS = GapsRequest(key=KEY, from_ms=10, to_ms=20)
GAP_ID = "0123456789abcdef"


def next_page(request: Any, cursor: str, **changes: Any) -> Any:
    return msgspec.structs.replace(request, cursor=cursor, **changes)


@pytest.mark.parametrize("request_", [BARS, GAPS])
def test_the_first_page_starts_with_the_range(request_: Any) -> None:
    assert page_start(request_) == (10, "")


def test_a_later_page_starts_where_the_one_before_it_ended() -> None:
    assert page_start(next_page(BARS, encode_cursor(BARS, 15))) == (15, "")
    assert page_start(next_page(GAPS, encode_cursor(GAPS, 15, GAP_ID))) == (15, GAP_ID)


def test_a_page_may_have_another_limit() -> None:
    assert page_start(next_page(BARS, encode_cursor(BARS, 15), limit=1)) == (15, "")


@pytest.mark.parametrize(
    ("request_", "changes"),
    [
        (BARS, {"key": OTHER_KEY}),
        (BARS, {"interval": Interval.DAY}),
        (BARS, {"from_ms": 9}),
        (BARS, {"to_ms": 21}),
        (GAPS, {"key": OTHER_KEY}),
        (GAPS, {"from_ms": 9}),
        (GAPS, {"to_ms": 21}),
    ],
    ids=str,
)
def test_a_cursor_of_another_request_is_refused_and_the_field_is_named(
    request_: Any, changes: dict[str, Any]
) -> None:
    (field,) = changes
    with pytest.raises(InvalidField, match=f"{field} must be the same") as caught:
        page_start(next_page(request_, encode_cursor(request_, 15), **changes))
    assert caught.value.field == field


def test_a_cursor_of_gaps_is_none_of_bars() -> None:
    with pytest.raises(InvalidField) as caught:
        page_start(next_page(BARS, encode_cursor(GAPS, 15)))
    assert caught.value.field == "cursor"


def test_a_cursor_before_the_range_is_refused() -> None:
    with pytest.raises(InvalidField) as caught:
        page_start(next_page(BARS, encode_cursor(BARS, 9)))
    assert caught.value.field == "cursor"


@given(st.text(max_size=MAX_CURSOR_CHARS))
def test_any_other_text_is_no_cursor(text: str) -> None:
    for request in (BARS, GAPS):
        with pytest.raises(InvalidField) as caught:
            page_start(next_page(request, text))
        assert caught.value.field == "cursor"


def test_the_longest_cursor_is_within_the_limit() -> None:
    longest = GapsRequest(key="x" * MAX_KEY_CHARS, from_ms=MAX_TIME_MS - 1, to_ms=MAX_TIME_MS)
    assert len(encode_cursor(longest, MAX_TIME_MS, GAP_ID)) <= MAX_CURSOR_CHARS
    bars = BarsRequest(key="x", from_ms=MAX_TIME_MS - 1, to_ms=MAX_TIME_MS)
    assert len(encode_cursor(bars, MAX_TIME_MS)) <= MAX_CURSOR_CHARS
