"""Requests for instruments are validated when they are decoded."""

from typing import Any

import msgspec
import pytest

from shared.contracts.instruments import (
    MAX_KEYS,
    MAX_RESULTS,
    GetReply,
    GetRequest,
    Instrument,
    SearchRequest,
)
from tests.support.builders import KEY, OTHER_KEY


def decode(request_type: type[Any], **fields: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(fields), type=request_type)


def test_a_search_without_options_has_defaults() -> None:
    request = decode(SearchRequest, query="reliance")
    assert (request.types, request.segments, request.expiry, request.limit) == ([], [], None, 20)


@pytest.mark.parametrize(
    "changes",
    [
        {"query": ""},
        {"query": "x" * 65},
        {"types": [""]},
        {"types": ["EQ"] * 17},
        {"segments": ["x" * 33]},
        {"expiry": "2026-1-1"},
        {"expiry": "tomorrow"},
        {"limit": 0},
        {"limit": MAX_RESULTS + 1},
        {"mistyped": 1},
    ],
    ids=str,
)
def test_a_search_that_breaks_a_rule_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(SearchRequest, **({"query": "reliance"} | changes))


@pytest.mark.parametrize("keys", [[], [""], [KEY] * (MAX_KEYS + 1)], ids=["none", "empty", "many"])
def test_a_request_names_between_one_and_two_hundred_keys(keys: list[str]) -> None:
    assert decode(GetRequest, keys=[KEY] * MAX_KEYS).keys == [KEY] * MAX_KEYS
    with pytest.raises(msgspec.ValidationError):
        decode(GetRequest, keys=keys)


def test_an_instrument_omits_what_is_unknown() -> None:
    share = Instrument(
        key=KEY, symbol="RELIANCE", name="RELIANCE INDUSTRIES", segment="NSE_EQ", exchange="NSE",
        type="EQ", lot_size=1,
    )  # fmt: skip
    reply = GetReply(instruments=[share], unknown=[OTHER_KEY])
    encoded = msgspec.json.encode(reply)
    assert msgspec.json.decode(encoded, type=GetReply) == reply
    (fields,) = msgspec.json.decode(encoded)["instruments"]
    assert set(fields) == {"key", "symbol", "name", "segment", "exchange", "type", "lot_size"}
