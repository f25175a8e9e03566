"""One client of the feed: its subscriptions and its queued frames."""

import asyncio
from collections.abc import Awaitable, Callable

from services.simulator.feed.subscriptions import FeedSubscriptions
from services.simulator.sockets.send_queue import SendQueue


class FeedSession(SendQueue[bytes]):
    """The send queue of a feed client, with its subscriptions."""

    def __init__(
        self,
        send: Callable[[bytes], Awaitable[None]],
        transport: asyncio.Transport | None,
        subscriptions: FeedSubscriptions,
        *,
        max_frames: int,
        send_timeout_secs: float,
    ) -> None:
        super().__init__(
            send,
            transport,
            stream="feed",
            max_messages=max_frames,
            send_timeout_secs=send_timeout_secs,
        )
        self.subscriptions = subscriptions
