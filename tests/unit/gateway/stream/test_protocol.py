"""The stream protocol is read strictly."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.fanout.channels import Channel
from services.gateway.stream import protocol
from shared.errors import BadMessage, InvalidField


def test_each_op_is_read() -> None:
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
def test_a_broken_rule_names_its_field(message: str, field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        protocol.parse(message)
    assert caught.value.field == field


@pytest.mark.parametrize("message", ["", "{", "nonsense", '{"op":"ping"}x'])
def test_what_is_not_json_is_a_bad_message(message: str) -> None:
    with pytest.raises(BadMessage):
        protocol.parse(message)


@given(st.text() | st.binary())
def test_any_input_is_read_or_refused(data: str | bytes) -> None:
    with suppress(BadMessage, InvalidField):
        protocol.parse(data)


@given(st.text() | st.binary())
def test_the_id_of_any_input_is_found_or_not(data: str | bytes) -> None:
    with suppress(BadMessage, InvalidField):
        protocol.parse(data)
    assert protocol.id_of(data) is None or "id" in str(data)


def test_the_id_of_a_refused_message_is_found_where_it_is_good() -> None:
    assert protocol.id_of('{"op":"dance","id":7,"x":[1]}') == 7
    assert protocol.id_of('{"op":"dance","id":"7"}') is None
    assert protocol.id_of('{"id":7') is None
