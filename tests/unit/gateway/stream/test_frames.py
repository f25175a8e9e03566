"""Frames are as RFC 6455 has them, whatever their size."""

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
def test_the_length_comes_before_the_payload(size: int, head: bytes) -> None:
    payload = b"x" * size
    assert text_frame(payload[:10], payload[10:]) == head + payload


@pytest.mark.parametrize("size", [1, 100, 111, 112, 113, 65_521, 65_522, 65_523, 70_000])
def test_a_batch_holds_each_message_as_it_was_encoded(size: int) -> None:
    long = json.dumps("y" * size).encode()
    frame = batch_frame(HEAD, [b"1.10", long])
    payload = HEAD + b"1.10," + long + b"]}"
    assert frame == text_frame(payload)
