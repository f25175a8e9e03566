"""Who wants which instrument, and the last message of each."""

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


class Hub:
    """Hands each message, as the very bytes that came, to every queue that wants it.

    Keyed by subject, as messages arrive by it. Of a quote and an order book only the stamp is
    read, so that none goes back in time, none of a superseded
    ingest leader is passed on, and none older than `max_age_secs` passes for live: it
    reaches clients as part of a snapshot.
    """

    def __init__(self, max_age_secs: float) -> None:
        self.version = 0
        """Counts the messages that were taken."""
        self.interest_version = 0
        """Rises whenever `wanted` may have changed."""
        self._max_age_us = int(max_age_secs * 1e6)
        self._topics: dict[str, Topic] = {}
        self._wild: dict[tuple[Channel, str], set[ChannelQueue]] = {}
        """By channel and wildcard, who asked for it."""
        self._known: dict[tuple[Channel, str], dict[Topic, None]] = {}
        """By channel and wildcard, the topics with a last message that it stands for."""
        self._epoch = 0

    def publish(self, channel: Channel, subject: str, encoded: bytes, now_us: int) -> None:
        """A quote or an order book, at epoch microseconds `now_us` of our clock.

        Dropped if it is no newer than the last. Raises msgspec.DecodeError if the bytes are
        neither, InvalidField if the subject is none of ours.
        """
        stamp = stamp_of(encoded)
        topic = self._topics.get(subject) or self._make(channel, subject)
        if stamp.epoch < self._epoch or not _is_newer(stamp, topic):
            metrics.STALE.inc()
            return
        self._epoch = topic.epoch = stamp.epoch
        topic.seq = stamp.seq
        self._replace(channel, topic, encoded)
        if now_us - stamp.rt > self._max_age_us:
            self._pass_on_late(topic)
            return
        for pending in topic.pendings:
            pending.append(encoded)

    def warm(self, subject: str, encoded: bytes) -> None:
        """A quote that was kept: counts unless a newer one of its instrument is known.

        Raises as `publish`.
        """
        stamp = stamp_of(encoded)
        topic = self._topics.get(subject) or self._make(Channel.QUOTES, subject)
        if _is_newer(stamp, topic):
            topic.epoch, topic.seq = stamp.epoch, stamp.seq
            self._replace(Channel.QUOTES, topic, encoded)
            self._pass_on_late(topic)

    def put(self, channel: Channel, subject: str, encoded: bytes) -> None:
        """A message of a channel that has no stamps: the last one that comes is the newest.

        Of orders nothing is kept, so one that nobody here asked for leaves no trace.
        """
        topic = self._topics.get(subject)
        if channel is not Channel.ORDERS:
            topic = topic or self._make(channel, subject)
            self._replace(channel, topic, encoded)
        if topic is not None:
            for pending in topic.pendings:
                pending.append(encoded)

    def _replace(self, channel: Channel, topic: Topic, encoded: bytes) -> None:
        self.version += 1
        topic.version = self.version
        is_first = topic.last is None
        topic.last = encoded
        if is_first:
            for name in wildcards_of(topic.key):
                self._known.setdefault((channel, name), {})[topic] = None
                for queue in self._wild.get((channel, name), ()):
                    queue.add(topic)

    def _pass_on_late(self, topic: Topic) -> None:
        """Not as live: the queues get it with a snapshot."""
        metrics.LATE.inc()
        for queue in list(topic.sinks):
            queue.refresh(topic)

    def _make(self, channel: Channel, subject: str) -> Topic:
        prefix = PREFIXES.get(channel)
        key = subject if prefix is None else tokens_to_key(subject.removeprefix(prefix))
        topic = self._topics[subject] = Topic(key)
        return topic

    def subscribe(self, queue: ChannelQueue, key: str) -> Topic | None:
        """Deliver from now on, at once the last message; the topic, unless `key` is a wildcard.

        Raises InvalidField if `key` is no instrument key.
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
            self._wild.setdefault((queue.channel, key), set()).add(queue)
            queue.wildcards.add(key)
            return None
        subject = PREFIXES[queue.channel] + key_to_tokens(key)
        topic = self._topics.get(subject) or self._make(queue.channel, subject)
        return self._name(queue, key, topic)

    def subscribe_whole(self, queue: ChannelQueue, user_id: str) -> Topic:
        """The same for a channel that is one thing: `orders` of a user, or `status`."""
        subject = order_subject(user_id) if queue.channel is Channel.ORDERS else STATUS
        topic = self._topics.get(subject) or self._make(queue.channel, subject)
        return self._name(queue, queue.channel, topic)

    def _name(self, queue: ChannelQueue, key: str, topic: Topic) -> Topic:
        if key not in queue.keys:
            queue.keys[key] = topic
            topic.subscriber_count += 1
            self.interest_version += topic.subscriber_count == 1
        queue.add(topic)
        return topic

    def unsubscribe(self, queue: ChannelQueue, key: str) -> bool:
        """Deliver no more of `key`; False if it was not subscribed."""
        if key in queue.wildcards:
            queue.wildcards.discard(key)
            self._forget_wild(queue, key)
            for topic in self.matching(queue.channel, key):
                self._release(queue, topic)
            return True
        named = queue.keys.pop(key, None)
        if named is None:
            return False
        self._unname(queue.channel, named)
        self._release(queue, named)
        return True

    def leave(self, queue: ChannelQueue) -> None:
        """Deliver nothing more to this queue."""
        for key in queue.wildcards:
            self._forget_wild(queue, key)
        for topic in queue.topics:
            topic.leave(queue)
        for topic in queue.keys.values():
            self._unname(queue.channel, topic)
        queue.clear()

    def _release(self, queue: ChannelQueue, topic: Topic) -> None:
        """Take the topic out of the queue, unless it is still wanted under another name."""
        is_wanted = topic.key in queue.keys or not queue.wildcards.isdisjoint(
            wildcards_of(topic.key)
        )
        if not is_wanted:
            queue.remove(topic)

    def _unname(self, channel: Channel, topic: Topic) -> None:
        topic.subscriber_count -= 1
        if topic.subscriber_count:
            return
        self.interest_version += 1
        # Nobody is left who would be told: what is not remembered for the next, goes.
        if topic.last is None or channel is Channel.DEPTH:
            prefix = PREFIXES.get(channel)
            subject = topic.key if prefix is None else prefix + key_to_tokens(topic.key)
            self._topics.pop(subject, None)
            for name in wildcards_of(topic.key):
                self._known.get((channel, name), {}).pop(topic, None)

    def _forget_wild(self, queue: ChannelQueue, key: str) -> None:
        queues = self._wild[queue.channel, key]
        queues.discard(queue)
        if not queues:
            del self._wild[queue.channel, key]

    def matching(self, channel: Channel, wildcard: str) -> Collection[Topic]:
        """The topics with a last message that a wildcard stands for; found without a search."""
        return self._known.get((channel, wildcard), {}).keys()

    def wanted(self, channel: Channel) -> list[str]:
        """Keys of a keyed channel that are asked for by name."""
        prefix = PREFIXES[channel]
        return [
            t.key for s, t in self._topics.items() if t.subscriber_count and s.startswith(prefix)
        ]

    def last(self, channel: Channel, key: str) -> bytes | None:
        """The last message of an instrument, if one is known. Raises InvalidField."""
        topic = self._topics.get(PREFIXES[channel] + key_to_tokens(key))
        return None if topic is None else topic.last

    @property
    def instrument_count(self) -> int:
        """Instruments of which a last quote is known."""
        return len(self.matching(Channel.QUOTES, EVERYTHING))


def _is_newer(stamp: Stamp, topic: Topic) -> bool:
    return stamp.seq > topic.seq if stamp.epoch == topic.epoch else stamp.epoch > topic.epoch
