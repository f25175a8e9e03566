"""What the pipeline needs of a feed, whichever it is."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Frame:
    """One binary message of the feed, as it came."""

    data: bytes
    received_us: int
    """Epoch microseconds, our clock."""


class FeedConnection(Protocol):
    """One open connection."""

    def frames(self) -> AsyncIterator[Frame]:
        """Frames as they come; raises FeedError when the connection ends."""
        ...

    async def subscribe(self, keys: Sequence[str]) -> None:
        """Ask for `keys` in full mode. Raises FeedError."""
        ...


class FeedSource(Protocol):
    """Opens connections, one at a time."""

    def connect(self) -> AbstractAsyncContextManager[FeedConnection]:
        """Raises FeedUnauthorised if the token is refused, FeedError for all else."""
        ...
