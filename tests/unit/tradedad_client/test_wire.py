"""The gateway decodes the client's requests, and the client decodes the gateway's messages."""

import pytest

from services.gateway.fanout import channels, interest
from services.gateway.stream import protocol, replies
from services.gateway.stream.frames import batch_frame
from services.gateway.stream.protocol import parse
from shared.contracts.messages import encode
from tests.support.builders import KEY, quote
from tradedad_client import wire
from tradedad_client.errors import NotUnderstood
from tradedad_client.messages import Channel


def test_requests_are_decoded_by_the_gateway() -> None:
    assert parse(wire.authenticate("t")) == protocol.Authenticate(token="t")
    assert parse(wire.subscribe(1, Channel.QUOTES, [KEY], 250)) == protocol.Subscribe(
        id=1, channel=channels.Channel.QUOTES, keys=[KEY], interval_ms=250
    )
    assert parse(wire.subscribe(2, Channel.ORDERS, [], None)) == protocol.Subscribe(
        id=2, channel=channels.Channel.ORDERS
    )
    assert parse(wire.unsubscribe(3, Channel.STATUS, [])) == protocol.Unsubscribe(
        id=3, channel=channels.Channel.STATUS
    )


def test_replies_of_the_gateway_are_decoded() -> None:
    assert wire.decode(replies.encode(replies.Authenticated("u", 9))) == wire.Authenticated("u", 9)
    assert wire.decode(replies.encode(replies.Expiring(9))) == wire.Expiring(9)
    assert wire.decode(replies.encode(replies.Pong(9, 4))) == wire.Pong(9, 4)
    heartbeat = replies.Heartbeat(9, feed_is_current=False)
    assert wire.decode(replies.encode(heartbeat)) == wire.HeartbeatMessage(9, False)
    assert wire.decode(replies.encode(replies.Gap(channels.Channel.ORDERS))) == wire.GapNotice(
        Channel.ORDERS
    )
    results = {KEY: interest.Outcome.LIVE}
    assert wire.decode(replies.encode(replies.Ack(1, results))) == wire.Ack(1, {KEY: "live"})
    outcomes = wire.decode(replies.encode(replies.Outcomes(channels.Channel.DEPTH, results)))
    assert outcomes == wire.Outcomes(Channel.DEPTH, {KEY: "live"})


def body(frame: bytes) -> bytes:
    """Return the payload of a text frame."""
    return frame[frame.index(b"{") :]


@pytest.mark.parametrize("is_snapshot", [True, False])
def test_quotes_of_a_snapshot_have_the_snapshot_flag(is_snapshot: bool) -> None:
    encoded = [encode(quote(seq=seq)) for seq in (1, 2)]
    head = replies.snapshot_head if is_snapshot else replies.batch_head
    decoded = wire.decode(body(batch_frame(head(channels.Channel.QUOTES), encoded)))
    assert isinstance(decoded, wire.Quotes)
    assert [(item.seq, item.snapshot) for item in decoded.data] == [
        (1, is_snapshot),
        (2, is_snapshot),
    ]


def test_unknown_types_and_fields_are_ignored() -> None:
    assert wire.decode('{"type":"fireworks","data":[1]}') is None
    assert wire.decode('{"type":"pong","now":5,"mood":"good"}') == wire.Pong(5)


@pytest.mark.parametrize(
    "data", ["", "[]", "{}", '{"type":1}', '{"type":"quotes","data":[{"key":1}]}', "\x00"]
)
def test_an_invalid_message_is_refused(data: str) -> None:
    with pytest.raises(NotUnderstood):
        wire.decode(data)


def test_keys_are_split_into_requests_that_the_gateway_accepts() -> None:
    keys = [f"NSE_FO|{'₹' * 40}{number}" for number in range(1_200)]
    chunks = list(wire.split_keys(keys))
    assert [key for chunk in chunks for key in chunk] == keys
    assert max(len(wire.subscribe(9, Channel.QUOTES, chunk, 1_000)) for chunk in chunks) < 16_384
    assert list(wire.split_keys(())) == [[]]
