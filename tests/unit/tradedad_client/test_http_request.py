"""Paths and queries are encoded."""

import pytest

from tradedad_client.http_request import path_segment, with_query


def test_a_query_is_encoded_and_a_list_is_repeated() -> None:
    assert with_query("/v1/x", {}) == "/v1/x"
    assert with_query("/v1/x", {"q": "l&t fin", "keys": ["A|1", "B|2"]}) == (
        "/v1/x?q=l%26t%20fin&keys=A%7C1&keys=B%7C2"
    )


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_a_segment_that_would_be_another_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="key must not be"):
        path_segment("key", text)


def test_a_segment_is_encoded() -> None:
    assert path_segment("key", "NSE_EQ|A/B") == "NSE_EQ%7CA%2FB"
