"""Distribution of messages by the hub: subscribers, wildcards, order and staleness."""

import json

import msgspec
import pytest

from services.gateway.fanout.channel_queue import ChannelQueue
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.hub import Hub
from services.gateway.fanout.topic_subjects import subject_of
from services.gateway.stream.json_framing import JsonFraming
from shared.contracts.messages import Candle, encode
from shared.contracts.subjects import (
    bar_subject,
    candle_subject,
    depth_subject,
    order_subject,
    quote_subject,
)
from shared.errors import InvalidField
from tests.support.builders import KEY, OTHER_KEY, quote
from tests.support.websocket_frames import messages

NOW_US = 1_795_408_200_000_000


def queue(channel: Channel = Channel.QUOTES) -> ChannelQueue:
    return ChannelQueue(channel, JsonFraming())


def publish(hub: Hub, seq: int, *, key: str = KEY, epoch: int = 1, age_secs: float = 0) -> None:
    message = quote(key=key, seq=seq, epoch=epoch, rt=NOW_US - int(age_secs * 1e6))
    hub.publish(Channel.QUOTES, quote_subject(key), encode(message), NOW_US)


def taken(client: ChannelQueue) -> list[tuple[str, int]]:
    """(kind, seq) of each message to send."""
    live = [("live", json.loads(message)["seq"]) for message in client.pending]
    client.pending.clear()
    snapshot = [topic.last for topic in client.snapshot_due]
    client.take(0.0)
    return live + [("snapshot", json.loads(last)["seq"]) for last in snapshot if last is not None]


def test_the_newest_quote_is_the_one_that_was_stored_last() -> None:
    assert Hub(2).newest_quote_us is None
    hub = Hub(2)
    publish(hub, 1, age_secs=1.5)
    publish(hub, 1, key=OTHER_KEY, age_secs=0.5)
    publish(hub, 2, age_secs=1)
    publish(hub, 1, key=OTHER_KEY)
    assert hub.newest_quote_us == NOW_US - 1_000_000
    hub.put(Channel.BARS, bar_subject(KEY), b"{}")
    assert hub.newest_quote_us == NOW_US - 1_000_000


def test_a_quote_is_delivered_to_its_subscribers_only() -> None:
    hub, client, other = Hub(2), queue(), queue()
    hub.subscribe(client, KEY)
    hub.subscribe(other, OTHER_KEY)
    taken(client)
    taken(other)
    publish(hub, 1)
    assert taken(client) == [("live", 1)]
    assert taken(other) == []


def test_a_subscription_starts_with_a_snapshot_of_the_last_quote() -> None:
    hub, client = Hub(2), queue()
    publish(hub, 1)
    publish(hub, 2)
    hub.subscribe(client, KEY)
    assert taken(client) == [("snapshot", 2)]
    publish(hub, 3)
    assert taken(client) == [("live", 3)]


def test_a_subscription_to_an_instrument_without_quotes_delivers_its_first_quote() -> None:
    hub, client = Hub(2), queue()
    topic = hub.subscribe(client, KEY)
    assert topic is not None
    assert topic.last is None
    taken(client)
    publish(hub, 1)
    assert taken(client) == [("live", 1)]


def test_subscribing_twice_repeats_the_snapshot_and_delivers_each_quote_once() -> None:
    hub, client = Hub(2), queue()
    publish(hub, 1)
    hub.subscribe(client, KEY)
    taken(client)
    hub.subscribe(client, KEY)
    assert taken(client) == [("snapshot", 1)]
    publish(hub, 2)
    assert taken(client) == [("live", 2)]


def test_nothing_is_delivered_after_unsubscribing() -> None:
    hub, client = Hub(2), queue()
    hub.subscribe(client, KEY)
    assert hub.unsubscribe(client, KEY)
    assert not hub.unsubscribe(client, KEY)
    publish(hub, 1)
    assert taken(client) == []


