"""All subscriptions are requested on every stream, and messages reach the right ones."""

import json
from typing import Any

import pytest
from msgspec import structs

from services.gateway.fanout import channels, interest
from services.gateway.stream import replies
from shared.contracts.messages import Depth, encode
from shared.contracts.option_chains import Chain, ChainRow, encode_chain
from shared.errors import InvalidField
from tests.support.builders import KEY, OTHER_KEY, quote
from tradedad_client.buffers import ConflatingBuffer, FifoBuffer
from tradedad_client.errors import NotUnderstood, SubscriptionRefused, TooSlow
from tradedad_client.messages import (
    Channel,
    Connected,
    Gap,
    Heartbeat,
    OrderEvent,
    OutcomesChanged,
    Quote,
    Renewed,
)
from tradedad_client.protocol import StreamProtocol
from tradedad_client.subscription_state import SubscriptionState


def quotes_of(*keys: str, interval_ms: int | None = None) -> SubscriptionState:
    buffer = ConflatingBuffer[Quote](
        100, lambda item: item.key, lambda item: (item.epoch, item.seq)
    )
    return SubscriptionState(Channel.QUOTES, keys, buffer, interval_ms)


def orders() -> SubscriptionState:
    return SubscriptionState(Channel.ORDERS, (), FifoBuffer[Any](2))


def take_requests(protocol: StreamProtocol) -> list[dict[str, Any]]:
    """Remove and return the queued requests, without their ids."""
    requests = [json.loads(request) for request in protocol.requests]
    protocol.requests.clear()
    return [{k: v for k, v in request.items() if k != "id"} for request in requests]


def request_ids(protocol: StreamProtocol) -> list[int]:
    return [json.loads(request).get("id", 0) for request in protocol.requests]


def batch(channel: str, *data: bytes, snapshot: bool = False) -> bytes:
    flag = b',"snapshot":true' if snapshot else b""
    return b'{"type":"%s"%s,"data":[%s]}' % (channel.encode(), flag, b",".join(data))


def live(protocol: StreamProtocol) -> StreamProtocol:
    protocol.stream_opened("token")
    assert take_requests(protocol) == [{"op": "auth", "token": "token"}]
    protocol.receive(replies.encode(replies.Authenticated("u", 99)))
    return protocol


SUBSCRIBE = {"op": "subscribe", "channel": "quotes"}
UNSUBSCRIBE = {"op": "unsubscribe", "channel": "quotes"}


def test_nothing_is_requested_before_the_token_is_accepted() -> None:
    protocol = StreamProtocol()
    protocol.add(quotes_of(KEY))
    protocol.stream_opened("token")
    assert take_requests(protocol) == [{"op": "auth", "token": "token"}]
    protocol.add(quotes_of(OTHER_KEY))
    assert take_requests(protocol) == []
    protocol.receive(replies.encode(replies.Authenticated("u", 99)))
    assert protocol.is_live
    assert take_requests(protocol) == [
        SUBSCRIBE | {"keys": [KEY]},
        SUBSCRIBE | {"keys": [OTHER_KEY]},
    ]


def test_open_subscriptions_are_requested_again_on_the_next_stream() -> None:
    protocol = live(StreamProtocol())
    kept, removed = quotes_of(KEY, OTHER_KEY), quotes_of("*")
    protocol.add(kept)
    protocol.add(removed)
    protocol.remove(removed)
    protocol.stream_lost()
    assert (protocol.is_live, kept.is_answered) == (False, False)
    live(protocol)
    assert take_requests(protocol) == [SUBSCRIBE | {"keys": [KEY, OTHER_KEY]}]


def test_an_ack_of_an_earlier_stream_is_ignored() -> None:
    protocol = live(StreamProtocol())
    subscription = quotes_of(KEY)
    protocol.add(subscription)
    (earlier_id,) = request_ids(protocol)
    protocol.stream_lost()
    take_requests(protocol)
    live(protocol)
    protocol.receive(replies.encode(replies.Ack(earlier_id, {KEY: interest.Outcome.LIVE})))
    was_answered = subscription.is_answered
    (current_id,) = request_ids(protocol)
    protocol.receive(replies.encode(replies.Ack(current_id, {KEY: interest.Outcome.PENDING})))
    assert (was_answered, subscription.is_answered) == (False, True)
    assert subscription.outcomes == {KEY: "pending"}


def test_only_keys_of_no_other_subscription_are_unsubscribed() -> None:
    protocol = live(StreamProtocol())
    narrow, wide = quotes_of(KEY), quotes_of(KEY, OTHER_KEY)
    protocol.add(narrow)
    protocol.add(wide)
    take_requests(protocol)
    protocol.remove(wide)
    assert take_requests(protocol) == [UNSUBSCRIBE | {"keys": [OTHER_KEY]}]
    protocol.remove(narrow)
    protocol.remove(narrow)
    assert take_requests(protocol) == [UNSUBSCRIBE | {"keys": [KEY]}]
    assert narrow.is_closed
    assert narrow.error is None


