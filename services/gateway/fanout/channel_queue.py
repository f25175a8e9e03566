"""Queue of one client on one channel: live messages, and topics due for a snapshot."""

from itertools import islice
from typing import Final

from services.gateway.fanout.channels import Channel, wildcards_of
from services.gateway.fanout.framing import Framing
from services.gateway.fanout.paced_topics import PacedTopics
from services.gateway.fanout.topic import Topic

SNAPSHOT_MAX_MESSAGES: Final = 500
"""Messages in one snapshot batch. The rest follows when the client has taken these."""


class ChannelQueue:
    """The topics that one client subscribes to on one channel, and the messages due for it.

    Each topic is in one of four states:

    - *joined*: the queue is among the topic's sinks, and each live message is appended to
      `pending`;
    - *due for a snapshot*: its last message is sent by the next flush, and then it joins;
    - *paced*: its newest message is sent once per interval, as a snapshot;
    - *detached*, while the client is behind: nothing is kept but `behind_version`, the hub's
      version from which to catch up.

    A client that reads nothing therefore costs no memory. When it reads again it gets the
    newest state of each topic, not a backlog.
    """

    __slots__ = (
        "behind_version",
        "channel",
        "framing",
        "intervals_secs",
        "keys",
        "paced",
        "pending",
        "snapshot_due",
        "topics",
        "wildcards",
    )

    def __init__(self, channel: Channel, framing: Framing) -> None:
        self.channel = channel
        self.pending: list[bytes] = []
        """Live messages to send, oldest first."""
        self.topics: set[Topic] = set()
        self.snapshot_due: dict[Topic, None] = {}
        """Topics whose last message the next flush sends, in the order of subscribing."""
        self.keys: dict[str, Topic] = {}
        """Topics that were subscribed to by their own key."""
        self.wildcards: set[str] = set()
        self.intervals_secs: dict[str, float] = {}
        """By key or wildcard, the interval that it was subscribed with, if any."""
        self.paced = PacedTopics()
        self.behind_version: int | None = None
        """The hub's version from which to catch up; None while the client keeps up."""
        self.framing = framing

    @property
    def subscription_count(self) -> int:
        """Keys and wildcards that were subscribed to."""
        return len(self.keys) + len(self.wildcards)

    def set_interval(self, key: str, interval_secs: float) -> None:
        """Note the interval of a key or wildcard for the topics that are added next; 0 is none."""
        if interval_secs:
            self.intervals_secs[key] = interval_secs
        else:
            self.intervals_secs.pop(key, None)

    def add(self, topic: Topic) -> None:
        """Send the topic's last message with the next flush, and new ones after that."""
        self.topics.add(topic)
        self.pace(topic)
        self.refresh(topic)

    def pace(self, topic: Topic) -> None:
        """Apply the shortest interval of the subscriptions that cover the topic."""
        if not self.intervals_secs:
            if self.paced.intervals_secs:
                self.paced.discard(topic)
            return
        key = topic.key
        covering = [wildcard for wildcard in wildcards_of(key) if wildcard in self.wildcards]
        if key in self.keys:
            covering.append(key)
        interval_secs = min((self.intervals_secs.get(each, 0.0) for each in covering), default=0.0)
        if interval_secs:
            topic.leave(self)
            self.paced.add(topic, interval_secs)
        else:
            self.paced.discard(topic)

    def refresh(self, topic: Topic) -> None:
        """Send the topic's last message with the next flush, as a snapshot."""
        topic.leave(self)
        self.snapshot_due[topic] = None

    def remove(self, topic: Topic) -> None:
        """Send no more of the topic. Messages already in `pending` are not taken back."""
        self.topics.discard(topic)
        self.paced.discard(topic)
        self.snapshot_due.pop(topic, None)
        topic.leave(self)

    def clear(self) -> None:
        """Forget everything. The caller has removed the queue from its topics."""
        for held in (
            self.topics, self.snapshot_due, self.keys, self.wildcards, self.pending,
            self.intervals_secs, self.paced,
        ):  # fmt: skip
            held.clear()

    def fall_behind(self, version: int) -> None:
        """Drop what is pending, and catch up later with everything newer than `version`."""
        self.pending.clear()
        if self.behind_version is None:
            self.behind_version = version
            for topic in self.topics:
                topic.leave(self)

    def take(self, now: float) -> tuple[bytes, int]:
        """The frames to send at loop time `now`, with the number of messages in them."""
        count = len(self.pending)
        frames = self.take_pending() if count else b""
        if self.behind_version is not None:
            self._catch_up(self.behind_version)
        if self.paced.intervals_secs:
            self.snapshot_due.update(dict.fromkeys(self.paced.take_due(now)))
        if self.snapshot_due:
            last_messages = self._take_snapshot()
            if last_messages:
                frames += self.framing.snapshot(self.channel, last_messages)
                count += len(last_messages)
        return frames, count

    def take_pending(self) -> bytes:
        """One batch of the pending live messages, as bytes for the socket."""
        frame = self.framing.live(self.channel, self.pending)
        self.pending.clear()
        return frame

    def _catch_up(self, since_version: int) -> None:
        self.behind_version = None
        paced = self.paced.intervals_secs
        for topic in self.topics:
            if topic in paced:
                continue
            if topic.version > since_version:
                self.snapshot_due[topic] = None
            elif topic not in self.snapshot_due:
                topic.join(self)

    def _take_snapshot(self) -> list[bytes]:
        last_messages = []
        paced = self.paced.intervals_secs
        for topic in list(islice(self.snapshot_due, SNAPSHOT_MAX_MESSAGES)):
            del self.snapshot_due[topic]
            if topic in paced:
                self.paced.sent(topic)
            else:
                topic.join(self)
            if topic.last is not None:
                last_messages.append(topic.last)
        return last_messages


class EventQueue(ChannelQueue):
    """The queue of a channel of events: every message is sent, none is conflated or dropped."""

    __slots__ = ()

    def refresh(self, topic: Topic) -> None:
        """Join at once: events have no snapshot."""
        topic.join(self)

    def remove(self, topic: Topic) -> None:
        """Send no more events, those that wait included."""
        super().remove(topic)
        self.pending.clear()

    def fall_behind(self, version: int) -> None:
        """Keep the events. `Outbox.is_overfull` is true when there are too many."""