def test_a_wildcard_delivers_existing_and_later_instruments() -> None:
    hub, all_instruments, segment = Hub(2), queue(), queue()
    publish(hub, 1)
    hub.subscribe(all_instruments, "*")
    hub.subscribe(segment, "NSE_INDEX|*")
    assert taken(all_instruments) == [("snapshot", 1)]
    assert taken(segment) == []
    publish(hub, 1, key=OTHER_KEY)
    assert taken(all_instruments) == [("snapshot", 1)]
    assert taken(segment) == [("snapshot", 1)]
    publish(hub, 2, key=OTHER_KEY)
    publish(hub, 2)
    assert taken(all_instruments) == [("live", 2), ("live", 2)]
    assert taken(segment) == [("live", 2)]
    assert hub.unsubscribe(all_instruments, "*")
    publish(hub, 3)
    assert taken(all_instruments) == []


def test_an_instrument_is_delivered_until_both_its_key_and_wildcard_are_unsubscribed() -> None:
    hub, client = Hub(2), queue()
    publish(hub, 1)
    hub.subscribe(client, "*")
    hub.subscribe(client, KEY)
    taken(client)
    hub.unsubscribe(client, "*")
    publish(hub, 2)
    assert taken(client) == [("live", 2)]
    hub.subscribe(client, "*")
    hub.unsubscribe(client, KEY)
    taken(client)
    publish(hub, 3)
    assert taken(client) == [("live", 3)]


@pytest.mark.parametrize("key", ["", "x", "a|b|c", "|x", "x|", "|*"])
def test_an_invalid_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidField):
        Hub(2).subscribe(queue(), key)


def test_a_quote_from_the_stream_is_a_snapshot_and_ignored_unless_newer() -> None:
    hub, client = Hub(2), queue()
    hub.subscribe(client, KEY)
    taken(client)
    publish(hub, 2)
    hub.warm(quote_subject(KEY), encode(quote(seq=1)))
    assert taken(client) == [("live", 2)]
    hub.warm(quote_subject(KEY), encode(quote(seq=3)))
    hub.warm(quote_subject(OTHER_KEY), encode(quote(key=OTHER_KEY, seq=1)))
    assert taken(client) == [("snapshot", 3)]
    assert hub.instrument_count == 2


def test_a_repeated_or_older_quote_is_dropped() -> None:
    hub, client = Hub(2), queue()
    hub.subscribe(client, KEY)
    taken(client)
    for seq in (2, 2, 1):
        publish(hub, seq)
    assert taken(client) == [("live", 2)]


def test_a_quote_of_a_superseded_leader_is_dropped() -> None:
    hub, client = Hub(2), queue()
    hub.subscribe(client, KEY)
    hub.subscribe(client, OTHER_KEY)
    taken(client)
    publish(hub, 1, epoch=9)
    publish(hub, 50, key=OTHER_KEY, epoch=8)
    assert taken(client) == [("live", 1)]


def test_a_late_quote_is_delivered_as_a_snapshot() -> None:
    hub, client = Hub(2), queue()
    hub.subscribe(client, KEY)
    taken(client)
    publish(hub, 1, age_secs=5)
    publish(hub, 2, age_secs=4)
    assert taken(client) == [("snapshot", 2)]
    publish(hub, 3)
    assert taken(client) == [("live", 3)]


def test_a_message_without_a_stamp_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        Hub(2).publish(Channel.QUOTES, quote_subject(KEY), b'{"type":"nonsense"}', NOW_US)


def test_the_subscribed_keys_exclude_wildcards() -> None:
    hub, client, other = Hub(2), queue(), queue()
    hub.subscribe(client, KEY)
    hub.subscribe(other, KEY)
    hub.subscribe(other, "*")
    version = hub.interest_version
    hub.remove(client)
    assert hub.subscribed_keys(Channel.QUOTES) == [KEY]
    assert hub.interest_version == version
    hub.remove(other)
    assert hub.subscribed_keys(Channel.QUOTES) == []
    assert hub.interest_version > version


def test_an_order_book_is_dropped_with_its_last_subscription() -> None:
    hub, client = Hub(2), queue(Channel.DEPTH)
    hub.subscribe(client, KEY)
    hub.publish(Channel.DEPTH, depth_subject(KEY), encode(quote(rt=NOW_US)), NOW_US)
    assert hub.last(Channel.DEPTH, KEY) is not None
    hub.remove(client)
    assert hub.last(Channel.DEPTH, KEY) is None


def test_an_order_event_without_a_subscriber_creates_no_topic() -> None:
    hub = Hub(2)
    hub.put(Channel.ORDERS, order_subject("u"), b"{}")
    assert hub._topics == {}


