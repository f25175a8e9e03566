"""Distribution of messages by the hub: subscribers, wildcards, order and staleness."""

import json

import msgspec
import pytest

from services.gateway.fanout.channel_queue import ChannelQueue
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.hub import Hub
from services.gateway.stream.json_framing import JsonFraming
from shared.contracts.messages import encode
from shared.contracts.subjects import bar_subject, depth_subject, order_subject, quote_subject
from shared.errors import InvalidField
from tests.support.builders import KEY, OTHER_KEY, quote

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
    client.take(0.0, 0)
    return live + [("snapshot", json.loads(last)["seq"]) for last in snapshot if last is not None]


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
