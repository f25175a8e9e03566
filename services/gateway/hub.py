"""Who wants which instrument, and the last message of each."""

from collections.abc import Collection
from typing import Final

from services.gateway import metrics
from services.gateway.outbox import Lane
from services.gateway.protocol import EVERYTHING, Channel
from services.gateway.stamp import Stamp, stamp_of
from services.gateway.topic import Topic
from shared.subjects import (
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
    """Hands each message, as the very bytes that came, to every lane that wants it.

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
        self._wild: dict[tuple[Channel, str], set[Lane]] = {}
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
            for name in _wildcards_of(topic.key):
                self._known.setdefault((channel, name), {})[topic] = None
                for lane in self._wild.get((channel, name), ()):
                    lane.add(topic)

    def _pass_on_late(self, topic: Topic) -> None:
        """Not as live: the lanes get it with a snapshot."""
        metrics.LATE.inc()
        for lane in list(topic.sinks):
            lane.refresh(topic)

    def _make(self, channel: Channel, subject: str) -> Topic:
        prefix = PREFIXES.get(channel)
        key = subject if prefix is None else tokens_to_key(subject.removeprefix(prefix))
        topic = self._topics[subject] = Topic(key)
        return topic

    def subscribe(self, lane: Lane, key: str) -> Topic | None:
        """Deliver from now on, at once the last message; the topic, unless `key` is a wildcard.

        Raises InvalidField if `key` is no instrument key.
        """
        if key in lane.named:
            topic = lane.named[key]
            lane.refresh(topic)
            return topic
        if is_wildcard(key):
            if key != EVERYTHING:
                key_to_tokens(key)
            for topic in self.matching(lane.channel, key):
                lane.add(topic)
            self._wild.setdefault((lane.channel, key), set()).add(lane)
            lane.wild.add(key)
            return None
        subject = PREFIXES[lane.channel] + key_to_tokens(key)
        topic = self._topics.get(subject) or self._make(lane.channel, subject)
        return self._name(lane, key, topic)

    def subscribe_whole(self, lane: Lane, user_id: str) -> Topic:
        """The same for a channel that is one thing: `orders` of a user, or `status`."""
        subject = order_subject(user_id) if lane.channel is Channel.ORDERS else STATUS
        topic = self._topics.get(subject) or self._make(lane.channel, subject)
        return self._name(lane, lane.channel, topic)

    def _name(self, lane: Lane, key: str, topic: Topic) -> Topic:
        if key not in lane.named:
            lane.named[key] = topic
            topic.named += 1
            self.interest_version += topic.named == 1
        lane.add(topic)
        return topic

    def unsubscribe(self, lane: Lane, key: str) -> bool:
        """Deliver no more of `key`; False if it was not subscribed."""
        if key in lane.wild:
            lane.wild.discard(key)
            self._forget_wild(lane, key)
            for topic in self.matching(lane.channel, key):
                self._release(lane, topic)
            return True
        named = lane.named.pop(key, None)
        if named is None:
            return False
        self._unname(lane.channel, named)
        self._release(lane, named)
        return True

    def leave(self, lane: Lane) -> None:
        """Deliver nothing more to this lane."""
        for key in lane.wild:
            self._forget_wild(lane, key)
        for topic in lane.topics:
            topic.leave(lane)
        for topic in lane.named.values():
            self._unname(lane.channel, topic)
        lane.clear()

    def _release(self, lane: Lane, topic: Topic) -> None:
        """Take the topic out of the lane, unless it is still wanted under another name."""
        is_wanted = topic.key in lane.named or not lane.wild.isdisjoint(_wildcards_of(topic.key))
        if not is_wanted:
            lane.remove(topic)

    def _unname(self, channel: Channel, topic: Topic) -> None:
        topic.named -= 1
        if topic.named:
            return
        self.interest_version += 1
        # Nobody is left who would be told: what is not remembered for the next, goes.
        if topic.last is None or channel is Channel.DEPTH:
            prefix = PREFIXES.get(channel)
            subject = topic.key if prefix is None else prefix + key_to_tokens(topic.key)
            self._topics.pop(subject, None)
            for name in _wildcards_of(topic.key):
                self._known.get((channel, name), {}).pop(topic, None)

    def _forget_wild(self, lane: Lane, key: str) -> None:
        lanes = self._wild[lane.channel, key]
        lanes.discard(lane)
        if not lanes:
            del self._wild[lane.channel, key]

    def matching(self, channel: Channel, wildcard: str) -> Collection[Topic]:
        """The topics with a last message that a wildcard stands for; found without a search."""
        return self._known.get((channel, wildcard), {}).keys()

    def wanted(self, channel: Channel) -> list[str]:
        """Keys of a keyed channel that are asked for by name."""
        prefix = PREFIXES[channel]
        return [t.key for s, t in self._topics.items() if t.named and s.startswith(prefix)]

    def last(self, channel: Channel, key: str) -> bytes | None:
        """The last message of an instrument, if one is known. Raises InvalidField."""
        topic = self._topics.get(PREFIXES[channel] + key_to_tokens(key))
        return None if topic is None else topic.last

    @property
    def instrument_count(self) -> int:
        """Instruments of which a last quote is known."""
        return len(self.matching(Channel.QUOTES, EVERYTHING))


def is_wildcard(key: str) -> bool:
    """Whether `key` stands for many instruments."""
    return key == EVERYTHING or key.endswith("|" + EVERYTHING)


def _is_newer(stamp: Stamp, topic: Topic) -> bool:
    return stamp.seq > topic.seq if stamp.epoch == topic.epoch else stamp.epoch > topic.epoch


def _wildcards_of(key: str) -> tuple[str, str]:
    segment, _, _ = key.partition("|")
    return EVERYTHING, f"{segment}|{EVERYTHING}"
