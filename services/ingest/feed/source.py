"""The interface of a market-data feed."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from services.ingest.demand.subscription_requests import SubscriptionRequest
from shared.errors import FeedError


@dataclass(frozen=True, slots=True)
class Frame:
    """One binary message of the feed, not decoded."""

    data: bytes
    received_us: int
    """Epoch microseconds, local clock."""


class FeedSilent(FeedError):
    """The connection is open but delivers no frames, although trades are expected."""


class TokenReplaced(FeedError):
    """The connection is closed to open one with a newer token."""


class FeedConnection(Protocol):
    """An open connection."""

    def frames(self) -> AsyncIterator[Frame]:
        """Frames in the order of receipt; raises FeedError when the connection ends."""
        ...

    async def send(self, request: SubscriptionRequest) -> None:
        """Send a subscription request. Raises FeedError."""
        ...


class FeedSource(Protocol):
    """Opens connections, one at a time."""

    def connect(self, access_token: str) -> AbstractAsyncContextManager[FeedConnection]:
        """Raises FeedUnauthorised if the token is refused, FeedError on any other failure."""
        ...

    async def check_token(self, access_token: str) -> None:
        """Raises FeedUnauthorised if the token is refused, FeedError if it cannot be checked."""
        ...
