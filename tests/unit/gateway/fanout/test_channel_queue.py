"""The states of a topic in a queue: joined, due for a snapshot, paced, detached."""

import json

from services.gateway.fanout.channel_queue import (
    SNAPSHOT_MAX_MESSAGES,
    ChannelQueue,
    EventQueue,
)
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.topic import Topic
from services.gateway.stream.json_framing import JsonFraming
from tests.support.websocket_frames import messages


def new_queue() -> ChannelQueue:
    return ChannelQueue(Channel.QUOTES, JsonFraming())


def new_topic(number: int, version: int = 1) -> Topic:
    topic = Topic(f"NSE_EQ|{number}")
    topic.last = json.dumps(number).encode()
    topic.version = version
    return topic


def subscribe(queue: ChannelQueue, topic: Topic, interval_secs: float = 0.0) -> None:
    """As the hub does for the topic's own key."""
    queue.keys[topic.key] = topic
    queue.set_interval(topic.key, interval_secs)
    queue.add(topic)


def publish(topic: Topic, version: int) -> None:
    """A new message, which is its version."""
    topic.version, topic.last = version, json.dumps(version).encode()
    for pending in topic.pendings:
        pending.append(topic.last)


def taken(queue: ChannelQueue, now: float = 0.0) -> list[tuple[bool, list[int]]]:
    """The batches that `take` returns: whether each is a snapshot, and its messages."""
    frames, count = queue.take(now)
    batches = [(batch.get("snapshot", False), batch["data"]) for batch in messages(frames)]
    assert count == sum(len(data) for _, data in batches)
    return batches


def test_a_topic_joins_when_its_snapshot_is_taken() -> None:
    queue, topic = new_queue(), new_topic(5)
    queue.add(topic)
    assert topic.sinks == set()
    assert taken(queue) == [(True, [5])]
    assert topic.sinks == {queue}


def test_pending_messages_precede_a_snapshot() -> None:
    queue, first, second = new_queue(), new_topic(1), new_topic(2)
    queue.add(first)
    taken(queue)
    queue.pending.append(b"11")
    queue.add(second)
    assert taken(queue) == [(False, [11]), (True, [2])]


def test_a_large_snapshot_is_split() -> None:
    queue = new_queue()
    for number in range(SNAPSHOT_MAX_MESSAGES + 1):
        queue.add(new_topic(number))
    ((_, first),) = taken(queue)
    ((_, second),) = taken(queue)
    assert (len(first), len(second)) == (SNAPSHOT_MAX_MESSAGES, 1)


def test_a_queue_that_is_behind_stores_nothing_and_catches_up_with_changed_topics() -> None:
    queue, changed, unchanged = new_queue(), new_topic(1), new_topic(2)
    for topic in (changed, unchanged):
        queue.add(topic)
    taken(queue)
    queue.pending.append(b"1")
    queue.fall_behind(version=1)
    assert (queue.pending, changed.sinks) == ([], set())
    changed.version = 2
    assert taken(queue) == [(True, [1])]
    assert changed.sinks == unchanged.sinks == {queue}


def test_a_paced_topic_sends_its_newest_message_once_per_interval_beside_one_that_is_not() -> None:
    queue, paced, live = new_queue(), new_topic(1), new_topic(1)
    subscribe(queue, paced, 0.5)
    assert taken(queue, now=10.0) == [(True, [1])]
    live.key = "NSE_EQ|live"
    subscribe(queue, live)
    assert taken(queue, now=10.1) == [(True, [1])]
    publish(paced, 2)
    publish(live, 3)
    assert taken(queue, now=10.4) == [(False, [3])]
    publish(paced, 4)
    assert taken(queue, now=10.5) == [(True, [4])]
    assert taken(queue, now=11.0) == []
    assert (paced.sinks, live.sinks) == (set(), {queue})


def test_intervals_are_independent() -> None:
    queue, fast, slow = new_queue(), new_topic(1), new_topic(2)
    subscribe(queue, fast, 0.25)
    subscribe(queue, slow, 1.0)
    taken(queue, now=10.0)
    publish(fast, 3)
    publish(slow, 4)
    assert taken(queue, now=10.25) == [(True, [3])]
    assert taken(queue, now=11.0) == [(True, [4])]


def test_subscribing_again_replaces_the_interval() -> None:
    queue, topic = new_queue(), new_topic(1)
    subscribe(queue, topic, 0.5)
    subscribe(queue, topic)
    assert taken(queue) == [(True, [1])]
    publish(topic, 2)
    assert taken(queue) == [(False, [2])]
    subscribe(queue, topic, 0.5)
    publish(topic, 3)
    assert taken(queue, now=10.0) == [(True, [3])]
    publish(topic, 4)
    assert taken(queue, now=10.4) == []
    assert taken(queue, now=10.5) == [(True, [4])]


def test_the_shortest_interval_of_key_and_wildcards_counts() -> None:
    queue, topic = new_queue(), new_topic(1)
    queue.wildcards |= {"*", "NSE_EQ|*"}
    queue.set_interval("*", 2.0)
    queue.set_interval("NSE_EQ|*", 1.0)
    subscribe(queue, topic, 4.0)
    assert queue.paced.intervals_secs == {topic: 1.0}
    queue.set_interval("NSE_EQ|*", 0.0)
    queue.pace(topic)
    assert not queue.paced.intervals_secs
    queue.wildcards.discard("NSE_EQ|*")
    queue.pace(topic)
    assert queue.paced.intervals_secs == {topic: 2.0}


def test_a_paced_topic_of_a_client_that_was_behind_keeps_its_interval() -> None:
    queue, topic = new_queue(), new_topic(1)
    subscribe(queue, topic, 0.5)
    taken(queue, now=10.0)
    queue.fall_behind(version=1)
    publish(topic, 2)
    assert taken(queue, now=10.1) == []
    assert topic.sinks == set()
    assert taken(queue, now=10.5) == [(True, [2])]


def test_an_event_queue_joins_at_once_and_never_drops() -> None:
    queue, topic = EventQueue(Channel.ORDERS, JsonFraming()), new_topic(1)
    queue.add(topic)
    assert topic.sinks == {queue}
    queue.pending.append(b"7")
    queue.fall_behind(version=3)
    assert taken(queue) == [(False, [7])]


def test_no_event_follows_the_end_of_its_subscription() -> None:
    queue, topic = EventQueue(Channel.ORDERS, JsonFraming()), new_topic(1)
    queue.add(topic)
    queue.pending.append(b"7")
    queue.remove(topic)
    assert taken(queue) == []
