"""The hub hands each message to whoever wants it, newest last, and to nobody else."""

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
    one = quote(key=key, seq=seq, epoch=epoch, rt=NOW_US - int(age_secs * 1e6))
    hub.publish(Channel.QUOTES, quote_subject(key), encode(one), NOW_US)


def taken(box: ChannelQueue) -> list[tuple[str, int]]:
    """(kind, seq) of all that waits."""
    found = [("live", json.loads(message)["seq"]) for message in box.pending]
    box.pending.clear()
    fresh = [topic.last for topic in box.snapshot_due]
    box.take(0.0, 0)
    return found + [("snapshot", json.loads(last)["seq"]) for last in fresh if last is not None]


def test_a_quote_goes_to_its_subscribers_only() -> None:
    hub, one, other = Hub(2), queue(), queue()
    hub.subscribe(one, KEY)
    hub.subscribe(other, OTHER_KEY)
    taken(one)
    taken(other)
    publish(hub, 1)
    assert taken(one) == [("live", 1)]
    assert taken(other) == []


def test_a_subscription_begins_with_the_last_quote() -> None:
    hub, box = Hub(2), queue()
    publish(hub, 1)
    publish(hub, 2)
    hub.subscribe(box, KEY)
    assert taken(box) == [("snapshot", 2)]
    publish(hub, 3)
    assert taken(box) == [("live", 3)]


def test_a_subscription_to_the_unknown_waits() -> None:
    hub, box = Hub(2), queue()
    topic = hub.subscribe(box, KEY)
    assert topic is not None
    assert topic.last is None
    taken(box)
    publish(hub, 1)
    assert taken(box) == [("live", 1)]


def test_subscribing_twice_delivers_once_and_repeats_the_last() -> None:
    hub, box = Hub(2), queue()
    publish(hub, 1)
    hub.subscribe(box, KEY)
    taken(box)
    hub.subscribe(box, KEY)
    assert taken(box) == [("snapshot", 1)]
    publish(hub, 2)
    assert taken(box) == [("live", 2)]


def test_nothing_is_delivered_after_unsubscribing() -> None:
    hub, box = Hub(2), queue()
    hub.subscribe(box, KEY)
    assert hub.unsubscribe(box, KEY)
    assert not hub.unsubscribe(box, KEY)
    publish(hub, 1)
    assert taken(box) == []


def test_a_wildcard_brings_what_is_there_and_what_comes() -> None:
    hub, all_of_it, segment = Hub(2), queue(), queue()
    publish(hub, 1)
    hub.subscribe(all_of_it, "*")
    hub.subscribe(segment, "NSE_INDEX|*")
    assert taken(all_of_it) == [("snapshot", 1)]
    assert taken(segment) == []
    publish(hub, 1, key=OTHER_KEY)
    assert taken(all_of_it) == [("snapshot", 1)]
    assert taken(segment) == [("snapshot", 1)]
    publish(hub, 2, key=OTHER_KEY)
    publish(hub, 2)
    assert taken(all_of_it) == [("live", 2), ("live", 2)]
    assert taken(segment) == [("live", 2)]
    assert hub.unsubscribe(all_of_it, "*")
    publish(hub, 3)
    assert taken(all_of_it) == []


def test_what_is_wanted_twice_stays_until_both_are_given_back() -> None:
    hub, box = Hub(2), queue()
    publish(hub, 1)
    hub.subscribe(box, "*")
    hub.subscribe(box, KEY)
    taken(box)
    hub.unsubscribe(box, "*")
    publish(hub, 2)
    assert taken(box) == [("live", 2)]
    hub.subscribe(box, "*")
    hub.unsubscribe(box, KEY)
    taken(box)
    publish(hub, 3)
    assert taken(box) == [("live", 3)]


@pytest.mark.parametrize("key", ["", "x", "a|b|c", "|x", "x|", "|*"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidField):
        Hub(2).subscribe(queue(), key)


def test_a_kept_quote_counts_only_if_it_is_newer_and_never_as_live() -> None:
    hub, box = Hub(2), queue()
    hub.subscribe(box, KEY)
    taken(box)
    publish(hub, 2)
    hub.warm(quote_subject(KEY), encode(quote(seq=1)))
    assert taken(box) == [("live", 2)]
    hub.warm(quote_subject(KEY), encode(quote(seq=3)))
    hub.warm(quote_subject(OTHER_KEY), encode(quote(key=OTHER_KEY, seq=1)))
    assert taken(box) == [("snapshot", 3)]
    assert hub.instrument_count == 2


def test_a_repeated_or_older_quote_is_not_passed_on() -> None:
    hub, box = Hub(2), queue()
    hub.subscribe(box, KEY)
    taken(box)
    for seq in (2, 2, 1):
        publish(hub, seq)
    assert taken(box) == [("live", 2)]


def test_nothing_of_a_superseded_leader_is_passed_on() -> None:
    hub, box = Hub(2), queue()
    hub.subscribe(box, KEY)
    hub.subscribe(box, OTHER_KEY)
    taken(box)
    publish(hub, 1, epoch=9)
    publish(hub, 50, key=OTHER_KEY, epoch=8)
    assert taken(box) == [("live", 1)]


def test_a_late_quote_does_not_pass_for_live() -> None:
    hub, box = Hub(2), queue()
    hub.subscribe(box, KEY)
    taken(box)
    publish(hub, 1, age_secs=5)
    publish(hub, 2, age_secs=4)
    assert taken(box) == [("snapshot", 2)]
    publish(hub, 3)
    assert taken(box) == [("live", 3)]


def test_what_is_no_quote_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError):
        Hub(2).publish(Channel.QUOTES, quote_subject(KEY), b'{"type":"nonsense"}', NOW_US)


def test_what_clients_ask_for_by_name_is_what_is_wanted() -> None:
    hub, one, other = Hub(2), queue(), queue()
    hub.subscribe(one, KEY)
    hub.subscribe(other, KEY)
    hub.subscribe(other, "*")
    seen = hub.interest_version
    hub.remove(one)
    assert hub.subscribed_keys(Channel.QUOTES) == [KEY]
    assert hub.interest_version == seen
    hub.remove(other)
    assert hub.subscribed_keys(Channel.QUOTES) == []
    assert hub.interest_version > seen


def test_a_book_is_forgotten_when_nobody_wants_it() -> None:
    hub, box = Hub(2), queue(Channel.DEPTH)
    hub.subscribe(box, KEY)
    hub.publish(Channel.DEPTH, depth_subject(KEY), encode(quote(rt=NOW_US)), NOW_US)
    assert hub.last(Channel.DEPTH, KEY) is not None
    hub.remove(box)
    assert hub.last(Channel.DEPTH, KEY) is None


def test_an_order_that_nobody_here_asked_for_leaves_no_trace() -> None:
    hub = Hub(2)
    hub.put(Channel.ORDERS, order_subject("u"), b"{}")
    assert hub._topics == {}


def test_bars_and_the_feeds_status_are_kept_and_events_are_not() -> None:
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
