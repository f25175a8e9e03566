"""Everything that waits to be sent to one client: replies, then one queue per channel."""

import asyncio
from collections.abc import Callable
from typing import Final

from services.gateway.fanout.channel_queue import ChannelQueue, EventQueue
from services.gateway.fanout.channels import Channel
from services.gateway.fanout.framing import Framing

MAX_REPLIES: Final = 64
"""Replies that may wait before the session stops reading requests."""
MAX_EVENTS: Final = 1_000
"""Events that may wait before the client is disconnected."""


class Outbox:
    """The queues and replies of one client, with the functions that reach its socket.

    `write` hands bytes to the socket. `unsent` returns how many bytes the socket has not
    taken. `disconnect` is called, with a reason, when the client must be closed.
    """

    __slots__ = (
        "_framing",
        "_room",
        "behind_since",
        "disconnect",
        "has_more",
        "queues",
        "replies",
        "unsent",
        "write",
    )

    def __init__(
        self,
        write: Callable[[bytes], None],
        unsent: Callable[[], int],
        framing: Framing,
        disconnect: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.write = write
        self.unsent = unsent
        self.disconnect = disconnect
        self.queues: dict[Channel, ChannelQueue] = {}
        self.behind_since: float | None = None
        """Loop time since which the client has not taken what was sent; None if it keeps up."""
        self.has_more = False
        """Whether `take` left something that can be sent before anything new arrives."""
        self._framing = framing
        self.replies: list[bytes] = []  # an empty deque takes ten times the memory
        """Replies that wait; no channel message may overtake them."""
        self._room: asyncio.Event | None = None

    def queue(self, channel: Channel) -> ChannelQueue:
        """The queue of a channel; made at its first use."""
        queue = self.queues.get(channel)
        if queue is None:
            kind = EventQueue if channel is Channel.ORDERS else ChannelQueue
            queue = self.queues[channel] = kind(channel, self._framing)
        return queue

    def reply(self, message: bytes) -> None:
        """Send a reply. Replies keep their order and precede all channel messages."""
        self.replies.append(message)

    async def room(self) -> None:
        """Wait until fewer than `MAX_REPLIES` replies wait."""
        while len(self.replies) >= MAX_REPLIES:
            self._room = self._room or asyncio.Event()
            self._room.clear()
            await self._room.wait()

    @property
    def is_overfull(self) -> bool:
        """Whether more than `MAX_EVENTS` events wait."""
        return any(len(queue.pending) > MAX_EVENTS for queue in self.queues.values())

    def take(self, now: float) -> tuple[bytes, int]:
        """All bytes that can be sent now, and the number of channel messages in them."""
        data = self._take_replies()
        total = 0
        self.has_more = False
        for queue in self.queues.values():
            frames, count = queue.take(now)
            data = data + frames if data else frames
            total += count
            if queue.snapshot_due or queue.paced.intervals_secs:
                self.has_more = True
        return data, total

    def write_replies(self) -> None:
        """Write the waiting replies and nothing else, even if the client reads nothing."""
        self.write(self._take_replies())

    def _take_replies(self) -> bytes:
        if not self.replies:
            return b""
        data = b"".join(map(self._framing.reply, self.replies))
        self.replies.clear()
        if self._room is not None:
            self._room.set()
        return data

    def fall_behind(self, now: float, version: int) -> None:
        """The client does not take what was sent: keep only what it needs to catch up."""
        if self.behind_since is None:
            self.behind_since = now
        for queue in self.queues.values():
            queue.fall_behind(version)
