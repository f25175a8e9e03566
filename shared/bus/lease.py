"""Leader election by a lease in a NATS bucket, with an epoch that fences writes.

A lease is a key in a bucket whose entries expire after the bucket's TTL. The holder creates
and renews the key by compare-and-set. The epoch is made of the key's revision, the time and the
last known epoch, so that it rises even if NATS' data was lost. The holder counts the TTL from the
moment *before* it sent a renewal, by its own monotonic clock, so it always stops before the server
grants the lease to another.
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

LEADING: Final = Gauge("tradedad_leading", "1 while this process holds the lease.", ["lease"])

# A term that lasted longer resets the backoff between terms.
_STABLE_TERM_SECS: Final = 30.0
_RELEASE_TIMEOUT_SECS: Final = 1.0
# Of one renewal. A cluster of servers loses those that arrive while it elects a leader of the bucket,
# for up to nine seconds; one has to arrive soon after.
_RENEWAL_TIMEOUT_SECS: Final = 1.6


@dataclass
class Term:
    """One uninterrupted period of leadership."""

    epoch: int
    clock: Clock
    valid_until: float
    """Monotonic seconds; from then on another leader may exist."""
    revision: int = field(default=0)
    """The key's revision at the last renewal."""

    def is_valid(self) -> bool:
        """True while no other leader can exist."""
        return self.clock.monotonic() < self.valid_until

    def check(self) -> None:
        """Raises LeaseLost if another leader may exist."""
        if not self.is_valid():
            raise LeaseLost(f"the lease of epoch {self.epoch} has lapsed")


class Leases(NamedTuple):
    """The bucket of leases."""

    bucket: KeyValue
    epoch_base: int
    """When the bucket was created, epoch ms. Revisions start at one in every bucket."""
    last_epoch: int = 0
    """The greatest epoch that is known to have been used; 0 if none is known."""


OpenBucket = Callable[[], Awaitable[Leases]]
Work = Callable[[Term], Coroutine[Any, Any, None]]


