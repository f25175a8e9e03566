"""Every kind of bad JSON is one exception."""

import msgspec
import pytest

from shared.contracts.strict_json import decode_json, json_decoder


class Message(msgspec.Struct):
    text: str


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b'{"text":5}', b'{"text":"\x8a"}', b"\xff\xfe", b"[" * 100_000, b'{"x":' * 100_000],
    ids=["empty", "broken", "type", "not UTF-8", "UTF-16", "deep lists", "deep objects"],
)
def test_anything_wrong_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        json_decoder(Message)(data)
    with pytest.raises(msgspec.DecodeError):
        decode_json(data, Message)


def test_a_good_message_is_decoded() -> None:
    assert json_decoder(Message)(b'{"text":"a"}') == decode_json(b'{"text":"a"}', Message)
