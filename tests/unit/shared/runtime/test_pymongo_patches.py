"""Cancelling a wait of the MongoDB driver leaves its locks in a correct state."""

import asyncio

import pytest
from pymongo import lock

from shared.runtime import pymongo_patches


@pytest.fixture(autouse=True)
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "wait_for", asyncio.wait_for)
    pymongo_patches.apply()


async def until_waiting(condition: lock.Condition) -> None:
    while not condition._waiters:
        await asyncio.sleep(0)


async def test_a_wait_cancelled_while_it_reacquires_the_lock_ends_and_frees_the_lock() -> None:
    taken = lock._async_create_lock()
    condition = lock._async_create_condition(taken)

    async def wait() -> None:
        async with taken:
            await lock._async_cond_wait(condition, 0.001)

    waiting = asyncio.create_task(wait())
    await until_waiting(condition)
    async with taken:
        while condition._waiters:  # timed out, and now reacquires the lock
            await asyncio.sleep(0.001)
        waiting.cancel()
        await asyncio.sleep(0)
        assert not waiting.done()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert not taken.locked()


async def test_a_wait_that_times_out_ends_with_the_lock_held() -> None:
    taken = lock._async_create_lock()
    condition = lock._async_create_condition(taken)
    async with taken:
        assert await lock._async_cond_wait(condition, 0.001) is False
        assert taken.locked()


async def test_a_wait_ends_when_it_is_notified() -> None:
    taken = lock._async_create_lock()
    condition = lock._async_create_condition(taken)

    async def wait() -> bool:
        async with taken:
            return await lock._async_cond_wait(condition, 10)

    waiting = asyncio.create_task(wait())
    await until_waiting(condition)
    async with taken:
        condition.notify_all()
    assert await waiting is True
