"""The leader: holds the lease, and runs the pipeline, repair and the instruments master."""

from typing import Final

from services.persister.instruments.master import Master
from services.persister.pipeline import Pipeline
from services.persister.repair.repairer import Repairer
from services.persister.storage.bar_store import BarStore
from shared.bus.lease import Lease, Term
from shared.runtime.health import Readiness
from shared.runtime.tasks import run_together

DEPENDENCY: Final = "leader"
"""What `Readiness` calls it: a persister, this one or another, that holds the lease."""


class Leader:
    """Seeks the lease; while holding it reads the stream, repairs, and loads the master."""

    def __init__(
        self, lease: Lease, store: BarStore, pipeline: Pipeline, repairer: Repairer | None,
        master: Master, readiness: Readiness,
    ) -> None:  # fmt: skip
        self._lease = lease
        self._store = store
        self._pipeline = pipeline
        self._repairer = repairer
        self._master = master
        self._readiness = readiness
        self._tell(leader_known=False)

    async def run(self) -> None:
        await self._lease.lead(self._work, on_other_leader=self._tell)

    def _tell(self, leader_known: bool) -> None:
        if leader_known:
            self._readiness.up(DEPENDENCY)
        else:
            self._readiness.down(DEPENDENCY, "none is known")

    async def _work(self, term: Term) -> None:
        # In this order: a transaction left behind would keep `prepare` waiting, too.
        epoch, state = await self._store.take_over()
        await self._store.prepare()
        works = {
            "pipeline": self._pipeline.run(term, epoch, state),
            "master": self._master.run(),
        }
        if self._repairer is not None:
            works["repair"] = self._repairer.run(term, epoch)
        self._tell(leader_known=True)
        try:
            await run_together(works)
        finally:
            self._tell(leader_known=False)
