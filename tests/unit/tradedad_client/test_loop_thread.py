"""Coroutines of other threads run in one event loop, which ends with its last coroutine."""

import asyncio
import threading

import pytest

from tests.support.patience import PATIENCE_SECS
from tradedad_client.loop_thread import LoopThread


async def nothing() -> None:
    pass


def test_a_coroutine_runs_in_another_thread_and_its_result_is_returned() -> None:
    thread = LoopThread()

    async def name() -> str:
        return threading.current_thread().name

    try:
        assert thread.run(name()) == "tradedad"
    finally:
        thread.close_with(nothing())


def test_an_error_is_raised_in_the_calling_thread() -> None:
    thread = LoopThread()

    async def fail() -> None:
        raise KeyError("x")

    try:
        with pytest.raises(KeyError):
            thread.run(fail())
    finally:
        thread.close_with(nothing())


def test_the_thread_ends_after_its_last_coroutine() -> None:
    thread = LoopThread()
    thread.close_with(nothing())
    assert not thread._thread.is_alive()
    thread.close_with(nothing())
    with pytest.raises(RuntimeError, match="after it was closed"):
        thread.run(nothing())


def test_a_call_from_its_own_thread_is_refused_and_a_close_does_not_wait() -> None:
    thread = LoopThread()

    async def call_itself() -> None:
        with pytest.raises(RuntimeError, match="from its own thread"):
            thread.run(nothing())
        thread.close_with(nothing())

    thread.run(call_itself())
    thread._thread.join(PATIENCE_SECS)
    assert not thread._thread.is_alive()


def test_it_works_while_the_calling_thread_runs_an_event_loop() -> None:
    async def notebook() -> bool:
        thread = LoopThread()
        try:
            return thread.run(is_other_loop(asyncio.get_running_loop()))
        finally:
            thread.close_with(nothing())

    async def is_other_loop(loop: asyncio.AbstractEventLoop) -> bool:
        return asyncio.get_running_loop() is not loop

    assert asyncio.run(notebook())
