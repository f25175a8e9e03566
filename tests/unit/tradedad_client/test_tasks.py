"""Tasks are cancelled until each has finished."""

import asyncio

import pytest

from tradedad_client import tasks
from tradedad_client.tasks import stop


async def test_all_tasks_have_finished_afterwards() -> None:
    running = [asyncio.create_task(asyncio.sleep(60)) for _ in range(3)]
    await asyncio.sleep(0)
    await stop(running)
    assert all(task.cancelled() for task in running)


async def test_a_task_that_loses_a_cancellation_is_cancelled_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "_RETRY_SECS", 0.01)
    lost = 0

    async def careless() -> None:
        nonlocal lost
        while lost < 2:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                lost += 1
        await asyncio.sleep(60)

    task = asyncio.create_task(careless())
    await asyncio.sleep(0)
    await stop([task])
    assert task.cancelled()
    assert lost == 2


async def test_an_exception_stays_in_its_task() -> None:
    async def failing() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ValueError("at the end")

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)
    await stop([task])
    assert isinstance(task.exception(), ValueError)


async def test_a_cancellation_of_the_caller_is_raised_after_all_have_finished() -> None:
    release = asyncio.Event()

    async def slow() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            await release.wait()

    task = asyncio.create_task(slow())
    stopping = asyncio.create_task(stop([task]))
    await asyncio.sleep(0.01)
    stopping.cancel()
    await asyncio.sleep(0.01)
    release.set()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert task.done()
