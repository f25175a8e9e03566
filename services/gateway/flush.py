"""Wakes all clients that have something to send, together, once per interval."""

import asyncio
from collections.abc import Callable

Wake = Callable[[], None]


class Flusher:
    """Collects what becomes dirty during an interval, then wakes it in one sweep.

    The first of an interval starts it, so an idle gateway does nothing and a lone quote
    waits no longer than one interval.
    """

    def __init__(self, interval_ms: int) -> None:
        self._interval_secs = interval_ms / 1_000
        self._dirty: list[Wake] = []

    def mark(self, wake: Wake) -> None:
        """Call `wake` at the end of the interval; each client marks itself once."""
        if not self._dirty:
            asyncio.get_running_loop().call_later(self._interval_secs, self._sweep)
        self._dirty.append(wake)

    def _sweep(self) -> None:
        dirty, self._dirty = self._dirty, []
        for wake in dirty:
            wake()
