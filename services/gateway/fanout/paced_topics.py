"""The topics of one queue that are sent at an interval, and when they are due. Pure."""

import heapq
from collections.abc import Iterator

from services.gateway.fanout.topic import Topic


class PacedTopics:
    """Topics in groups with the same interval; each group is due once per interval."""

    __slots__ = ("_due", "_groups", "intervals_secs")

    def __init__(self) -> None:
        self._groups: dict[float, dict[Topic, int]] = {}
        """By interval: each topic, with the version of its last message that was sent."""
        self.intervals_secs: dict[Topic, float] = {}
        """The paced topics, each with its interval."""
        self._due: list[tuple[float, float]] = []
        """A heap with one entry per group: when it is due, and its interval."""

    def add(self, topic: Topic, interval_secs: float) -> None:
        """Send the newest message of a topic once per interval from now on."""
        if self.intervals_secs.get(topic) == interval_secs:
            return
        sent_version = self.discard(topic)
        self.intervals_secs[topic] = interval_secs
        group = self._groups.get(interval_secs)
        if group is None:
            group = self._groups[interval_secs] = {}
            heapq.heappush(self._due, (0.0, interval_secs))
        group[topic] = sent_version

    def discard(self, topic: Topic) -> int:
        """Pace the topic no longer. Returns the version of its last message that was sent."""
        interval_secs = self.intervals_secs.pop(topic, None)
        return 0 if interval_secs is None else self._groups[interval_secs].pop(topic)

    def clear(self) -> None:
        """Forget all topics."""
        for held in (self._groups, self.intervals_secs, self._due):
            held.clear()

    def sent(self, topic: Topic) -> None:
        """The last message of a topic was sent."""
        self._groups[self.intervals_secs[topic]][topic] = topic.version

    def take_due(self, now: float) -> Iterator[Topic]:
        """The topics of the groups that are due at `now`, if they have a new message."""
        while self._due and self._due[0][0] <= now:
            _, interval_secs = self._due[0]
            group = self._groups[interval_secs]
            if not group:
                del self._groups[interval_secs]
                heapq.heappop(self._due)
                continue
            heapq.heapreplace(self._due, (now + interval_secs, interval_secs))
            for topic, sent_version in group.items():
                if topic.version > sent_version:
                    yield topic