def test_the_last_bar_and_feed_status_are_stored_and_order_events_are_not() -> None:
    hub, bars, orders, status = (
        Hub(2), queue(Channel.BARS), queue(Channel.ORDERS), queue(Channel.STATUS),
    )  # fmt: skip
    hub.put(Channel.BARS, bar_subject(KEY), b"{}")
    hub.put(Channel.STATUS, "md.status", b"{}")
    hub.put(Channel.ORDERS, order_subject("u"), b"{}")
    hub.subscribe(bars, KEY)
    hub.subscribe_whole(orders, "u")
    hub.subscribe_whole(status, "u")
    assert next(iter(bars.snapshot_due)).last == b"{}"
    assert next(iter(status.snapshot_due)).last == b"{}"
    assert [topic.last for topic in orders.topics] == [None]


def put_candle(hub: Hub, minute: int, *, epoch: int = 1, is_live: bool = True) -> None:
    candle = Candle(
        key=KEY, start=minute * 60_000, open=1.0, high=1.0, low=1.0, close=1.0, epoch=epoch, ts=1
    )
    hub.put_candle(candle_subject(KEY), encode(candle), is_live=is_live)


def taken_minutes(client: ChannelQueue) -> list[tuple[bool, int]]:
    """The minute of each candle to send, and whether it is part of a snapshot."""
    frames, _ = client.take(0.0)
    return [
        (batch.get("snapshot", False), candle["start"] // 60_000)
        for batch in messages(frames)
        for candle in batch["data"]
    ]


@pytest.mark.parametrize("key", [KEY, "NSE_EQ|*", "*"])
def test_each_minute_is_delivered_once_and_in_order_after_the_last_one(key: str) -> None:
    hub, client = Hub(2), queue(Channel.CANDLES)
    put_candle(hub, 1)
    hub.subscribe(client, key)
    assert taken_minutes(client) == [(True, 1)]
    for minute, epoch in ((2, 1), (2, 2), (1, 2), (3, 2)):
        put_candle(hub, minute, epoch=epoch)
    assert taken_minutes(client) == [(False, 2), (False, 3)]


def test_a_minute_from_the_stream_is_a_snapshot_and_ignored_unless_later() -> None:
    hub, client = Hub(2), queue(Channel.CANDLES)
    hub.subscribe(client, KEY)
    taken_minutes(client)
    put_candle(hub, 5, is_live=False)
    put_candle(hub, 4, is_live=False)
    assert taken_minutes(client) == [(True, 5)]
    put_candle(hub, 5)
    assert taken_minutes(client) == []


def test_a_candle_without_a_minute_is_malformed() -> None:
    with pytest.raises(msgspec.DecodeError):
        Hub(2).put_candle(candle_subject(KEY), b'{"start":"now"}')
    with pytest.raises(InvalidField):
        Hub(2).put_candle("md.candle.1m.", b'{"start":60000}')


def test_chains_and_deep_books_have_topics_of_their_own_that_end_with_the_last_subscriber() -> None:
    hub, client = Hub(2), queue(Channel.DEPTH)
    deep = f"{KEY}|30"
    hub.subscribe(client, KEY)
    hub.subscribe(client, deep)
    assert hub.subscribed_keys(Channel.DEPTH) == [KEY, deep]
    taken(client)
    book = encode(quote(key=KEY, seq=1, rt=NOW_US))
    hub.publish(Channel.DEPTH, subject_of(Channel.DEPTH, deep), book, NOW_US)
    assert taken(client) == [("live", 1)]
    hub.unsubscribe(client, deep)
    assert not hub.has_topic(subject_of(Channel.DEPTH, deep))
    assert hub.has_topic(depth_subject(KEY))
    chain = f"{OTHER_KEY}|2026-12-01|5"
    hub.subscribe(queue(Channel.CHAIN), chain)
    assert hub.subscribed_keys(Channel.CHAIN) == [chain]


def test_an_order_book_that_only_other_gateways_follow_is_not_kept() -> None:
    hub, client = Hub(2), queue(Channel.DEPTH)
    hub.publish(Channel.DEPTH, depth_subject(KEY), encode(quote(key=KEY, seq=1, rt=NOW_US)), NOW_US)
    assert not hub.has_topic(depth_subject(KEY))
    hub.subscribe(client, KEY)
    assert taken(client) == []
