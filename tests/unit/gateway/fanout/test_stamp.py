"""Stamps of encoded messages."""

import msgspec
import pytest

from services.gateway.fanout.stamp import Stamp, check_object, stamp_of
from shared.contracts.messages import encode
from tests.support.builders import quote


def test_the_stamp_of_a_quote_is_decoded() -> None:
    encoded = encode(quote(epoch=3, seq=7, rt=1_795_408_200_012_345))
    assert stamp_of(encoded) == Stamp(epoch=3, seq=7, rt=1_795_408_200_012_345)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b'{"epoch":1,"seq":2}',
        b'{"epoch":1,"seq":"2","rt":3}',
        b'{"epoch":1,"seq":2,"rt":3}}',
        b'{"epoch":1,"seq":2,"rt":3,"key":nope}',
        b'{"epoch":1,"seq":2,"rt":3,"key":"\xff"}',
    ],
)
def test_other_data_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        stamp_of(data)


def test_a_message_is_checked_to_be_a_json_object() -> None:
    check_object('{"name":"\u00e9","n":[1,{}]}'.encode())
    for data in (b"", b"[]", b"5", b'{"n":1', b'{"n":1}}', b'{"n":NaN}', b'{"\xe9":1}'):
        with pytest.raises(msgspec.DecodeError):
            check_object(data)
