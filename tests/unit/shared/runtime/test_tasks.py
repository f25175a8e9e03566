"""Tasks run concurrently, and are cancelled until they have finished."""

import asyncio

import pytest

from shared.runtime import tasks
from shared.runtime.tasks import run_together, stop


@pytest.fixture(autouse=True)
def short_recancel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_RECANCEL_SECS", 0.5)


async def forever() -> None:
    await asyncio.Event().wait()


async def fail(error: Exception) -> None:
    raise error


async def ignoring(times: int) -> None:
    """Ignores some cancellations, as `wait_for` of Python 3.11 can."""
    while True:
        try:
            await forever()
        except asyncio.CancelledError:
            times -= 1
            if times < 0:
                raise


async def test_a_task_that_ignores_a_cancellation_is_cancelled_again() -> None:
    task = asyncio.create_task(ignoring(2))
    await asyncio.sleep(0)
    await stop([task])
    assert task.cancelled()


async def test_stopping_a_finished_task_does_nothing() -> None:
    task = asyncio.create_task(fail(ValueError()))
    await asyncio.wait([task])
    await stop([task])
    assert isinstance(task.exception(), ValueError)


async def test_a_failure_stops_the_others_and_is_raised() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await run_together({"a": forever(), "b": fail(ValueError("b")), "c": ignoring(1)})
    (error,) = caught.value.exceptions
    assert repr(error) == "ValueError('b')"


async def test_a_return_stops_the_others() -> None:
    await run_together({"a": forever(), "b": asyncio.sleep(0)})


async def test_a_cancellation_stops_all() -> None:
    together = asyncio.create_task(run_together({"a": forever(), "b": ignoring(2)}))
    await asyncio.sleep(0)
    together.cancel()
    with pytest.raises(asyncio.CancelledError):
        await together
    assert {task.get_name() for task in asyncio.all_tasks()}.isdisjoint({"a", "b"})


async def test_a_cancelled_stop_finishes_before_it_raises_the_cancellation() -> None:
    inner = asyncio.create_task(ignoring(1))
    await asyncio.sleep(0)
    stopping = asyncio.create_task(stop([inner]))
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping
    assert inner.cancelled()


async def test_a_nested_task_that_ignores_a_cancellation_is_stopped_too() -> None:
    inner = asyncio.create_task(ignoring(2), name="inner")

    async def middle() -> None:
        try:
            await forever()
        finally:
            await stop([inner])

    outer = asyncio.create_task(run_together({"middle": middle()}))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    outer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await outer
    assert inner.cancelled()


async def test_a_cleanup_has_time_to_finish() -> None:
    cleaned = asyncio.Event()

    async def slow() -> None:
        try:
            await forever()
        finally:
            await asyncio.sleep(0.3)
            cleaned.set()

    task = asyncio.create_task(slow())
    await asyncio.sleep(0)
    await stop([task])
    assert cleaned.is_set()


async def test_works_that_are_stopped_first_end_before_the_others_are_cancelled() -> None:
    ended: list[str] = []

    async def work(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append(name)

    works = {name: work(name) for name in ("journal", "requests", "market")}
    running = asyncio.create_task(run_together(works, stopped_first=("requests",)))
    await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    assert running.cancelled()
    assert ended[0] == "requests"
    assert len(ended) == 3
