"""Seeks the lease of a partition, and runs the partition's work while this process owns it."""

from typing import Protocol

from shared.bus.lease import Lease, Term
from shared.runtime.health import Readiness


class PartitionWork(Protocol):
    """Work of the owner of a partition."""

    async def run(self, term: Term) -> None:
        """Serve the partition's users until cancelled.

        May raise PyMongoError, StreamUnavailable, StaleEpoch, LeaseLost and the errors of NATS:
        the lease is then released and sought again.
        """
        ...

    async def left(self) -> None:
        """Called after the last term; wait until the requests of this time are refused."""
        ...


class OwnerReadiness:
    """Whether an owner of the partition is known: this process once it serves, or another.

    An owner that can use no entry of the tick stream makes its process not ready as well.
    """

    def __init__(self, readiness: Readiness, partition: int) -> None:
        self._readiness = readiness
        self._dependency = f"partition-{partition}"
        self._is_known = False
        self._stall = ""
        self._report()

    def set_known(self, is_known: bool, /) -> None:
        """Make the process ready or not ready. A term ends with False, and so does its stall."""
        self._is_known = is_known
        if not is_known:
            self._stall = ""
        self._report()

    def set_stalled(self, reason: str, /) -> None:
        """Make the process not ready for this reason; an empty one ends that."""
        self._stall = reason
        self._report()

    def _report(self) -> None:
        if self._is_known and not self._stall:
            self._readiness.up(self._dependency)
        else:
            self._readiness.down(self._dependency, self._stall or "no owner is known")


class PartitionOwner:
    """A component: owns the partition, or stands by while another process owns it.

    `work` calls `readiness.set_known(True)` in each term, once it serves.
    """

    def __init__(self, lease: Lease, work: PartitionWork, readiness: OwnerReadiness) -> None:
        self._lease = lease
        self._work = work
        self._readiness = readiness

    async def run(self) -> None:
        try:
            await self._lease.lead(self._run_term, on_other_leader=self._readiness.set_known)
        finally:
            await self._work.left()

    async def _run_term(self, term: Term) -> None:
        try:
            await self._work.run(term)
        finally:
            self._readiness.set_known(False)