class Lease:
    """The lease `name`; `holder` is unique to this process, `ttl_secs` is the bucket's TTL.

    `retryable` are exceptions of the work, besides those of NATS and of sockets, after which
    this process seeks the lease again.
    """

    def __init__(
        self,
        open_bucket: OpenBucket,
        name: str,
        holder: str,
        ttl_secs: float,
        clock: Clock,
        *,
        retryable: tuple[type[Exception], ...] = (),
    ) -> None:
        self._open_bucket = open_bucket
        self._name = name
        self._holder = holder.encode()
        self._ttl_secs = ttl_secs
        self._clock = clock
        self._retryable: tuple[type[Exception], ...] = (
            NatsError,
            TimeoutError,
            OSError,
            *retryable,
        )
        self._bucket: KeyValue | None = None
        self._epoch_base = 0
        self._last_epoch = 0
        LEADING.labels(name).set(0)

    async def lead(
        self, work: Work, on_other_leader: Callable[[bool], None] = lambda _: None
    ) -> None:
        """Wait for leadership and run `work` while it lasts, again and again.

        Cancels `work` when the lease lapses. If `work` fails, the lease is released so that a
        standby can take over at once. After a retryable exception this process then seeks the
        lease again; any other exception is raised.

        `on_other_leader` receives whether another process is known to hold the lease: after the
        first attempt to acquire it, on each change, and as False before each run of `work`.
        """
        backoff = Backoff()
        while True:
            term = await self._acquire(on_other_leader)
            started = self._clock.monotonic()
            LEADING.labels(self._name).set(1)
            log.info("leading", lease=self._name, epoch=term.epoch)
            try:
                await self._hold(term, work)
            except* LeaseLost as lost:
                log.warning("leadership lost", lease=self._name, reason=repr(lost.exceptions[0]))
            except* self._retryable as failed:
                log.warning("stepping down", lease=self._name, reason=repr(failed.exceptions))
            finally:
                LEADING.labels(self._name).set(0)
                await self._release(term)
            if self._clock.monotonic() - started > _STABLE_TERM_SECS:
                backoff.reset()
            await self._clock.sleep(backoff.next_secs())

    async def _acquire(self, on_other_leader: Callable[[bool], None]) -> Term:
        other_leads: bool | None = None
        while True:
            sent_at = self._clock.monotonic()
            try:
                was_open = self._bucket is not None
                bucket = self._bucket or await self._open()
                revision = await bucket.create(self._name, self._holder)
                if was_open:  # the last leader has published epochs since then
                    await self._open()
            except KeyWrongLastSequenceError:
                if other_leads is not True:
                    log.info("standing by", lease=self._name)
                    other_leads = True
                    on_other_leader(True)
            except (NatsError, TimeoutError, OSError) as error:
                self._bucket = None
                if other_leads is not False:
                    log.warning("cannot reach the lease", lease=self._name, error=repr(error))
                    other_leads = False
                    on_other_leader(False)
            else:
                on_other_leader(False)
                epoch = self._next_epoch(revision)
                return Term(epoch, self._clock, sent_at + self._ttl_secs, revision)
            await self._clock.sleep(self._ttl_secs / 25)

    async def _open(self) -> KeyValue:
        self._bucket, self._epoch_base, last_epoch = await self._open_bucket()
        self._last_epoch = max(self._last_epoch, last_epoch)
        return self._bucket

    def _next_epoch(self, revision: int) -> int:
        """An epoch above all earlier ones, also those that NATS has forgotten.

        Within one bucket the revision rises. If NATS' data was put back to an older copy or
        lost, the time is above the epochs of that time. If the clock went back as well, the last
        published epoch and this process's own are.
        """
        now_ms = self._clock.now_ms()
        self._last_epoch = max(self._epoch_base + revision, now_ms, self._last_epoch + 1)
        return self._last_epoch

    async def _hold(self, term: Term, work: Work) -> None:
        await run_together({"work": work(term), "renewal": self._renew(term)})

    async def _renew(self, term: Term) -> None:
        """Renew the lease; raises LeaseLost when it can no longer be proved to hold."""
        assert self._bucket is not None
        pause_secs = self._ttl_secs / 3
        unconfirmed_at: float | None = None  # when the first renewal since then was sent
        while True:
            left_secs = term.valid_until - self._clock.monotonic()
            await self._clock.sleep(max(0.0, min(pause_secs, left_secs)))
            sent_at = self._clock.monotonic()
            if sent_at >= term.valid_until:
                raise LeaseLost("not renewed in time")
            if unconfirmed_at is None:
                unconfirmed_at = sent_at
            pause_secs = self._ttl_secs / 20
            try:
                # At most a third of the TTL: time for another attempt if a reply is lost.
                timeout_secs = min(self._ttl_secs / 3, _RENEWAL_TIMEOUT_SECS)
                async with asyncio.timeout(min(timeout_secs, term.valid_until - sent_at)):
                    term.revision = await self._bucket.update(
                        self._name, self._holder, last=term.revision
                    )
            except KeyWrongLastSequenceError:
                if await self._adopt_own_renewal(term):
                    # Only the first unconfirmed renewal, or a later one, can have been stored.
                    term.valid_until = unconfirmed_at + self._ttl_secs
                    unconfirmed_at = None
            except (NatsError, TimeoutError, OSError) as error:
                log.debug("renewal failed", lease=self._name, error=repr(error))
            else:
                term.valid_until = sent_at + self._ttl_secs
                unconfirmed_at = None
                pause_secs = self._ttl_secs / 3

    async def _adopt_own_renewal(self, term: Term) -> bool:
        """Take over the revision of an own renewal whose reply was lost; returns whether there is one.

        Raises LeaseLost if the key has expired or has another holder.
        """
        assert self._bucket is not None
        try:
            async with asyncio.timeout(max(0.0, term.valid_until - self._clock.monotonic())):
                entry = await self._bucket.get(self._name)
        except KeyNotFoundError:
            raise LeaseLost("it expired") from None
        except (NatsError, TimeoutError, OSError) as error:
            log.debug("cannot read the lease", lease=self._name, error=repr(error))
            return False
        if entry.value != self._holder or entry.revision is None:
            raise LeaseLost("another holder took it")
        is_newer = entry.revision > term.revision
        term.revision = max(term.revision, entry.revision)
        return is_newer

    async def _release(self, term: Term) -> None:
        was_valid = term.is_valid()
        term.valid_until = float("-inf")
        if self._bucket is None or not was_valid:
            return
        try:
            async with asyncio.timeout(_RELEASE_TIMEOUT_SECS):
                await self._delete(self._bucket, term.revision)
        except (NatsError, TimeoutError, OSError) as error:
            log.debug("lease left to expire", lease=self._name, error=repr(error))

    async def _delete(self, bucket: KeyValue, revision: int) -> None:
        """Delete the key, also if a renewal was cancelled before its reply came."""
        try:
            await bucket.delete(self._name, last=revision)
        except KeyWrongLastSequenceError:
            entry = await bucket.get(self._name)
            if entry.value != self._holder or entry.revision is None:
                raise
            await bucket.delete(self._name, last=entry.revision)
