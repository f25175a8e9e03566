"""A side job starts again after a failure, later each time, and ends when another leads."""

import asyncio

import pytest

from services.persister import metrics
from services.persister.side_job import keep_running
from shared.errors import LeaseLost, StaleEpoch
from tests.support.virtual_time import LoopClock, on_virtual_time


class FailingJob:
    """Raises each of `errors` in turn, then ends."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.started_at: list[float] = []

    async def run(self) -> None:
        self.started_at.append(LoopClock().monotonic())
        if self._errors:
            raise self._errors.pop(0)


def failures(job: str) -> float:
    return float(metrics.SIDE_JOB_FAILURES.labels(job)._value.get())


@on_virtual_time
async def test_a_failed_job_is_counted_and_starts_again_after_a_pause() -> None:
    job = FailingJob(OverflowError("a"), ValueError("b"))
    before = failures("sorting")
    await keep_running("sorting", job.run)
    assert len(job.started_at) == 3
    assert job.started_at == sorted(set(job.started_at))
    assert failures("sorting") - before == 2


@pytest.mark.parametrize("error", [LeaseLost(), StaleEpoch(1, 2)])
async def test_a_job_ends_when_another_persister_leads(error: Exception) -> None:
    with pytest.raises(type(error)):
        await keep_running("sorting", FailingJob(error).run)


async def test_a_cancelled_job_ends() -> None:
    async def wait() -> None:
        await asyncio.Event().wait()

    task = asyncio.create_task(keep_running("sorting", wait))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
