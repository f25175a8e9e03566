"""The JSON encoding of replies, live batches and snapshots."""

import json

import pytest

from services.gateway.fanout.channels import Channel
from services.gateway.stream import replies
from services.gateway.stream.frames import text_frame
from services.gateway.stream.json_framing import JsonFraming
from tests.support.websocket_frames import messages

ENCODED = [b'{"key":"NSE_EQ|A","ltp":1.10}', b'{"key":"NSE_EQ|B"}']
DECODED = [json.loads(message) for message in ENCODED]


def test_a_reply_is_one_text_frame() -> None:
    reply = replies.encode(replies.Pong(5, 3))
    frame = JsonFraming().reply(reply)
    assert frame == text_frame(reply)
    assert list(messages(frame)) == [{"type": "pong", "now": 5, "id": 3}]


@pytest.mark.parametrize("channel", Channel)
def test_a_live_batch_names_its_channel(channel: Channel) -> None:
    frame = JsonFraming().live(channel, ENCODED)
    assert list(messages(frame)) == [{"type": channel.value, "data": DECODED}]


@pytest.mark.parametrize("channel", Channel)
def test_a_snapshot_is_marked_as_such(channel: Channel) -> None:
    frame = JsonFraming().snapshot(channel, ENCODED)
    assert list(messages(frame)) == [{"type": channel.value, "snapshot": True, "data": DECODED}]


def test_messages_are_copied_without_being_encoded_again() -> None:
    framing = JsonFraming()
    for frame in (
        framing.live(Channel.QUOTES, ENCODED),
        framing.snapshot(Channel.QUOTES, ENCODED),
    ):
        assert b"[" + b",".join(ENCODED) + b"]" in frame
