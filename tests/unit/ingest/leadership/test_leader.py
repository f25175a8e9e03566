"""The leader runs one term each time it holds the lease, and is ready as a standby."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from services.ingest.bus.status_publisher import DEPENDENCY
from services.ingest.leadership.leader import Leader
from shared.bus.lease import Term
from shared.runtime.health import Readiness
from tests.support.virtual_time import LoopClock, on_virtual_time


class FakeLease:
    """A lease that a test grants."""

    async def lead(
        self, work: Callable[[Term], Awaitable[None]], on_other_leader: Callable[[bool], None]
    ) -> None:
        self.work, self.on_other_leader = work, on_other_leader


class Leading:
    """A leader whose terms record their events."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.readiness = Readiness("ingest")
        self.lease = FakeLease()
        lease: Any = self.lease
        self.leader = Leader(lease, self._prepare, self._term_tasks, self.readiness)

    async def _prepare(self) -> None:
        self.events.append("prepare")

    def _term_tasks(self, term: Term) -> dict[str, Coroutine[Any, Any, None]]:
        return {"work": self._work(term)}

    async def _work(self, term: Term) -> None:
        self.events.append(f"term {term.epoch}")
        self.readiness.up(DEPENDENCY)


@on_virtual_time
async def test_a_process_is_not_ready_before_it_leads_or_stands_by() -> None:
    assert DEPENDENCY in Leading().readiness.missing


@on_virtual_time
async def test_a_standby_is_ready_while_another_process_leads() -> None:
    leading = Leading()
    await leading.leader.run()
    leading.lease.on_other_leader(True)
    assert leading.readiness.is_ready()
    leading.lease.on_other_leader(False)
    assert not leading.readiness.is_ready()


@on_virtual_time
async def test_each_term_is_prepared_and_ends_as_not_ready() -> None:
    leading = Leading()
    await leading.leader.run()
    for epoch in (1, 2):
        await leading.lease.work(Term(epoch, LoopClock(), float("inf")))
        assert not leading.readiness.is_ready()
    assert leading.events == ["prepare", "term 1", "prepare", "term 2"]
