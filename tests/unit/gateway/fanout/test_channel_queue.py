"""The states of a topic in a queue: joined, due for a snapshot, detached."""

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


def taken(queue: ChannelQueue, now: float = 0.0, version: int = 1) -> list[tuple[bool, list[int]]]:
    """The batches that `take` returns: whether each is a snapshot, and its messages."""
    frames, count = queue.take(now, version)
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
    assert taken(queue, version=2) == [(True, [1])]
    assert changed.sinks == unchanged.sinks == {queue}


def test_a_paced_queue_sends_the_newest_message_once_per_interval() -> None:
    queue, topic = new_queue(), new_topic(1)
    queue.add(topic)
    taken(queue)
    queue.pace(0.5, version=1)
    assert taken(queue, now=10.0, version=1) == []
    topic.version, topic.last = 2, b"2"
    assert taken(queue, now=10.4, version=2) == []
    assert taken(queue, now=10.5, version=2) == [(True, [2])]
    assert topic.sinks == set()


def test_an_event_queue_joins_at_once_and_never_drops() -> None:
    queue, topic = EventQueue(Channel.ORDERS, JsonFraming()), new_topic(1)
    queue.add(topic)
    assert topic.sinks == {queue}
    queue.pending.append(b"7")
    queue.fall_behind(version=3)
    assert taken(queue) == [(False, [7])]
