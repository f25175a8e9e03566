"""A process is ready while the owner of each partition is known."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

import pytest

from services.trading.partition_owner import OwnerReadiness, PartitionOwner
from shared.bus.lease import Lease, Term
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.tasks import stop

TERM = Term(3, SystemClock(), float("inf"))


class FakeLease:
    """Reports another owner, then is held for one term once `is_free` is set."""

    def __init__(self) -> None:
        self.is_free = asyncio.Event()

    async def lead(
        self, work: Callable[[Term], Awaitable[None]], on_other_leader: Callable[[bool], None]
    ) -> None:
        on_other_leader(True)
        await self.is_free.wait()
        on_other_leader(False)
        await work(TERM)


class Work:
    """Serves once `is_loaded` is set; may fail then."""

    def __init__(self, readiness: OwnerReadiness) -> None:
        self._readiness = readiness
        self.is_loaded = asyncio.Event()
        self.error: Exception | None = None
        self.terms: list[Term] = []
        self.has_left = False

    async def left(self) -> None:
        self.has_left = True

    async def run(self, term: Term) -> None:
        self.terms.append(term)
        await self.is_loaded.wait()
        if self.error is not None:
            raise self.error
        self._readiness.set_known(True)
        await asyncio.Event().wait()


class Harness:
    """An owner of partition 7 with fakes around it."""

    def __init__(self) -> None:
        self.readiness = Readiness("trading")
        owner_readiness = OwnerReadiness(self.readiness, 7)
        self.lease, self.work = FakeLease(), Work(owner_readiness)
        self.owner = PartitionOwner(cast("Lease", self.lease), self.work, owner_readiness)


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_it_is_ready_while_another_owns_and_again_once_it_serves_itself() -> None:
    harness = Harness()
    assert harness.readiness.missing == {"partition-7": "no owner is known"}
    task = asyncio.create_task(harness.owner.run())
    await settle()
    assert harness.readiness.is_ready()
    harness.lease.is_free.set()
    await settle()
    assert harness.work.terms == [TERM]
    assert not harness.readiness.is_ready()
    harness.work.is_loaded.set()
    await settle()
    assert harness.readiness.is_ready()
    assert not harness.work.has_left
    await stop([task])
    assert not harness.readiness.is_ready()
    assert harness.work.has_left


def test_an_owner_that_is_stalled_is_not_ready_until_that_or_its_term_ends() -> None:
    readiness = Readiness("trading")
    owner = OwnerReadiness(readiness, 7)
    owner.set_known(True)
    owner.set_stalled("epoch 4")
    assert readiness.missing == {"partition-7": "epoch 4"}
    owner.set_stalled("")
    assert readiness.is_ready()
    owner.set_stalled("epoch 5")
    owner.set_known(False)
    assert readiness.missing == {"partition-7": "no owner is known"}
    owner.set_known(True)
    assert readiness.is_ready()


def test_an_owner_that_is_stalled_before_it_serves_says_so() -> None:
    readiness = Readiness("trading")
    owner = OwnerReadiness(readiness, 7)
    owner.set_stalled("epoch 4")
    owner.set_known(True)
    assert readiness.missing == {"partition-7": "epoch 4"}


async def test_it_is_not_ready_after_its_work_has_failed() -> None:
    harness = Harness()
    harness.work.error = ValueError("broken")
    harness.lease.is_free.set()
    harness.work.is_loaded.set()
    with pytest.raises(ValueError, match="broken"):
        await harness.owner.run()
    assert not harness.readiness.is_ready()
