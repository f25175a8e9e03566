"""The leader takes over before it works, and reports whether a leader is known."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from services.persister.aggregation.checkpoint import AggregatorState
from services.persister.leader import DEPENDENCY, Leader
from shared.bus.lease import Lease, Term
from shared.errors import StaleEpoch
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.tasks import stop

STATE = AggregatorState(stream_id="a", next_position=5)
TERM = Term(3, SystemClock(), float("inf"))


class FakeLease:
    """Reports another leader, then is held for one term once `is_free` is set."""

    def __init__(self) -> None:
        self.is_free = asyncio.Event()

    async def lead(
        self, work: Callable[[Term], Awaitable[None]], on_other_leader: Callable[[bool], None]
    ) -> None:
        on_other_leader(True)
        await self.is_free.wait()
        on_other_leader(False)
        await work(TERM)


class Recorder:
    """Stands for the store and all work of a term; records what is called."""

    def __init__(self) -> None:
        self.calls: list[object] = []
        self.is_prepared = asyncio.Event()
        self.error: Exception | None = None

    async def take_over(self) -> tuple[int, AggregatorState]:
        self.calls.append("take over")
        return 11, STATE

    async def prepare(self) -> None:
        self.calls.append("prepare")
        await self.is_prepared.wait()

    async def run(self, *args: object) -> None:
        self.calls.append(args)
        if self.error is not None:
            raise self.error
        await asyncio.Event().wait()


class Harness:
    """A leader with fakes around it."""

    def __init__(self, *, repair: bool = True) -> None:
        self.lease, self.store, self.work = FakeLease(), Recorder(), Recorder()
        self.pipeline = Recorder()
        self.pipeline.calls = self.work.calls
        self.readiness = Readiness("persister")
        repairer = self.work if repair else None
        self.leader = Leader(
            cast("Lease", self.lease),
            self.store,
            self.pipeline,
            {} if repairer is None else {"repairer": repairer},
            {"job": self.work},
            self.readiness,
        )

    def is_ready(self) -> bool:
        return DEPENDENCY not in self.readiness.missing


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_it_takes_over_before_it_prepares_and_prepares_before_it_works() -> None:
    harness = Harness()
    task = asyncio.create_task(harness.leader.run())
    harness.lease.is_free.set()
    await settle()
    assert (harness.store.calls, harness.work.calls) == (["take over", "prepare"], [])
    harness.store.is_prepared.set()
    await settle()
    assert harness.work.calls == [(TERM, 11, STATE), (), (TERM, 11)]
    await stop([task])


async def test_without_repair_only_the_pipeline_and_the_master_loader_run() -> None:
    harness = Harness(repair=False)
    task = asyncio.create_task(harness.leader.run())
    harness.lease.is_free.set()
    harness.store.is_prepared.set()
    await settle()
    assert harness.work.calls == [(TERM, 11, STATE), ()]
    await stop([task])


async def test_it_is_ready_while_another_leads_and_again_once_its_own_work_runs() -> None:
    harness = Harness()
    assert not harness.is_ready()
    task = asyncio.create_task(harness.leader.run())
    await settle()
    assert harness.is_ready()
    harness.lease.is_free.set()
    await settle()
    assert not harness.is_ready()
    harness.store.is_prepared.set()
    await settle()
    assert harness.is_ready()
    await stop([task])
    assert not harness.is_ready()


async def test_it_is_not_ready_after_the_pipeline_has_failed() -> None:
    harness = Harness()
    harness.pipeline.error = ValueError("broken")
    harness.lease.is_free.set()
    harness.store.is_prepared.set()
    with pytest.raises(ExceptionGroup):
        await harness.leader.run()
    assert not harness.is_ready()


async def test_a_side_job_that_fails_ends_neither_the_pipeline_nor_readiness() -> None:
    harness = Harness()
    harness.work.error = OverflowError("int too large")
    harness.lease.is_free.set()
    harness.store.is_prepared.set()
    task = asyncio.create_task(harness.leader.run())
    await settle()
    assert harness.work.calls == [(TERM, 11, STATE), (), (TERM, 11)]
    assert harness.is_ready()
    assert not task.done()
    await stop([task])


async def test_a_side_job_that_meets_a_newer_leader_ends_the_term() -> None:
    harness = Harness()
    harness.work.error = StaleEpoch(1, 2)
    harness.lease.is_free.set()
    harness.store.is_prepared.set()
    with pytest.raises(ExceptionGroup):
        await harness.leader.run()
