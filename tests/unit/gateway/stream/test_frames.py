"""WebSocket frames of every size class of RFC 6455."""

import json

import pytest

from services.gateway.stream.frames import batch_frame, text_frame

HEAD = b'{"data":['


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_the_header_encodes_the_payload_length(size: int, head: bytes) -> None:
    payload = b"x" * size
    assert text_frame(payload[:10], payload[10:]) == head + payload


@pytest.mark.parametrize("size", [1, 100, 111, 112, 113, 65_521, 65_522, 65_523, 70_000])
def test_a_batch_contains_each_message_unchanged(size: int) -> None:
    long = json.dumps("y" * size).encode()
    frame = batch_frame(HEAD, [b"1.10", long])
    payload = HEAD + b"1.10," + long + b"]}"
    assert frame == text_frame(payload)
