"""Delivery through an outbox: every message if the client keeps up, else the newest state."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.fanout.channel_queue import SNAPSHOT_MAX_MESSAGES, ChannelQueue
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.outbox import MAX_EVENTS, Outbox
from services.gateway.fanout.topic import Topic
from services.gateway.stream.json_framing import JsonFraming
from tests.support.websocket_frames import messages


class Client:
    """An outbox with one queue, to which messages are published as the hub does."""

    def __init__(self, channel: Channel = Channel.QUOTES) -> None:
        self.outbox = Outbox(write=lambda _: None, unsent=lambda: 0, framing=JsonFraming())
        self.queue = self.outbox.queue(channel)
        self.topics: dict[str, Topic] = {}
        self.version = 0

    def topic(self, key: str) -> Topic:
        return self.topics.setdefault(key, Topic(key))

    def subscribe(self, *keys: str, interval_secs: float = 0.0) -> None:
        for key in keys:
            self.queue.keys[key] = self.topic(key)
            self.queue.set_interval(key, interval_secs)
            self.queue.add(self.topic(key))

    def publish(self, key: str, value: int) -> None:
        topic = self.topic(key)
        self.version += 1
        topic.version = self.version
        topic.last = json.dumps([key, value]).encode()
        for pending in topic.pendings:
            pending.append(topic.last)

    def take(self, now: float = 0.0) -> list[dict[str, Any]]:
        return list(messages(self.outbox.take(now)[0]))

    def values(self, now: float = 0.0) -> list[list[Any]]:
        return [value for message in self.take(now) for value in message["data"]]


def test_a_client_that_keeps_up_gets_every_message_in_order() -> None:
    client = Client()
    client.subscribe("a", "b")
    client.take()
    for value in range(3):
        client.publish("a", value)
        client.publish("b", value)
    (batch,) = client.take()
    assert batch["type"] == "quotes"
    assert "snapshot" not in batch
    assert batch["data"] == [["a", 0], ["b", 0], ["a", 1], ["b", 1], ["a", 2], ["b", 2]]
    assert client.take() == []


def test_a_new_subscription_starts_with_a_snapshot_of_the_last_message() -> None:
    client = Client()
    client.publish("a", 1)
    client.subscribe("a", "b")
    assert client.take() == [{"type": "quotes", "snapshot": True, "data": [["a", 1]]}]
    client.publish("a", 2)
    assert client.values() == [["a", 2]]


def test_replies_precede_channel_messages_and_keep_their_order() -> None:
    client = Client()
    client.publish("a", 1)
    client.subscribe("a")
    client.outbox.reply(b'{"type":"ack"}')
    client.outbox.reply(b'{"type":"pong"}')
    assert [message["type"] for message in client.take()] == ["ack", "pong", "quotes"]


def test_no_message_of_a_removed_topic_is_sent() -> None:
    client = Client()
    client.subscribe("a")
    client.take()
    client.queue.remove(client.topic("a"))
    client.publish("a", 1)
    assert client.take() == []


def test_a_client_that_fell_behind_gets_the_newest_state_and_no_backlog() -> None:
    client = Client()
    client.subscribe("a", "b")
    client.publish("a", 1)
    client.publish("b", 1)
    client.take()
    version = client.version
    client.publish("a", 2)
    client.outbox.fall_behind(0.0, version)
    for value in range(3, 100):
        client.publish("a", value)
    assert client.queue.pending == []
    assert client.take() == [{"type": "quotes", "snapshot": True, "data": [["a", 99]]}]
    client.publish("a", 100)
    client.publish("b", 2)
    assert client.values() == [["a", 100], ["b", 2]]


def test_a_paced_client_gets_the_newest_message_of_each_topic_once_per_interval() -> None:
    client = Client()
    client.subscribe("a", "b", interval_secs=0.25)
    client.publish("a", 1)
    client.publish("b", 1)
    assert sorted(client.values(1.0)) == [["a", 1], ["b", 1]]
    client.publish("a", 2)
    client.publish("a", 3)
    assert client.values(1.1) == []
    assert client.outbox.has_more
    assert client.values(1.3) == [["a", 3]]
    assert client.values(1.6) == []
    client.subscribe("a")
    client.take(1.7)
    client.publish("a", 4)
    client.publish("a", 5)
    assert client.values(1.7) == [["a", 4], ["a", 5]]


def test_a_large_snapshot_is_sent_in_parts() -> None:
    client = Client()
    for number in range(SNAPSHOT_MAX_MESSAGES + 1):
        client.publish(str(number), 0)
        client.subscribe(str(number))
    assert len(client.values()) == SNAPSHOT_MAX_MESSAGES
    assert client.outbox.has_more
    assert len(client.values()) == 1
    assert not client.outbox.has_more


def test_order_events_are_kept_in_order_while_the_client_is_behind() -> None:
    client = Client(Channel.ORDERS)
    client.subscribe("u")
    for value in range(50):
        client.publish("u", value)
        client.outbox.fall_behind(0.0, client.version)
    assert client.values() == [["u", value] for value in range(50)]


def test_an_outbox_is_overfull_beyond_the_limit_of_events() -> None:
    client = Client(Channel.ORDERS)
    client.subscribe("u")
    for value in range(MAX_EVENTS + 1):
        assert not client.outbox.is_overfull
        client.publish("u", value)
    assert client.outbox.is_overfull


@pytest.mark.parametrize("can_fall_behind", [False, True])
@given(
    steps=st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), max_size=60),
)
def test_any_sequence_ends_with_the_newest_message_of_each_topic(
    steps: list[tuple[str, bool, bool]], *, can_fall_behind: bool
) -> None:
    client = Client()
    client.subscribe("a", "b", "c")
    client.take()
    received: dict[str, int] = {}
    taken_version = client.version

    def take() -> None:
        for key, value in client.values():
            assert value > received.get(key, -1), "a message is repeated or out of order"
            received[key] = value

    newest = {}
    for value, (key, takes, falls_behind) in enumerate(steps):
        client.publish(key, value)
        newest[key] = value
        if falls_behind and can_fall_behind:
            client.outbox.fall_behind(0.0, taken_version)
        elif takes:
            take()
            taken_version = client.version
    take()
    assert received == newest


def test_a_removed_topic_has_no_reference_to_the_queue() -> None:
    queue = ChannelQueue(Channel.QUOTES, JsonFraming())
    topic = Topic("a")
    queue.add(topic)
    queue.take(0.0)
    assert topic.sinks == {queue}
    queue.remove(topic)
    assert topic.sinks == set()
    queue.clear()
    assert not queue.topics
