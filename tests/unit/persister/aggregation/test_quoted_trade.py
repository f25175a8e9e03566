"""A quote's trade has the fields of the quote, in the same ranges."""

import json
from typing import Any

import msgspec
import pytest

from services.persister.aggregation.quoted_trade import QuotedTrade, decode_quoted_trade
from shared.contracts.messages import Quote, encode
from tests.support.builders import quote


def test_each_field_has_the_type_and_the_default_of_the_quote() -> None:
    fields = {field.name: field for field in msgspec.structs.fields(Quote)}
    for field in msgspec.structs.fields(QuotedTrade):
        same = fields[field.name]
        assert (field.type, field.default) == (same.type, same.default)


def test_a_trade_has_the_values_of_its_quote() -> None:
    message = quote(ltq=25, atp=1_399.5, oi=7, snap=True, bid=1_399.0, ask=1_401.0, high=1_402.0)
    trade = decode_quoted_trade(encode(message))
    for name in QuotedTrade.__struct_fields__:
        assert getattr(trade, name) == getattr(message, name)


def test_a_value_out_of_range_in_another_field_costs_no_trade() -> None:
    encoded = json.loads(encode(quote())) | {"bid": -1.0, "tbq": "many", "iep": None}
    assert decode_quoted_trade(json.dumps(encoded).encode()).ltp == 1_400.0


@pytest.mark.parametrize(
    "wrong", [{"ltp": -1.0}, {"ltp": "1"}, {"ts": 2**63}, {"volume": -1}, {"key": None}]
)
def test_a_value_out_of_range_of_its_own_is_refused(wrong: dict[str, Any]) -> None:
    encoded = json.dumps(json.loads(encode(quote())) | wrong).encode()
    with pytest.raises(msgspec.DecodeError):
        decode_quoted_trade(encoded)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"key":"' + b"\xff" + b'"}'])
def test_bytes_that_are_no_quote_are_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_quoted_trade(data)
