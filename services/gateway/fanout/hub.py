"""Subscriptions and the last message of every subject; distributes messages to queues."""

from collections.abc import Collection

from services.gateway import metrics
from services.gateway.fanout.channel_queue import ChannelQueue
from services.gateway.fanout.channels import (
    EVERYTHING,
    WITHOUT_WILDCARDS,
    Channel,
    is_wildcard,
    wildcards_of,
)
from services.gateway.fanout.stamp import Stamp, minute_of, stamp_of
from services.gateway.fanout.topic import Topic
from services.gateway.fanout.topic_subjects import PREFIXES, key_of, subject_of
from shared.contracts.subjects import STATUS, key_to_tokens, order_subject


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

        Drops a message that is not newer than the topic's last, and an order book or chain without
        a subscriber here: it ends with its demand, so a later subscriber would get an old one.
        Raises msgspec.DecodeError if `encoded` has no stamp, InvalidField if `subject` has no
        instrument key.
        """
        topic = self._topics.get(subject)
        if topic is None and channel in WITHOUT_WILDCARDS:
            return
        topic = topic or self._make(channel, subject)
        stamp = stamp_of(encoded)
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

    def put_candle(self, subject: str, encoded: bytes, *, is_live: bool = True) -> None:
        """Distribute a completed minute; as a snapshot if it is read from TICKS.

        Drops a minute that is not later than the topic's last: a new ingest leader repeats it.
        Raises as `publish`.
        """
        start_ms = minute_of(encoded).start
        topic = self._topics.get(subject) or self._make(Channel.CANDLES, subject)
        if start_ms <= topic.seq:
            return
        topic.seq = start_ms
        self._replace(Channel.CANDLES, topic, encoded)
        if is_live:
            self._append(topic, encoded)
        else:
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
        key = key_of(channel, subject) if channel in PREFIXES else subject
        topic = self._topics[subject] = Topic(key, subject)
        return topic

    def subscribe(self, queue: ChannelQueue, key: str, interval_secs: float = 0.0) -> Topic | None:
        """Subscribe a queue of a keyed channel; its last message is due for a snapshot.

        With `interval_secs`, the newest message is sent once per interval. Returns the topic, or
        None if `key` is a wildcard. Raises InvalidField if `key` is no instrument key.
        """
        if key in queue.keys:
            topic = queue.keys[key]
            queue.set_interval(key, interval_secs)
            queue.add(topic)
            return topic
        if is_wildcard(key):
            if key != EVERYTHING:
                key_to_tokens(key)
            queue.set_interval(key, interval_secs)
            self._wildcard_queues.setdefault((queue.channel, key), set()).add(queue)
            queue.wildcards.add(key)
            for topic in self.matching(queue.channel, key):
                queue.add(topic)
            return None
        subject = subject_of(queue.channel, key)
        topic = self._topics.get(subject) or self._make(queue.channel, subject)
        queue.set_interval(key, interval_secs)
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
        queue.set_interval(key, 0.0)
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
        """Remove the topic from the queue, unless another subscription still covers it.

        Its interval is then that of the others, which is longer or the same.
        """
        is_covered = topic.key in queue.keys or not queue.wildcards.isdisjoint(
            wildcards_of(topic.key)
        )
        if is_covered:
            queue.pace(topic)
        else:
            queue.remove(topic)

    def _remove_subscriber(self, channel: Channel, topic: Topic) -> None:
        topic.subscriber_count -= 1
        if topic.subscriber_count:
            return
        self.interest_version += 1
        # The last order book or chain is not kept for a later subscriber: it would be stale.
        if topic.last is None or channel in WITHOUT_WILDCARDS:
            self._topics.pop(topic.subject, None)
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
        topic = self._topics.get(subject_of(channel, key))
        return None if topic is None else topic.last

    def has_topic(self, subject: str) -> bool:
        """Whether anything of this subject is kept or subscribed to."""
        return subject in self._topics

    @property
    def instrument_count(self) -> int:
        """Instruments with a last quote."""
        return len(self.matching(Channel.QUOTES, EVERYTHING))

    @property
    def newest_quote_us(self) -> int | None:
        """When ingest received the quote that was stored last, epoch µs; None without quotes."""
        topics = self.matching(Channel.QUOTES, EVERYTHING)
        newest = max(topics, key=lambda topic: topic.version, default=None)
        return None if newest is None or newest.last is None else stamp_of(newest.last).rt


def _is_newer(stamp: Stamp, topic: Topic) -> bool:
    return stamp.seq > topic.seq if stamp.epoch == topic.epoch else stamp.epoch > topic.epoch
