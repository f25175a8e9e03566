"""Calls end with a result, or with the certainty whether they began."""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from services.trading.upstox.call_threads import CallNotStarted, CallThreads, CallTimedOut
from tests.support.patience import PATIENCE_SECS
from tests.support.waiting import eventually


class Gate:
    """A call that waits until it is let through."""

    def __init__(self) -> None:
        self.has_begun = threading.Event()
        self._is_open = threading.Event()

    def open(self) -> None:
        self._is_open.set()

    def __call__(self) -> str:
        self.has_begun.set()
        assert self._is_open.wait(PATIENCE_SECS)
        return "done"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
async def threads(gate: Gate) -> AsyncIterator[CallThreads]:
    """One thread, with one place to wait."""
    pool = CallThreads("test", threads=1, waiting=1)
    yield pool
    gate.open()
    await pool.close()


async def test_a_result_and_an_exception_are_passed_on(threads: CallThreads) -> None:
    assert await threads.run(lambda: 5, PATIENCE_SECS) == 5
    for error in (TimeoutError, KeyError):

        def fail(error: type[Exception] = error) -> None:
            raise error("by the call")

        with pytest.raises(error, match="by the call"):
            await threads.run(fail, PATIENCE_SECS)


async def test_a_call_beyond_the_places_is_not_started(threads: CallThreads, gate: Gate) -> None:
    running = asyncio.create_task(threads.run(gate, PATIENCE_SECS))
    waiting = asyncio.create_task(threads.run(lambda: 5, PATIENCE_SECS))
    await eventually(gate.has_begun.is_set, what="the first call begins")
    with pytest.raises(CallNotStarted, match="too many calls"):
        await threads.run(lambda: 6, PATIENCE_SECS)
    gate.open()
    assert (await running, await waiting) == ("done", 5)
    assert await threads.run(lambda: 6, PATIENCE_SECS) == 6


async def test_a_call_that_found_no_thread_in_time_never_begins(
    threads: CallThreads, gate: Gate
) -> None:
    running = asyncio.create_task(threads.run(gate, PATIENCE_SECS))
    await eventually(gate.has_begun.is_set, what="the first call begins")
    begun = threading.Event()
    with pytest.raises(CallNotStarted, match="no thread"):
        await threads.run(begun.set, 0.05)
    gate.open()
    assert await running == "done"
    await threads.run(lambda: None, PATIENCE_SECS)  # after its place in the queue
    assert not begun.is_set()


async def test_a_call_that_takes_too_long_has_begun(threads: CallThreads, gate: Gate) -> None:
    with pytest.raises(CallTimedOut):
        await threads.run(gate, 5.0)
    assert gate.has_begun.is_set()


async def test_a_cancelled_task_is_cancelled(threads: CallThreads, gate: Gate) -> None:
    running = asyncio.create_task(threads.run(gate, PATIENCE_SECS))
    begun = threading.Event()
    waiting = asyncio.create_task(threads.run(begun.set, PATIENCE_SECS))
    await eventually(gate.has_begun.is_set, what="the first call begins")
    for task in (running, waiting):
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    gate.open()
    assert await threads.run(lambda: 5, PATIENCE_SECS) == 5
    assert not begun.is_set()


async def test_calls_that_wait_at_the_end_are_not_started(gate: Gate) -> None:
    pool = CallThreads("test", threads=1, waiting=1)
    running = asyncio.create_task(pool.run(gate, PATIENCE_SECS))
    waiting = asyncio.create_task(pool.run(lambda: 5, PATIENCE_SECS))
    await eventually(gate.has_begun.is_set, what="the first call begins")
    closing = asyncio.create_task(pool.close())
    with pytest.raises(CallNotStarted, match="stopped"):
        await waiting
    gate.open()
    assert await running == "done"
    await closing
    with pytest.raises(CallNotStarted, match="stopped"):
        await pool.run(lambda: 6, PATIENCE_SECS)
