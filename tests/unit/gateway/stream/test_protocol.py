"""Parsing and validation of client messages."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.fanout.channels import Channel
from services.gateway.stream import protocol
from shared.errors import BadMessage, InvalidField


def test_each_op_is_parsed() -> None:
    assert protocol.parse('{"op":"auth","token":"t"}') == protocol.Authenticate("t")
    subscribe = '{"op":"subscribe","id":1,"channel":"quotes","keys":["NSE_EQ|A"]}'
    assert protocol.parse(subscribe) == protocol.Subscribe(1, Channel.QUOTES, ["NSE_EQ|A"])
    unsubscribe = subscribe.replace("subscribe", "unsubscribe")
    assert protocol.parse(unsubscribe) == protocol.Unsubscribe(1, Channel.QUOTES, ["NSE_EQ|A"])
    assert protocol.parse('{"op":"ping"}') == protocol.Ping(None)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ('{"op":"subscribe","id":"1","channel":"quotes","keys":[]}', "id"),
        ('{"op":"subscribe","id":1,"channel":"trades","keys":[]}', "channel"),
        ('{"op":"subscribe","id":1,"channel":"quotes","keys":[1]}', "keys[0]"),
        ('{"op":"subscribe","id":1,"channel":"quotes","keys":[]}', "keys"),
        ('{"op":"subscribe","id":1,"channel":"orders","keys":["A|1"]}', "keys"),
        ('{"op":"subscribe","id":1,"channel":"orders","interval_ms":250}', "interval_ms"),
        ('{"op":"subscribe","id":1,"channel":"status","interval_ms":99}', "interval_ms"),
        ('{"op":"dance"}', "op"),
        ('{"op":"auth"}', "message"),
        ('{"op":"ping","more":1}', "message"),
        ("[]", "message"),
    ],
)
def test_the_error_names_the_field_that_breaks_a_rule(message: str, field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        protocol.parse(message)
    assert caught.value.field == field


@pytest.mark.parametrize("message", ["", "{", "nonsense", '{"op":"ping"}x'])
def test_invalid_json_is_a_bad_message(message: str) -> None:
    with pytest.raises(BadMessage):
        protocol.parse(message)


@given(st.text() | st.binary())
def test_any_input_is_parsed_or_refused(data: str | bytes) -> None:
    with suppress(BadMessage, InvalidField):
        protocol.parse(data)


@given(st.text() | st.binary())
def test_the_id_is_returned_only_if_the_input_contains_an_id(data: str | bytes) -> None:
    with suppress(BadMessage, InvalidField):
        protocol.parse(data)
    assert protocol.id_of(data) is None or "id" in str(data)


def test_a_valid_id_of_a_refused_message_is_returned() -> None:
    assert protocol.id_of('{"op":"dance","id":7,"x":[1]}') == 7
    assert protocol.id_of('{"op":"dance","id":"7"}') is None
    assert protocol.id_of('{"id":7') is None
