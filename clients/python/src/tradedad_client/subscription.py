"""A program's handle of a subscription: an async iterator of its messages."""

import asyncio
import weakref
from collections.abc import Callable, Mapping
from types import MappingProxyType, TracebackType
from typing import Final, Generic, Self, TypeVar

from tradedad_client.buffers import ConflatingBuffer
from tradedad_client.errors import Unreachable
from tradedad_client.subscription_state import SubscriptionState

T = TypeVar("T")

_MOST_SHOWN: Final = 5


class Subscription(Generic[T]):
    """Messages in the order in which they arrive, until the subscription or the client closes.

    A subscription ends with `close`, with the client, at the end of its ``async with`` block, or
    when it is garbage collected: leaving an ``async for`` over it unsubscribes. If the client has
    failed, the iteration first yields the messages that came before, then raises the error.
    """

    def __init__(
        self, state: SubscriptionState, unsubscribe: Callable[[SubscriptionState], None]
    ) -> None:
        self._state = state
        self._changed = asyncio.Event()
        self._unsubscribe = unsubscribe
        state.on_change = self._changed.set
        self._finalizer = weakref.finalize(
            self, _unsubscribe_soon, asyncio.get_running_loop(), unsubscribe, state
        )
        self._finalizer.atexit = False

    def __repr__(self) -> str:
        state = self._state
        names = [state.names.get(key, key) for key in state.keys[:_MOST_SHOWN]]
        names += ["..."] if len(state.keys) > _MOST_SHOWN else []
        instruments = f" of {', '.join(names)}" if names else ""
        return f"<{state.channel}{instruments}{', closed' if state.is_closed else ''}>"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while True:
            message: T | None = self._state.buffer.take()
            if message is not None:
                return message
            if self._state.is_closed:
                if self._state.error is not None:
                    raise self._state.error
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unsubscribe. Unread messages can still be read; then the iteration ends."""
        self._finalizer.detach()
        self._unsubscribe(self._state)

    async def ready(self, timeout_secs: float = 30.0) -> Mapping[str, str]:
        """Wait for the gateway's answer; return the outcome of each key.

        Raises Unreachable if there is no answer in time, or the error that closed the
        subscription.
        """
        try:
            async with asyncio.timeout(timeout_secs):
                while True:
                    if self._state.is_closed:
                        raise self._state.error or Unreachable("the subscription was closed")
                    if self._state.is_answered:
                        return self.outcomes
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise Unreachable(f"no answer to a subscription in {timeout_secs:g} s") from None
        finally:
            self._changed.set()  # wakes `__anext__` for messages that came meanwhile

    @property
    def outcomes(self) -> Mapping[str, str]:
        """The last known outcome of each key: see `Outcome`."""
        return MappingProxyType(self._state.outcomes)

    @property
    def names(self) -> Mapping[str, str]:
        """The name by which the program asked for each key, once the names are looked up."""
        return MappingProxyType(self._state.names)

    @property
    def is_closed(self) -> bool:
        """Whether no further message comes; unread ones may be left."""
        return self._state.is_closed

    @property
    def waiting(self) -> int:
        """Number of unread messages."""
        return len(self._state.buffer)

    @property
    def conflated(self) -> int:
        """Number of states that were replaced by newer ones before they were read."""
        buffer = self._state.buffer
        return buffer.conflated if isinstance(buffer, ConflatingBuffer) else 0

    @property
    def outdated(self) -> int:
        """Number of states that arrived after a newer one and were dropped."""
        buffer = self._state.buffer
        return buffer.outdated if isinstance(buffer, ConflatingBuffer) else 0


def _unsubscribe_soon(
    loop: asyncio.AbstractEventLoop,
    unsubscribe: Callable[[SubscriptionState], None],
    state: SubscriptionState,
) -> None:
    """Unsubscribe from the event loop; the garbage collector may run in any thread."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(unsubscribe, state)
