"""Seeks the lease and runs one term of leadership each time it is acquired."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final

from services.ingest.bus.status_publisher import DEPENDENCY
from shared.bus.lease import Lease, Term
from shared.runtime.health import Readiness
from shared.runtime.tasks import run_together

TermTasks = Callable[[Term], Mapping[str, Coroutine[Any, Any, None]]]
"""Makes the tasks of a term, by name."""

_NOT_READY: Final = "this process has no feed, and no other leader is known"


class Leader:
    """A component: leads, or stands by while another process leads.

    `prepare` is called at the start of each term, before `term_tasks`.
    """

    def __init__(
        self,
        lease: Lease,
        prepare: Callable[[], Awaitable[None]],
        term_tasks: TermTasks,
        readiness: Readiness,
    ) -> None:
        self._lease = lease
        self._prepare = prepare
        self._term_tasks = term_tasks
        self._readiness = readiness
        self._set_standby(other_leads=False)

    async def run(self) -> None:
        await self._lease.lead(self._run_term, on_other_leader=self._set_standby)

    def _set_standby(self, other_leads: bool) -> None:
        if other_leads:
            self._readiness.up(DEPENDENCY)  # a standby is ready without a feed
        else:
            self._readiness.down(DEPENDENCY, _NOT_READY)

    async def _run_term(self, term: Term) -> None:
        await self._prepare()
        try:
            await run_together(self._term_tasks(term))
        finally:
            self._set_standby(other_leads=False)
