"""What the pipeline needs of a feed, whichever it is."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from services.ingest.demand.planning import Request
from shared.errors import FeedError


@dataclass(frozen=True, slots=True)
class Frame:
    """One binary message of the feed, as it came."""

    data: bytes
    received_us: int
    """Epoch microseconds, our clock."""


class FeedSilent(FeedError):
    """The connection is open and tells nothing, though trades are to be expected."""


class TokenReplaced(FeedError):
    """The connection is fine; it is given up for one with a newer token."""


class FeedConnection(Protocol):
    """One open connection."""

    def frames(self) -> AsyncIterator[Frame]:
        """Frames as they come; raises FeedError when the connection ends."""
        ...

    async def send(self, request: Request) -> None:
        """Ask for a change of what is subscribed. Raises FeedError."""
        ...


class FeedSource(Protocol):
    """Opens connections, one at a time."""

    def connect(self, access_token: str) -> AbstractAsyncContextManager[FeedConnection]:
        """Raises FeedUnauthorised if the token is refused, FeedError for all else."""
        ...

    async def check(self, access_token: str) -> None:
        """Raises FeedUnauthorised if the token is good no more, FeedError if nobody says."""
        ...