def test_each_key_is_requested_with_the_shortest_interval_of_its_subscriptions() -> None:
    protocol = live(StreamProtocol())
    slow, fast = quotes_of(KEY, interval_ms=1_000), quotes_of(KEY, OTHER_KEY, interval_ms=200)
    unlimited, slowest = quotes_of(OTHER_KEY), quotes_of(KEY, OTHER_KEY, interval_ms=5_000)
    for subscription in (slow, fast, unlimited, slowest):
        protocol.add(subscription)
    requests = [(each["keys"], each.get("interval_ms")) for each in take_requests(protocol)]
    assert requests == [
        ([KEY], 1_000), ([KEY, OTHER_KEY], 200), ([OTHER_KEY], None),
        ([KEY], 200), ([OTHER_KEY], None),
    ]  # fmt: skip
    protocol.remove(unlimited)
    assert take_requests(protocol) == [SUBSCRIBE | {"keys": [OTHER_KEY], "interval_ms": 200}]
    protocol.remove(slow)
    assert take_requests(protocol) == []
    protocol.remove(fast)
    assert take_requests(protocol) == [
        SUBSCRIBE | {"keys": [KEY, OTHER_KEY], "interval_ms": 5_000},
    ]
    protocol.remove(slowest)
    assert take_requests(protocol) == [UNSUBSCRIBE | {"keys": [KEY, OTHER_KEY]}]


def test_a_subscription_is_ready_once_the_requests_of_all_its_intervals_are_answered() -> None:
    protocol = live(StreamProtocol())
    protocol.add(quotes_of(KEY, interval_ms=200))
    take_requests(protocol)
    mixed = quotes_of(KEY, OTHER_KEY, interval_ms=500)
    protocol.add(mixed)
    for request_id, key in ((2, KEY), (3, OTHER_KEY)):
        assert not mixed.is_answered
        protocol.receive(json.dumps({"type": "ack", "id": request_id, "results": {key: "live"}}))
    assert mixed.is_answered
    assert mixed.outcomes == {KEY: "live", OTHER_KEY: "live"}


def test_a_message_reaches_all_subscriptions_that_match_by_key_or_wildcard() -> None:
    protocol = live(StreamProtocol())
    subscriptions = {
        "key": quotes_of(KEY),
        "segment": quotes_of("NSE_EQ|*"),
        "other": quotes_of("NSE_INDEX|*", OTHER_KEY),
        "all": quotes_of("*", KEY),
    }
    for subscription in subscriptions.values():
        protocol.add(subscription)
    protocol.receive(batch("quotes", encode(quote(seq=1)), encode(quote(seq=2))))
    waiting = {name: len(subscription.buffer) for name, subscription in subscriptions.items()}
    assert waiting == {"key": 2, "segment": 2, "other": 0, "all": 2}


def test_after_a_reconnect_only_newer_quotes_are_delivered() -> None:
    protocol = live(StreamProtocol())
    subscription = quotes_of(KEY)
    protocol.add(subscription)
    protocol.receive(batch("quotes", encode(quote(epoch=2, seq=5))))
    first = subscription.buffer.take()
    assert first is not None
    assert first.seq == 5
    protocol.stream_lost()
    take_requests(protocol)
    live(protocol)
    protocol.receive(batch("quotes", encode(quote(epoch=2, seq=5)), snapshot=True))
    protocol.receive(batch("quotes", encode(quote(epoch=1, seq=9))))
    assert subscription.buffer.take() is None
    protocol.receive(batch("quotes", encode(quote(epoch=2, seq=7)), snapshot=True))
    last = subscription.buffer.take()
    assert last is not None
    assert (last.seq, last.snapshot) == (7, True)


def test_orders_have_a_gap_after_a_reconnect_but_not_after_the_first_connect() -> None:
    protocol = StreamProtocol()
    subscription = orders()
    protocol.add(subscription)
    live(protocol)
    assert subscription.buffer.take() is None
    protocol.stream_lost()
    take_requests(protocol)
    live(protocol)
    assert subscription.buffer.take() == Gap(Channel.ORDERS)
    protocol.receive(replies.encode(replies.Gap(channels.Channel.ORDERS)))
    assert subscription.buffer.take() == Gap(Channel.ORDERS)


