"""An event loop in a thread of its own, for programs that are not asynchronous."""

import asyncio
import logging
import threading
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

log = logging.getLogger("tradedad_client")

T = TypeVar("T")

_STOP_SECS: Final = 10.0


class LoopThread:
    """Runs coroutines for other threads, one event loop for all of them."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # The thread must not keep a program from ending that has not closed its client.
        self._thread = threading.Thread(target=self._serve, name="tradedad", daemon=True)
        self._thread.start()

    @property
    def is_current(self) -> bool:
        """Whether the caller runs in the loop's own thread."""
        return threading.current_thread() is self._thread

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end and return its result.

        The coroutine is cancelled if the wait is interrupted, for example by Ctrl+C.
        """
        if self.is_current or self._loop.is_closed():
            coroutine.close()
            problem = "from its own thread" if self.is_current else "after it was closed"
            raise RuntimeError(f"the client was called {problem}")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        finally:
            future.cancel()

    def close_with(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a last coroutine, then end the thread. It does not wait in its own thread."""
        if self._loop.is_closed():
            coroutine.close()
            return
        asyncio.run_coroutine_threadsafe(self._end_with(coroutine), self._loop)
        if self.is_current:
            return
        self._thread.join(_STOP_SECS)
        if self._thread.is_alive():
            log.warning("the client did not close within %g s", _STOP_SECS)

    async def _end_with(self, coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            await coroutine
        finally:
            self._loop.stop()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()
