"""A file's version is its ETag, else its Last-Modified; what is no validator is not kept."""

import pytest
from multidict import CIMultiDict

from services.persister.instruments.master_download import (
    MAX_VALIDATOR_CHARS,
    conditional_headers,
    validator_of,
)

ETAG = '"9b2cf535f27731c974343645a3985328"'
MODIFIED = "Mon, 23 Nov 2026 00:31:07 GMT"


@pytest.mark.parametrize(
    ("headers", "validator"),
    [
        ({"ETag": ETAG, "Last-Modified": MODIFIED}, ETAG),
        ({"ETag": "W/" + ETAG}, "W/" + ETAG),
        ({"Last-Modified": MODIFIED}, MODIFIED),
        ({}, ""),
    ],
)
def test_the_etag_comes_before_the_time(headers: dict[str, str], validator: str) -> None:
    assert validator_of(CIMultiDict(headers)) == validator


@pytest.mark.parametrize(
    "etag",
    [
        "", "without-quotes", '"one" "two"', '"a b"', '"ümlaut"', '"\udcff"', '"line\n"',
        f'"{"x" * (MAX_VALIDATOR_CHARS - 1)}"',
    ],
)  # fmt: skip
def test_a_malformed_or_overlong_etag_counts_as_none(etag: str) -> None:
    headers = CIMultiDict({"ETag": etag})
    assert validator_of(headers) == ""
    headers["Last-Modified"] = MODIFIED
    assert validator_of(headers) == MODIFIED


def test_the_longest_etag_is_kept() -> None:
    etag = f'"{"x" * (MAX_VALIDATOR_CHARS - 2)}"'
    assert validator_of(CIMultiDict({"ETag": etag})) == etag


@pytest.mark.parametrize("modified", ["yesterday", MODIFIED + "\n", MODIFIED * 10, "0"])
def test_a_malformed_time_counts_as_none(modified: str) -> None:
    assert validator_of(CIMultiDict({"Last-Modified": modified})) == ""


def test_each_validator_has_its_own_condition() -> None:
    assert conditional_headers(ETAG) == {"If-None-Match": ETAG}
    assert conditional_headers("W/" + ETAG) == {"If-None-Match": "W/" + ETAG}
    assert conditional_headers(MODIFIED) == {"If-Modified-Since": MODIFIED}
    assert conditional_headers("") == {}
