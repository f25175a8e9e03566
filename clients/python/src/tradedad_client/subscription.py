"""What a program holds of a subscription: an async iterator of its messages."""

import asyncio
import weakref
from collections.abc import Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import Generic, Self, TypeVar

from tradedad_client.conversation import Route
from tradedad_client.errors import Unreachable
from tradedad_client.mailbox import Newest

T = TypeVar("T")


class Subscription(Generic[T]):
    """Messages, as they come, until it or the client is closed.

    It ends with `close`, with the client, at the end of its ``async with`` block, or when
    nobody holds it any more: leaving an ``async for`` over it unsubscribes. If the
    client has failed, what came before is given first, and then the failure is raised.
    """

    def __init__(self, route: Route, give_back: Callable[[Route], None]) -> None:
        self._route = route
        self._news = asyncio.Event()
        self._give_back = give_back
        route.wake = self._news.set
        self._finalizer = weakref.finalize(
            self, _give_back_soon, asyncio.get_running_loop(), give_back, route
        )
        self._finalizer.atexit = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while True:
            item: T | None = self._route.mailbox.take()
            if item is not None:
                return item
            if self._route.is_over:
                if self._route.failure is not None:
                    raise self._route.failure
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unsubscribe; what waits can still be taken, and then the iteration ends."""
        self._finalizer.detach()
        self._give_back(self._route)

    async def ready(self, timeout_secs: float = 30.0) -> Mapping[str, str]:
        """The outcome of each key, once the gateway has told it.

        Raises Unreachable if it does not in time, and why the subscription is over if it is.
        """
        try:
            async with asyncio.timeout(timeout_secs):
                while True:
                    if self._route.is_over:
                        raise self._route.failure or Unreachable("the subscription was closed")
                    if self._route.is_answered:
                        return self.outcomes
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise Unreachable(f"no answer to a subscription in {timeout_secs:g} s") from None
        finally:
            self._news.set()  # a message that came meanwhile is not to be slept over

    @property
    def outcomes(self) -> Mapping[str, str]:
        """What became of each key, as far as the gateway has told: see `Outcome`."""
        return MappingProxyType(self._route.outcomes)

    @property
    def waiting(self) -> int:
        """Messages that have come and were not taken yet."""
        return len(self._route.mailbox)

    @property
    def conflated(self) -> int:
        """States that newer ones have replaced here because they were not taken in time."""
        mailbox = self._route.mailbox
        return mailbox.conflated if isinstance(mailbox, Newest) else 0

    @property
    def outdated(self) -> int:
        """States that came after a newer one, and were passed over."""
        mailbox = self._route.mailbox
        return mailbox.outdated if isinstance(mailbox, Newest) else 0


def _give_back_soon(
    loop: asyncio.AbstractEventLoop, give_back: Callable[[Route], None], route: Route
) -> None:
    """The garbage collector may run in any thread, and at any time."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(give_back, route)
