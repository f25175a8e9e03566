"""What the client writes the gateway reads, and what the gateway writes the client reads."""

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


def test_requests_are_what_the_gateway_takes() -> None:
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


def test_answers_of_the_gateway_are_read() -> None:
    assert wire.decode(replies.encode(replies.Authenticated("u", 9))) == wire.Authenticated("u", 9)
    assert wire.decode(replies.encode(replies.Expiring(9))) == wire.Expiring(9)
    assert wire.decode(replies.encode(replies.Pong(4))) == wire.Pong(4)
    assert wire.decode(replies.encode(replies.Gap(channels.Channel.ORDERS))) == wire.GapTold(
        Channel.ORDERS
    )
    results = {KEY: interest.Outcome.LIVE}
    assert wire.decode(replies.encode(replies.Ack(1, results))) == wire.Ack(1, {KEY: "live"})
    told = wire.decode(replies.encode(replies.Outcomes(channels.Channel.DEPTH, results)))
    assert told == wire.Outcomes(Channel.DEPTH, {KEY: "live"})


def body(frame: bytes) -> bytes:
    """Of a short text frame."""
    return frame[frame.index(b"{") :]


@pytest.mark.parametrize("is_snapshot", [True, False])
def test_quotes_of_a_snapshot_are_marked(is_snapshot: bool) -> None:
    encoded = [encode(quote(seq=seq)) for seq in (1, 2)]
    head = replies.snapshot_head if is_snapshot else replies.batch_head
    read = wire.decode(body(batch_frame(head(channels.Channel.QUOTES), encoded)))
    assert isinstance(read, wire.Quotes)
    assert [(one.seq, one.snapshot) for one in read.data] == [(1, is_snapshot), (2, is_snapshot)]


def test_what_a_newer_gateway_adds_is_passed_over() -> None:
    assert wire.decode('{"type":"fireworks","data":[1]}') is None
    assert wire.decode('{"type":"pong","id":1,"mood":"good"}') == wire.Pong(1)


@pytest.mark.parametrize(
    "nonsense", ["", "[]", "{}", '{"type":1}', '{"type":"quotes","data":[{"key":1}]}', "\x00"]
)
def test_what_is_no_message_is_refused(nonsense: str) -> None:
    with pytest.raises(NotUnderstood):
        wire.decode(nonsense)


def test_keys_go_in_portions_that_fit_into_the_gateways_messages() -> None:
    keys = [f"NSE_FO|{'₹' * 40}{number}" for number in range(1_200)]
    portions = list(wire.portions(keys))
    assert [key for portion in portions for key in portion] == keys
    assert max(len(wire.subscribe(9, Channel.QUOTES, one, 1_000)) for one in portions) < 16_384
    assert list(wire.portions(())) == [[]]
