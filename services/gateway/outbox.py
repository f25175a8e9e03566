"""What waits to be sent to one client: every message while it keeps up, else the newest of each."""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final

from services.gateway import answers
from services.gateway.frames import batch_frame, text_frame
from services.gateway.protocol import Channel
from services.gateway.topic import Topic

# One snapshot holds at most so many messages; more follow when the client has taken these.
SNAPSHOT_MOST: Final = 500
MAX_ANSWERS: Final = 64
MAX_EVENTS: Final = 1_000


class Lane:
    """One channel of one client.

    A topic of a lane is *joined* (the lane is among its sinks, and each live message comes
    into `pending`), or *fresh* (its last message leaves with the next flush, and then it
    joins), or, while the lane is behind or paced, neither: all that is kept for it then is
    the version from which to catch up. So a client that takes nothing costs nothing,
    and gets the newest state, and no backlog, when it takes something again.
    """

    __slots__ = (
        "_due",
        "_head",
        "channel",
        "fresh",
        "interval_secs",
        "mark",
        "named",
        "pending",
        "topics",
        "wild",
    )

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.pending: list[bytes] = []
        self.topics: set[Topic] = set()
        self.fresh: dict[Topic, None] = {}
        self.named: dict[str, Topic] = {}
        """What was asked for by its own name."""
        self.wild: set[str] = set()
        """What was asked for by wildcard."""
        self.interval_secs = 0.0
        """Of a paced lane, which sends the newest of each topic so often; else 0."""
        self._due = 0.0
        self.mark: int | None = None
        """The version from which to catch up; None while the lane keeps up."""
        self._head = answers.batch_head(channel)

    @property
    def asked(self) -> int:
        """How many keys and wildcards were asked for."""
        return len(self.named) + len(self.wild)

    def add(self, topic: Topic) -> None:
        """Send the topic's last message with the next flush, and from then on each new one."""
        self.topics.add(topic)
        self.refresh(topic)

    def refresh(self, topic: Topic) -> None:
        """Send the topic's last message, as a snapshot, with the next flush."""
        topic.leave(self)
        self.fresh[topic] = None

    def remove(self, topic: Topic) -> None:
        """Send no more of it; flush before, for what waits is not taken back."""
        self.topics.discard(topic)
        self.fresh.pop(topic, None)
        topic.leave(self)

    def clear(self) -> None:
        """Forget everything; whoever knows the topics has taken the lane out of them."""
        for held in (self.topics, self.fresh, self.named, self.wild, self.pending):
            held.clear()

    def fall_behind(self, version: int) -> None:
        """Drop what waits, and note to catch up with all that came after `version`."""
        self.pending.clear()
        if self.mark is None:
            self.mark = version
            for topic in self.topics:
                topic.leave(self)

    def pace(self, interval_secs: float, version: int) -> None:
        """From now on send the newest of each topic once per interval; 0: everything at once.

        Flush before: what waits is dropped.
        """
        if interval_secs:
            self.fall_behind(version)
        self.interval_secs = interval_secs
        self._due = 0.0

    def take(self, now: float, version: int) -> tuple[bytes, int]:
        """Frames to send at loop time `now`, the hub being at `version`; how many messages."""
        count = len(self.pending)
        frames = self.take_pending() if count else b""
        if self.mark is not None:
            self._catch_up(self.mark, now, version)
        if self.fresh:
            known = self._take_fresh()
            if known:
                frames += batch_frame(answers.snapshot_head(self.channel), known)
                count += len(known)
        return frames, count

    def take_pending(self) -> bytes:
        """A frame with the live messages that wait."""
        frame = batch_frame(self._head, self.pending)
        self.pending.clear()
        return frame

    def _catch_up(self, mark: int, now: float, version: int) -> None:
        if self.interval_secs:
            if now < self._due:
                return
            self._due = now + self.interval_secs
            self.mark = version
        else:
            self.mark = None
        for topic in self.topics:
            if topic.version > mark:
                self.fresh[topic] = None
            elif self.mark is None and topic not in self.fresh:
                topic.join(self)

    def _take_fresh(self) -> list[bytes]:
        known = []
        for topic in list(islice(self.fresh, SNAPSHOT_MOST)):
            del self.fresh[topic]
            if self.mark is None:
                topic.join(self)
            if topic.last is not None:
                known.append(topic.last)
        return known


class EventLane(Lane):
    """A channel of which every message counts: nothing is conflated or dropped."""

    __slots__ = ()

    def refresh(self, topic: Topic) -> None:
        """There is no snapshot of events: join at once."""
        topic.join(self)

    def fall_behind(self, version: int) -> None:
        """Events wait; `Outbox.is_overfull` tells when too many do."""


class Outbox:
    """All lanes and answers of one client, and the way to its socket.

    `write` takes bytes for the socket, `unsent` tells how many of them it still holds, and
    `give_up` is called, with the reason, when the client has to go.
    """

    __slots__ = (
        "_answers",
        "_room",
        "behind_since",
        "give_up",
        "has_more",
        "lanes",
        "unsent",
        "write",
    )

    def __init__(
        self,
        write: Callable[[bytes], None],
        unsent: Callable[[], int],
        give_up: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.write = write
        self.unsent = unsent
        self.give_up = give_up
        self.lanes: dict[Channel, Lane] = {}
        self.behind_since: float | None = None
        """Loop time since which the client has not taken what was sent; None if it does."""
        self.has_more = False
        """Whether `take` left something that can go without anything new coming in."""
        self._answers: deque[bytes] = deque()
        self._room: asyncio.Event | None = None

    def lane(self, channel: Channel) -> Lane:
        """The lane of a channel; made when first asked for."""
        lane = self.lanes.get(channel)
        if lane is None:
            kind = EventLane if channel is Channel.ORDERS else Lane
            lane = self.lanes[channel] = kind(channel)
        return lane

    def answer(self, message: bytes) -> None:
        """Answers keep their order, and leave before anything else."""
        self._answers.append(message)

    async def room(self) -> None:
        """Wait while so many answers wait that no more requests should be read."""
        while len(self._answers) >= MAX_ANSWERS:
            self._room = self._room or asyncio.Event()
            self._room.clear()
            await self._room.wait()

    @property
    def is_overfull(self) -> bool:
        """Whether more events wait than may."""
        return any(len(lane.pending) > MAX_EVENTS for lane in self.lanes.values())

    def take(self, now: float, version: int) -> tuple[bytes, int]:
        """All that can be sent now, as WebSocket frames, and how many messages are in it."""
        data = b"".join(map(text_frame, self._take_answers())) if self._answers else b""
        total = 0
        self.has_more = False
        for lane in self.lanes.values():
            frames, count = lane.take(now, version)
            data = data + frames if data else frames
            total += count
            if lane.fresh or lane.interval_secs:
                self.has_more = True
        return data, total

    def _take_answers(self) -> list[bytes]:
        answers = list(self._answers)
        self._answers.clear()
        if self._room is not None:
            self._room.set()
        return answers

    def part(self) -> None:
        """Write the answers that wait and nothing else, even if the client takes nothing."""
        self.write(b"".join(map(text_frame, self._take_answers())))

    def fall_behind(self, now: float, version: int) -> None:
        """The client does not take what is sent: keep no more than what it will need."""
        if self.behind_since is None:
            self.behind_since = now
        for lane in self.lanes.values():
            lane.fall_behind(version)
