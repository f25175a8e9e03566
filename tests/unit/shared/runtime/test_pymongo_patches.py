"""Cancelling an operation of the MongoDB driver leaves no lock taken and no socket open."""

import asyncio

import pytest
from pymongo import lock, pool_shared
from pymongo.pool_options import PoolOptions

from shared.runtime import pymongo_patches
from tests.support.patience import PATIENCE_SECS


@pytest.fixture(autouse=True)
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "wait_for", asyncio.wait_for)
    monkeypatch.setattr(
        pool_shared, "_async_create_connection", pool_shared._async_create_connection
    )
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


async def test_a_connection_whose_caller_is_cancelled_is_closed() -> None:
    is_closed = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.read() == b""
        is_closed.set()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        address = server.sockets[0].getsockname()
        options = PoolOptions(connect_timeout=PATIENCE_SECS)
        connecting = asyncio.create_task(pool_shared._async_create_connection(address, options))
        await asyncio.sleep(0)
        connecting.cancel()
        await asyncio.wait([connecting])
        assert connecting.cancelled()
        async with asyncio.timeout(PATIENCE_SECS):
            await is_closed.wait()


async def test_a_connection_is_returned_open() -> None:
    async with await asyncio.start_server(
        lambda _, writer: writer.close(), "127.0.0.1", 0
    ) as server:
        options = PoolOptions(connect_timeout=PATIENCE_SECS)
        address = server.sockets[0].getsockname()
        with await pool_shared._async_create_connection(address, options) as connection:
            assert connection.getpeername() == address
