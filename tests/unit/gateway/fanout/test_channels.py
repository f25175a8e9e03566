"""The wildcard keys of subscriptions."""

import pytest

from services.gateway.fanout.channels import is_wildcard, wildcards_of


@pytest.mark.parametrize(
    ("key", "expected"),
    [("*", True), ("NSE_EQ|*", True), ("NSE_EQ|INE002A01018", False), ("NSE_EQ|*A", False)],
)
def test_a_star_alone_or_after_the_segment_is_a_wildcard(key: str, *, expected: bool) -> None:
    assert is_wildcard(key) is expected


def test_an_instrument_is_matched_by_two_wildcards() -> None:
    assert wildcards_of("NSE_EQ|INE002A01018") == ("*", "NSE_EQ|*")
