"""What waits for a program that reads more slowly than messages come. Pure.

Each mailbox has a bound, and says what it does when that is reached.
"""

from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")

Stamp = tuple[int, int]
"""(epoch, seq): of two states of one instrument the greater is the newer."""


class Mailbox(Protocol[T]):
    """Where messages of one subscription wait."""

    def put(self, item: T) -> bool:
        """Keep it until it is taken; False if there is no room, and nothing may be dropped."""
        ...

    def take(self) -> T | None:
        """The next one; None if there is none."""
        ...

    def __len__(self) -> int: ...


class Newest(Generic[T]):
    """Every state while the reader keeps up, else the newest of each instrument.

    Once more than `most` wait, those of the same instrument take each other's place, until the
    reader has caught up. Nothing goes back in time, also not across a reconnect.
    """

    def __init__(
        self,
        most: int,
        name_of: Callable[[T], Hashable],
        stamp_of: Callable[[T], Stamp] | None = None,
    ) -> None:
        self._most = most
        self._name_of = name_of
        self._stamp_of = stamp_of
        self._all: deque[T] = deque()
        self._newest: dict[Hashable, T] = {}
        self._seen: dict[Hashable, Stamp] = {}
        self.conflated = 0
        """States that newer ones have replaced before they were taken."""
        self.outdated = 0
        """States that came after a newer one, and were passed over."""

    def __len__(self) -> int:
        return len(self._all) + len(self._newest)

    def put(self, item: T) -> bool:
        """Keep it, unless we have had it, or a newer one."""
        name = self._name_of(item)
        if self._stamp_of is not None:
            stamp = self._stamp_of(item)
            seen = self._seen.get(name, (-1, -1))
            if stamp <= seen:
                self.outdated += stamp < seen
                return True
            self._seen[name] = stamp
        if self._newest:
            self._replace(name, item)
        elif len(self._all) < self._most:
            self._all.append(item)
        else:
            for waiting in self._all:
                self._replace(self._name_of(waiting), waiting)
            self._all.clear()
            self._replace(name, item)
        return True

    def _replace(self, name: Hashable, item: T) -> None:
        self.conflated += name in self._newest
        self._newest[name] = item  # in the place of the older one: nobody waits for ever

    def take(self) -> T | None:
        """The one that has waited longest."""
        if self._all:
            return self._all.popleft()
        if self._newest:
            return self._newest.pop(next(iter(self._newest)))
        return None


class Every(Generic[T]):
    """Every message, in order; when `most` wait there is no room for another.

    With `name_of`, one that equals the last of its name is not kept: a snapshot repeats it.
    """

    def __init__(self, most: int, name_of: Callable[[T], Hashable | None] | None = None) -> None:
        self._most = most
        self._name_of = name_of
        self._all: deque[T] = deque()
        self._last: dict[Hashable, T] = {}

    def __len__(self) -> int:
        return len(self._all)

    def put(self, item: T) -> bool:
        """Keep it; False if there is no room."""
        name = self._name_of(item) if self._name_of is not None else None
        if name is not None:
            if self._last.get(name) == item:
                return True
            self._last[name] = item
        if len(self._all) >= self._most:
            return False
        self._all.append(item)
        return True

    def take(self) -> T | None:
        """The oldest."""
        return self._all.popleft() if self._all else None


class Latest(Generic[T]):
    """The last `most` messages: the oldest make room. For news, of which the last count."""

    def __init__(self, most: int) -> None:
        self._all: deque[T] = deque(maxlen=most)

    def __len__(self) -> int:
        return len(self._all)

    def put(self, item: T) -> bool:
        """Keep it."""
        self._all.append(item)
        return True

    def take(self) -> T | None:
        """The oldest that is left."""
        return self._all.popleft() if self._all else None
