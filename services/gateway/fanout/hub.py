"""Subscriptions and the last message of every subject; distributes messages to queues."""

from collections.abc import Collection
from typing import Final

from services.gateway import metrics
from services.gateway.fanout.channel_queue import ChannelQueue
from services.gateway.fanout.channels import EVERYTHING, Channel, is_wildcard, wildcards_of
from services.gateway.fanout.stamp import Stamp, stamp_of
from services.gateway.fanout.topic import Topic
from shared.contracts.subjects import (
    BAR_5M_PREFIX,
    DEPTH_PREFIX,
    QUOTE_PREFIX,
    STATUS,
    key_to_tokens,
    order_subject,
    tokens_to_key,
)

PREFIXES: Final = {
    Channel.QUOTES: QUOTE_PREFIX,
    Channel.DEPTH: DEPTH_PREFIX,
    Channel.BARS: BAR_5M_PREFIX,
}
"""Subject prefix of each keyed channel."""


class Hub:
    """Appends each message, undecoded, to every queue that subscribes to its topic.

    Topics are indexed by subject, since messages arrive by subject. Only the stamp of a quote
    or an order book is decoded, for three guarantees: no instrument goes back in time, no
    message of a superseded ingest leader is delivered, and a message older than
    `max_age_secs` is delivered as part of a snapshot, never as live.
    """

    def __init__(self, max_age_secs: float) -> None:
        self.version = 0
        """Number of messages stored so far."""
        self.interest_version = 0
        """Increases whenever the result of `subscribed_keys` may have changed."""
        self.changed: list[Topic] = []
        """Topics with a live message since the flusher last cleared this list."""
        self._max_age_us = int(max_age_secs * 1e6)
        self._topics: dict[str, Topic] = {}
        self._wildcard_queues: dict[tuple[Channel, str], set[ChannelQueue]] = {}
        """Queues that subscribe to a wildcard, by channel and wildcard."""
        self._wildcard_topics: dict[tuple[Channel, str], dict[Topic, None]] = {}
        """Topics with a last message that a wildcard matches, by channel and wildcard."""
        self._epoch = 0

    def publish(self, channel: Channel, subject: str, encoded: bytes, now_us: int) -> None:
        """Distribute a quote or an order book received at `now_us` of ingest's clock (epoch µs).

        Drops a message that is not newer than the topic's last. Raises msgspec.DecodeError if
        `encoded` has no stamp, InvalidField if `subject` has no instrument key.
        """
        stamp = stamp_of(encoded)
        topic = self._topics.get(subject) or self._make(channel, subject)
        if stamp.epoch < self._epoch or not _is_newer(stamp, topic):
            metrics.STALE_MESSAGES.inc()
            return
        self._epoch = topic.epoch = stamp.epoch
        topic.seq = stamp.seq
        self._replace(channel, topic, encoded)
        if now_us - stamp.rt > self._max_age_us:
            self._refresh_sinks(topic)
            return
        self._append(topic, encoded)

    def warm(self, subject: str, encoded: bytes) -> None:
        """Store a quote read from the TICKS stream, unless a newer one is known.

        Raises as `publish`.
        """
        stamp = stamp_of(encoded)
        topic = self._topics.get(subject) or self._make(Channel.QUOTES, subject)
        if _is_newer(stamp, topic):
            topic.epoch, topic.seq = stamp.epoch, stamp.seq
            self._replace(Channel.QUOTES, topic, encoded)
            self._refresh_sinks(topic)

    def put(self, channel: Channel, subject: str, encoded: bytes) -> None:
        """Distribute a message without a stamp: the order of arrival is the order.

        Order events are not stored, so one without a subscriber leaves no trace.
        Raises InvalidField if the subject of a keyed channel has no instrument key.
        """
        topic = self._topics.get(subject)
        if channel is not Channel.ORDERS:
            topic = topic or self._make(channel, subject)
            self._replace(channel, topic, encoded)
        if topic is not None:
            self._append(topic, encoded)

    def _append(self, topic: Topic, encoded: bytes) -> None:
        self.changed.append(topic)
        for pending in topic.pendings:
            pending.append(encoded)

    def _replace(self, channel: Channel, topic: Topic, encoded: bytes) -> None:
        self.version += 1
        topic.version = self.version
        is_first = topic.last is None
        topic.last = encoded
        if is_first:
            for wildcard in wildcards_of(topic.key):
                self._wildcard_topics.setdefault((channel, wildcard), {})[topic] = None
                for queue in self._wildcard_queues.get((channel, wildcard), ()):
                    queue.add(topic)

    def _refresh_sinks(self, topic: Topic) -> None:
        metrics.LATE_MESSAGES.inc()
        for queue in list(topic.sinks):
            queue.refresh(topic)

    def _make(self, channel: Channel, subject: str) -> Topic:
        prefix = PREFIXES.get(channel)
        key = subject if prefix is None else tokens_to_key(subject.removeprefix(prefix))
        topic = self._topics[subject] = Topic(key)
        return topic

    def subscribe(self, queue: ChannelQueue, key: str) -> Topic | None:
        """Subscribe a queue of a keyed channel; its last message is due for a snapshot.

        Returns the topic, or None if `key` is a wildcard. Raises InvalidField if `key` is no
        instrument key.
        """
        if key in queue.keys:
            topic = queue.keys[key]
            queue.refresh(topic)
            return topic
        if is_wildcard(key):
            if key != EVERYTHING:
                key_to_tokens(key)
            for topic in self.matching(queue.channel, key):
                queue.add(topic)
            self._wildcard_queues.setdefault((queue.channel, key), set()).add(queue)
            queue.wildcards.add(key)
            return None
        subject = PREFIXES[queue.channel] + key_to_tokens(key)
        topic = self._topics.get(subject) or self._make(queue.channel, subject)
        return self._subscribe_topic(queue, key, topic)

    def subscribe_whole(self, queue: ChannelQueue, user_id: str) -> Topic:
        """Subscribe a queue of a channel without keys: `orders` of a user, or `status`."""
        subject = order_subject(user_id) if queue.channel is Channel.ORDERS else STATUS
        topic = self._topics.get(subject) or self._make(queue.channel, subject)
        return self._subscribe_topic(queue, queue.channel, topic)

    def _subscribe_topic(self, queue: ChannelQueue, key: str, topic: Topic) -> Topic:
        if key not in queue.keys:
            queue.keys[key] = topic
            topic.subscriber_count += 1
            self.interest_version += topic.subscriber_count == 1
        queue.add(topic)
        return topic

    def unsubscribe(self, queue: ChannelQueue, key: str) -> bool:
        """End the subscription to `key`; False if there was none."""
        if key in queue.wildcards:
            queue.wildcards.discard(key)
            self._remove_wildcard(queue, key)
            for topic in self.matching(queue.channel, key):
                self._release(queue, topic)
            return True
        subscribed = queue.keys.pop(key, None)
        if subscribed is None:
            return False
        self._remove_subscriber(queue.channel, subscribed)
        self._release(queue, subscribed)
        return True

    def remove(self, queue: ChannelQueue) -> None:
        """End all subscriptions of a queue."""
        for key in queue.wildcards:
            self._remove_wildcard(queue, key)
        for topic in queue.topics:
            topic.leave(queue)
        for topic in queue.keys.values():
            self._remove_subscriber(queue.channel, topic)
        queue.clear()

    def _release(self, queue: ChannelQueue, topic: Topic) -> None:
        """Remove the topic from the queue, unless another subscription still covers it."""
        is_covered = topic.key in queue.keys or not queue.wildcards.isdisjoint(
            wildcards_of(topic.key)
        )
        if not is_covered:
            queue.remove(topic)

    def _remove_subscriber(self, channel: Channel, topic: Topic) -> None:
        topic.subscriber_count -= 1
        if topic.subscriber_count:
            return
        self.interest_version += 1
        # The last order book is not kept for a later subscriber: it would be stale.
        if topic.last is None or channel is Channel.DEPTH:
            prefix = PREFIXES.get(channel)
            subject = topic.key if prefix is None else prefix + key_to_tokens(topic.key)
            self._topics.pop(subject, None)
            for wildcard in wildcards_of(topic.key):
                self._wildcard_topics.get((channel, wildcard), {}).pop(topic, None)

    def _remove_wildcard(self, queue: ChannelQueue, key: str) -> None:
        queues = self._wildcard_queues[queue.channel, key]
        queues.discard(queue)
        if not queues:
            del self._wildcard_queues[queue.channel, key]

    def matching(self, channel: Channel, wildcard: str) -> Collection[Topic]:
        """The topics with a last message that `wildcard` matches; an index lookup."""
        return self._wildcard_topics.get((channel, wildcard), {}).keys()

    def subscribed_keys(self, channel: Channel) -> list[str]:
        """Keys of a keyed channel that have subscribers by key, wildcards not counted."""
        prefix = PREFIXES[channel]
        return [
            topic.key
            for subject, topic in self._topics.items()
            if topic.subscriber_count and subject.startswith(prefix)
        ]

    def last(self, channel: Channel, key: str) -> bytes | None:
        """The last message of an instrument; None if there is none. Raises InvalidField."""
        topic = self._topics.get(PREFIXES[channel] + key_to_tokens(key))
        return None if topic is None else topic.last

    @property
    def instrument_count(self) -> int:
        """Instruments with a last quote."""
        return len(self.matching(Channel.QUOTES, EVERYTHING))


def _is_newer(stamp: Stamp, topic: Topic) -> bool:
    return stamp.seq > topic.seq if stamp.epoch == topic.epoch else stamp.epoch > topic.epoch
