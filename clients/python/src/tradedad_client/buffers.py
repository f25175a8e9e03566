"""Bounded receive buffers for programs that read more slowly than messages arrive. Pure."""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")

Version = tuple[int, int]
"""(epoch, seq): of two states of one instrument, the greater version is the newer state."""


class ReceiveBuffer(Protocol[T]):
    """Messages of one subscription that the program has not read yet."""

    def put(self, item: T) -> bool:
        """Store `item`; return False if the buffer is full and may not drop anything."""
        ...

    def take(self) -> T | None:
        """Remove and return the next message; None if the buffer is empty."""
        ...

    def __len__(self) -> int: ...


class ConflatingBuffer(Generic[T]):
    """Every state while the program keeps up, otherwise the newest of each instrument.

    Once more than `max_items` wait, a new state replaces the older one of the same instrument
    until the program has emptied the buffer. A state that is not newer than the last one of its
    instrument is dropped, also across reconnects.
    """

    def __init__(
        self,
        max_items: int,
        key_of: Callable[[T], Hashable],
        version_of: Callable[[T], Version] | None = None,
    ) -> None:
        self._max_items = max_items
        self._key_of = key_of
        self._version_of = version_of
        self._fifo: deque[T] = deque()
        self._newest: dict[Hashable, T] = {}
        self._last_versions: dict[Hashable, Version] = {}
        self.conflated = 0
        """Number of states that were replaced by newer ones before the program read them."""
        self.outdated = 0
        """Number of states that arrived after a newer one and were dropped."""

    def __len__(self) -> int:
        return len(self._fifo) + len(self._newest)

    def put(self, item: T) -> bool:
        """Store `item` unless the same or a newer state has been stored before."""
        key = self._key_of(item)
        if self._version_of is not None:
            version = self._version_of(item)
            last = self._last_versions.get(key, (-1, -1))
            if version <= last:
                self.outdated += version < last
                return True
            self._last_versions[key] = version
        if self._newest:
            self._replace(key, item)
        elif len(self._fifo) < self._max_items:
            self._fifo.append(item)
        else:
            for waiting in self._fifo:
                self._replace(self._key_of(waiting), waiting)
            self._fifo.clear()
            self._replace(key, item)
        return True

    def _replace(self, key: Hashable, item: T) -> None:
        self.conflated += key in self._newest
        self._newest[key] = item  # keeps the older state's place, so no instrument starves

    def take(self) -> T | None:
        """Remove and return the state that has waited longest."""
        if self._fifo:
            return self._fifo.popleft()
        if self._newest:
            return self._newest.pop(next(iter(self._newest)))
        return None


class FifoBuffer(Generic[T]):
    """Every message, in order. A full buffer refuses further messages.

    With `key_of`, a message that equals the last one of its key is dropped, because snapshots
    repeat messages.
    """

    def __init__(
        self, max_items: int, key_of: Callable[[T], Hashable | None] | None = None
    ) -> None:
        self._max_items = max_items
        self._key_of = key_of
        self._fifo: deque[T] = deque()
        self._last: dict[Hashable, T] = {}

    def __len__(self) -> int:
        return len(self._fifo)

    def put(self, item: T) -> bool:
        """Store `item`; return False if the buffer is full."""
        key = self._key_of(item) if self._key_of is not None else None
        if key is not None:
            if self._last.get(key) == item:
                return True
            self._last[key] = item
        if len(self._fifo) >= self._max_items:
            return False
        self._fifo.append(item)
        return True

    def take(self) -> T | None:
        """Remove and return the oldest message."""
        return self._fifo.popleft() if self._fifo else None


class RingBuffer(Generic[T]):
    """The last `max_items` messages: a new message replaces the oldest."""

    def __init__(self, max_items: int) -> None:
        self._fifo: deque[T] = deque(maxlen=max_items)

    def __len__(self) -> int:
        return len(self._fifo)

    def put(self, item: T) -> bool:
        """Store `item`; always True."""
        self._fifo.append(item)
        return True

    def take(self) -> T | None:
        """Remove and return the oldest message that is left."""
        return self._fifo.popleft() if self._fifo else None