def test_a_full_buffer_of_orders_ends_only_its_own_subscription() -> None:
    protocol = live(StreamProtocol())
    subscription, other = orders(), quotes_of(KEY)
    protocol.add(subscription)
    protocol.add(other)
    take_requests(protocol)
    protocol.receive(batch("orders", b'{"n":1}', b'{"n":2}', b'{"n":3}', b'{"n":4}'))
    assert isinstance(subscription.error, TooSlow)
    assert [subscription.buffer.take() for _ in range(3)] == [
        OrderEvent({"n": 1}),
        OrderEvent({"n": 2}),
        None,
    ]
    assert take_requests(protocol) == [{"op": "unsubscribe", "channel": "orders"}]
    assert not other.is_closed


def test_a_refused_request_ends_only_its_own_subscription() -> None:
    protocol = live(StreamProtocol())
    valid, invalid = quotes_of(KEY), quotes_of("x" * 200)
    protocol.add(valid)
    protocol.add(invalid)
    _, request_id = request_ids(protocol)
    refusal = InvalidField("too long", field="keys[0]")
    protocol.receive(replies.encode(replies.refusal(refusal, request_id)))
    assert isinstance(invalid.error, SubscriptionRefused)
    assert (invalid.error.code, invalid.error.field) == ("invalid_field", "keys[0]")
    assert not valid.is_closed


def test_listeners_receive_the_events_of_the_stream() -> None:
    protocol = StreamProtocol()
    listener = protocol.add_listener()
    live(protocol)
    protocol.receive(replies.encode(replies.Authenticated("u", 199)))
    changed = {KEY: interest.Outcome.NO_CAPACITY}
    protocol.receive(replies.encode(replies.Outcomes(channels.Channel.QUOTES, changed)))
    events = [listener.buffer.take() for _ in range(4)]
    assert events == [
        Connected("u"),
        Renewed(199),
        OutcomesChanged(Channel.QUOTES, {KEY: "no_capacity"}),
        None,
    ]


def test_a_token_is_needed_from_the_expiry_warning_until_it_is_sent() -> None:
    protocol = live(StreamProtocol())
    assert not protocol.needs_token
    protocol.receive(replies.encode(replies.Expiring(99)))
    needed = protocol.needs_token
    protocol.authenticate("newer")
    assert (needed, protocol.needs_token) == (True, False)
    assert take_requests(protocol) == [{"op": "auth", "token": "newer"}]


def test_the_last_error_is_kept_until_the_next_stream() -> None:
    protocol = live(StreamProtocol())
    protocol.receive(b'{"type":"error","code":"revoked","detail":"ended"}')
    assert protocol.last_error is not None
    assert protocol.last_error.code == "revoked"
    protocol.stream_opened("token")
    assert protocol.last_error is None


def test_close_ends_all_subscriptions_with_the_error() -> None:
    protocol = live(StreamProtocol())
    subscription, listener = quotes_of(KEY), protocol.add_listener()
    notified: list[str] = []
    subscription.on_change = lambda: notified.append("subscription")
    listener.on_change = lambda: notified.append("listener")
    protocol.add(subscription)
    error = TooSlow("no")
    protocol.close(error)
    assert notified == ["subscription", "listener"]
    assert (subscription.error, listener.error) == (error, error)


def test_an_invalid_message_is_refused() -> None:
    with pytest.raises(NotUnderstood):
        live(StreamProtocol()).receive("hello")


def test_a_heartbeat_of_the_gateway_is_an_event() -> None:
    protocol = StreamProtocol()
    listener = protocol.add_listener()
    protocol.receive(replies.encode(replies.Heartbeat(9, feed_is_current=True)))
    assert listener.buffer.take() == Heartbeat(9, True)


def test_books_of_30_levels_and_chains_reach_their_own_subscriptions() -> None:
    protocol = live(StreamProtocol())
    few, deep = (
        SubscriptionState(Channel.DEPTH, (key,), FifoBuffer[Any](9)) for key in (KEY, f"{KEY}|30")
    )
    chain_key = f"{OTHER_KEY}|2026-12-01|1"
    chain = SubscriptionState(Channel.CHAIN, (chain_key,), FifoBuffer[Any](9))
    for subscription in (few, deep, chain):
        protocol.add(subscription)
    book = Depth(key=KEY, epoch=1, seq=1, ts=1, rt=1, bids=[], asks=[])
    protocol.receive(batch("depth", encode(book), encode(structs.replace(book, levels=30))))
    rows = [ChainRow(strike=1.0)]
    published = Chain(
        key=chain_key, epoch=1, seq=1, ts=1, rt=1, underlying=OTHER_KEY, expiry="2026-12-01",
        atm=1.0, rows=rows,
    )  # fmt: skip
    protocol.receive(batch("chain", encode_chain(published), snapshot=True))
    assert [len(subscription.buffer) for subscription in (few, deep, chain)] == [1, 1, 1]
    books: list[Any] = [few.buffer.take(), deep.buffer.take()]
    assert [book.levels for book in books] == [5, 30]
    received: Any = chain.buffer.take()
    assert received.snapshot
