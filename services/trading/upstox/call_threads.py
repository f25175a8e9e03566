"""A bounded pool of threads for blocking calls."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class CallNotStarted(Exception):
    """The call did not begin and never will."""


class CallTimedOut(Exception):
    """The call began, and has not ended within its time; its thread is busy until it ends."""


class CallThreads:
    """Runs calls in at most `threads` threads; at most `waiting` further calls wait for one.

    Give commands and reads pools of their own, so that slow reads never delay a cancellation.
    """

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(threads + waiting)

    async def run(self, call: Callable[[], T], timeout_secs: float) -> T:
        """The result of the call, or its exception. `timeout_secs` includes the wait for a thread.

        Raises CallNotStarted if there is no place, if no thread was free in time or after `close`,
        and CallTimedOut. If the awaiting task is cancelled, a call that has not begun never will,
        and the result of one that has is lost: shield a call whose result matters.
        """
        future = self._submit(call)
        try:
            async with asyncio.timeout(timeout_secs) as timeout:
                return await asyncio.wrap_future(future)
        except TimeoutError:
            if not timeout.expired():
                raise  # by the call itself
            if future.cancel():
                raise CallNotStarted("no thread was free in time") from None
            if future.done():
                return future.result()
            raise CallTimedOut(f"no result within {timeout_secs:g} s") from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if future.cancelled() and task is not None and not task.cancelling():
                raise CallNotStarted("the threads have stopped") from None
            raise

    async def close(self) -> None:
        """Drop calls that have not begun, and wait for the others, which end by their timeouts."""
        await asyncio.to_thread(self._executor.shutdown, wait=True, cancel_futures=True)

    def _submit(self, call: Callable[[], T]) -> Future[T]:
        if not self._places.acquire(blocking=False):
            raise CallNotStarted("too many calls are waiting")
        try:
            future = self._executor.submit(call)
        except RuntimeError:  # after `close`
            self._places.release()
            raise CallNotStarted("the threads have stopped") from None
        future.add_done_callback(lambda _: self._places.release())
        return future
