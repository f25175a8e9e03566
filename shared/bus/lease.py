"""Leadership: at most one process acts, and one that may have lost it stops by itself.

A lease is a key in a NATS bucket whose entries expire. It is created and renewed by
compare-and-set; its revision, which rises for as long as the bucket exists, makes the
epoch that fences writes. A holder counts its time from *before* it sent a renewal, by
its own monotonic clock, so it always stops before the server lets another one in.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from nats.errors import Error as NatsError
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue
from prometheus_client import Gauge

from shared.errors import LeaseLost
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger
from shared.runtime.tasks import run_together

log = get_logger(__name__)

LEADING = Gauge("tradedad_leading", "1 while this process holds the lease", ["lease"])


@dataclass
class Term:
    """One stretch of leadership."""

    epoch: int
    clock: Clock
    valid_until: float
    """Monotonic seconds; past it, another leader may exist."""
    revision: int = field(default=0)

    def is_valid(self) -> bool:
        """True while no other leader can exist."""
        return self.clock.monotonic() < self.valid_until

    def check(self) -> None:
        """Raises LeaseLost if another leader may exist."""
        if not self.is_valid():
            raise LeaseLost(f"the lease of epoch {self.epoch} has lapsed")


_SETTLED_SECS: Final = 30.0


class Leases(NamedTuple):
    """The bucket of leases."""

    bucket: KeyValue
    epoch_base: int
    """When the bucket was made, epoch ms. Revisions count from one in every bucket; with
    this added, epochs rise also from a bucket that was lost to the one made in its place."""


OpenBucket = Callable[[], Awaitable[Leases]]
Work = Callable[[Term], Coroutine[Any, Any, None]]


class Lease:
    """The lease `name`; `holder` is unique to this process, `ttl_secs` is the bucket's TTL."""

    def __init__(
        self,
        open_bucket: OpenBucket,
        name: str,
        holder: str,
        ttl_secs: float,
        clock: Clock,
        *,
        passing: tuple[type[Exception], ...] = (),
    ) -> None:
        self._open_bucket = open_bucket
        self._name = name
        self._holder = holder.encode()
        self._ttl_secs = ttl_secs
        self._clock = clock
        self._passing: tuple[type[Exception], ...] = (NatsError, TimeoutError, OSError, *passing)
        self._bucket: KeyValue | None = None
        self._epoch_base = 0
        LEADING.labels(name).set(0)

    async def lead(self, work: Work, on_other: Callable[[bool], None] = lambda _: None) -> None:
        """For ever: wait for leadership, run `work` while it lasts, wait again.

        `on_other` hears whether it is known that somebody else leads: while waiting, at
        first and when that changes, and that it is not, before each `work`.

        Cancels `work` when the lease lapses. If `work` fails, the lease is given up so
        that a standby can follow at once: after a passing fault (`passing`) this one
        seeks it again, whatever else it raises ends this too.
        """
        backoff = Backoff()
        while True:
            term = await self._acquire(on_other)
            started = self._clock.monotonic()
            LEADING.labels(self._name).set(1)
            log.info("leading", lease=self._name, epoch=term.epoch)
            try:
                await self._hold(term, work)
            except* LeaseLost as lost:
                log.warning("leadership lost", lease=self._name, why=repr(lost.exceptions[0]))
            except* self._passing as faults:
                log.warning("stepping down", lease=self._name, why=repr(faults.exceptions))
            finally:
                LEADING.labels(self._name).set(0)
                await self._release(term)
            if self._clock.monotonic() - started > _SETTLED_SECS:
                backoff.reset()
            await self._clock.sleep(backoff.next_secs())

    async def _acquire(self, on_other: Callable[[bool], None]) -> Term:
        other_leads: bool | None = None
        while True:
            asked_at = self._clock.monotonic()
            try:
                if self._bucket is None:
                    self._bucket, self._epoch_base = await self._open_bucket()
                revision = await self._bucket.create(self._name, self._holder)
            except KeyWrongLastSequenceError:
                if other_leads is not True:
                    log.info("standing by", lease=self._name)
                    other_leads = True
                    on_other(True)
            except (NatsError, TimeoutError, OSError) as error:
                self._bucket = None
                if other_leads is not False:
                    log.warning("cannot ask for the lease", lease=self._name, error=repr(error))
                    other_leads = False
                    on_other(False)
            else:
                on_other(False)
                epoch = self._epoch_base + revision
                return Term(epoch, self._clock, asked_at + self._ttl_secs, revision)
            await self._clock.sleep(self._ttl_secs / 10)

    async def _hold(self, term: Term, work: Work) -> None:
        await run_together({"work": work(term), "renewal": self._renew(term)})

    async def _renew(self, term: Term) -> None:
        """Raises LeaseLost when the lease can no longer be shown to hold."""
        assert self._bucket is not None
        pause_secs = self._ttl_secs / 3
        while True:
            left_secs = term.valid_until - self._clock.monotonic()
            await self._clock.sleep(max(0.0, min(pause_secs, left_secs)))
            asked_at = self._clock.monotonic()
            if asked_at >= term.valid_until:
                raise LeaseLost("not renewed in time")
            pause_secs = self._ttl_secs / 20
            try:
                # No longer than a third: after one lost answer there must be time to ask again.
                async with asyncio.timeout(min(self._ttl_secs / 3, term.valid_until - asked_at)):
                    term.revision = await self._bucket.update(
                        self._name, self._holder, last=term.revision
                    )
            except KeyWrongLastSequenceError:
                await self._adopt_own_renewal(term)
            except (NatsError, TimeoutError, OSError) as error:
                log.debug("renewal failed", lease=self._name, error=repr(error))
            else:
                term.valid_until = asked_at + self._ttl_secs
                pause_secs = self._ttl_secs / 3

    async def _adopt_own_renewal(self, term: Term) -> None:
        """A renewal whose answer was lost has moved the revision on: it is still ours."""
        assert self._bucket is not None
        try:
            async with asyncio.timeout(max(0.0, term.valid_until - self._clock.monotonic())):
                entry = await self._bucket.get(self._name)
        except KeyNotFoundError:
            raise LeaseLost("it expired") from None
        except (NatsError, TimeoutError, OSError) as error:
            log.debug("cannot read the lease", lease=self._name, error=repr(error))
            return
        if entry.value != self._holder or entry.revision is None:
            raise LeaseLost("another holder took it")
        term.revision = entry.revision

    async def _release(self, term: Term) -> None:
        held = term.is_valid()
        term.valid_until = float("-inf")
        if self._bucket is None or not held:
            return
        try:
            async with asyncio.timeout(1.0):
                await self._bucket.delete(self._name, last=term.revision)
        except (NatsError, TimeoutError, OSError) as error:
            log.debug("lease left to expire", lease=self._name, error=repr(error))
