"""What waits for one client on one channel: live messages, and topics due for a snapshot."""

from itertools import islice
from typing import Final

from services.gateway.fanout.channels import Channel
from services.gateway.fanout.framing import Framing
from services.gateway.fanout.topic import Topic

SNAPSHOT_MAX_MESSAGES: Final = 500
"""Messages in one snapshot batch. The rest follows when the client has taken these."""


class ChannelQueue:
    """The topics that one client subscribes to on one channel, and the messages due for it.

    Each topic is in one of three states:

    - *joined*: the queue is among the topic's sinks, and each live message is appended to
      `pending`;
    - *due for a snapshot*: its last message is sent by the next flush, and then it joins;
    - *detached*, while the client is behind or the queue is paced: nothing is kept but
      `behind_version`, the hub's version from which to catch up.

    A client that reads nothing therefore costs no memory. When it reads again it gets the
    newest state of each topic, not a backlog.
    """

    __slots__ = (
        "_paced_due",
        "behind_version",
        "channel",
        "framing",
        "interval_secs",
        "keys",
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
        self.interval_secs = 0.0
        """Interval of a paced queue; 0 sends every message at once."""
        self.behind_version: int | None = None
        """The hub's version from which to catch up; None while the client keeps up."""
        self._paced_due = 0.0
        self.framing = framing

    @property
    def subscription_count(self) -> int:
        """Keys and wildcards that were subscribed to."""
        return len(self.keys) + len(self.wildcards)

    def add(self, topic: Topic) -> None:
        """Send the topic's last message with the next flush, and each new one after that."""
        self.topics.add(topic)
        self.refresh(topic)

    def refresh(self, topic: Topic) -> None:
        """Send the topic's last message with the next flush, as a snapshot."""
        topic.leave(self)
        self.snapshot_due[topic] = None

    def remove(self, topic: Topic) -> None:
        """Send no more of the topic. Messages already in `pending` are not taken back."""
        self.topics.discard(topic)
        self.snapshot_due.pop(topic, None)
        topic.leave(self)

    def clear(self) -> None:
        """Forget everything. The caller has removed the queue from its topics."""
        for held in (self.topics, self.snapshot_due, self.keys, self.wildcards, self.pending):
            held.clear()

    def fall_behind(self, version: int) -> None:
        """Drop what is pending, and catch up later with everything newer than `version`."""
        self.pending.clear()
        if self.behind_version is None:
            self.behind_version = version
            for topic in self.topics:
                topic.leave(self)

    def pace(self, interval_secs: float, version: int) -> None:
        """Send the newest message of each topic once per interval; 0 sends each at once.

        Drops what is pending, so the caller flushes first.
        """
        if interval_secs:
            self.fall_behind(version)
        self.interval_secs = interval_secs
        self._paced_due = 0.0

    def take(self, now: float, version: int) -> tuple[bytes, int]:
        """The frames to send at loop time `now`, with the number of messages in them.

        `version` is the hub's version at `now`.
        """
        count = len(self.pending)
        frames = self.take_pending() if count else b""
        if self.behind_version is not None:
            self._catch_up(self.behind_version, now, version)
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

    def _catch_up(self, since_version: int, now: float, version: int) -> None:
        if self.interval_secs:
            if now < self._paced_due:
                return
            self._paced_due = now + self.interval_secs
            self.behind_version = version
        else:
            self.behind_version = None
        for topic in self.topics:
            if topic.version > since_version:
                self.snapshot_due[topic] = None
            elif self.behind_version is None and topic not in self.snapshot_due:
                topic.join(self)

    def _take_snapshot(self) -> list[bytes]:
        last_messages = []
        for topic in list(islice(self.snapshot_due, SNAPSHOT_MAX_MESSAGES)):
            del self.snapshot_due[topic]
            if self.behind_version is None:
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

    def fall_behind(self, version: int) -> None:
        """Keep the events. `Outbox.is_overfull` tells when there are too many."""
