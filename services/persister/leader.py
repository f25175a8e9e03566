"""Leadership of the persister: runs the work of the leader while this process holds the lease."""

from collections.abc import Mapping
from functools import partial
from typing import Final, Protocol

from services.persister.aggregation.checkpoint import AggregatorState
from services.persister.side_job import keep_running
from shared.bus.lease import Lease, Term
from shared.runtime.health import Readiness
from shared.runtime.service import Component
from shared.runtime.tasks import run_together

DEPENDENCY: Final = "leader"
"""Name in `Readiness`: up while this persister or another one is known to hold the lease."""


class CheckpointStore(Protocol):
    """Where the last leader stored its checkpoint. Both methods raise PyMongoError."""

    async def take_over(self) -> tuple[int, AggregatorState]:
        """Supersede every older leader. Returns the new epoch and the last leader's state."""
        ...

    async def prepare(self) -> None:
        """Create the collections, or bring them up to date."""
        ...


class StreamWork(Protocol):
    """Reads the stream during a term."""

    async def run(self, term: Term, epoch: int, state: AggregatorState) -> None:
        """Read on from `state` until cancelled."""
        ...


class TermWork(Protocol):
    """Other work of the leader during a term."""

    async def run(self, term: Term, epoch: int) -> None:
        """Run until cancelled."""
        ...


class Leader:
    """Seeks the lease. While holding it, runs the pipeline, the works of a term and other side jobs."""

    def __init__(
        self, lease: Lease, store: CheckpointStore, pipeline: StreamWork,
        term_works: Mapping[str, TermWork], side_jobs: Mapping[str, Component],
        readiness: Readiness,
    ) -> None:  # fmt: skip
        self._lease = lease
        self._store = store
        self._pipeline = pipeline
        self._term_works = term_works
        self._side_jobs = side_jobs
        self._readiness = readiness
        self._set_leader_known(False)

    async def run(self) -> None:
        await self._lease.lead(self._work, on_other_leader=self._set_leader_known)

    def _set_leader_known(self, is_known: bool, /) -> None:
        if is_known:
            self._readiness.up(DEPENDENCY)
        else:
            self._readiness.down(DEPENDENCY, "no leader is known")

    async def _work(self, term: Term) -> None:
        # First take over: a transaction that a dead leader left open would block `prepare`, too.
        epoch, state = await self._store.take_over()
        await self._store.prepare()
        works = {
            "pipeline": self._pipeline.run(term, epoch, state),
            **{name: keep_running(name, job.run) for name, job in self._side_jobs.items()},
        }
        for name, work in self._term_works.items():
            works[name] = keep_running(name, partial(work.run, term, epoch))
        self._set_leader_known(True)
        try:
            await run_together(works)
        finally:
            self._set_leader_known(False)
