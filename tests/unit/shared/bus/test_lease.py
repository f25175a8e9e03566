"""Leadership on virtual time, against a fake bucket that loses and delays requests."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise, repeat
from typing import Any, cast
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nats.errors import Error as NatsError
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError
from nats.js.kv import KeyValue
from prometheus_client import REGISTRY

from shared.bus.lease import Lease, Leases, Term
from shared.errors import LeaseLost
from shared.runtime.backoff import Backoff
from tests.support.virtual_time import LoopClock, run_virtual

TTL_SECS = 5.0
REQUEST_SECS = 3.0


@dataclass(frozen=True)
class Fate:
    """The delays and losses of one request to the bucket."""

    out_secs: float = 0.0
    back_secs: float = 0.0
    arrives: bool = True
    replied: bool = True


GOOD = Fate()
REQUEST_LOST = Fate(arrives=False)
REPLY_LOST = Fate(replied=False)


@dataclass
class Entry:
    value: bytes
    revision: int
    stored_at: float


EPOCH_BASE = 1_795_000_000_000


@dataclass
class FakeBucket:
    """One key with the semantics of nats-server; `fates` apply to the next requests in order."""

    fates: Iterator[Fate] = field(default_factory=lambda: iter(()))
    freezes: list[tuple[float, float]] = field(default_factory=list)
    away: bool = False
    revision: int = 10
    entry: Entry | None = None

    def current(self) -> Entry | None:
        if self.entry is not None and now() - self.entry.stored_at >= TTL_SECS:
            self.entry = None
        return self.entry

    def store(self, value: bytes, last: int) -> int:
        entry = self.current()
        if last != (entry.revision if entry else 0):
            raise KeyWrongLastSequenceError
        self.revision += 1
        self.entry = Entry(value, self.revision, now())
        return self.revision

    async def create(self, _: str, value: bytes) -> int:
        return cast("int", await self._request(lambda: self.store(value, 0)))

    async def update(self, _: str, value: bytes, last: int) -> int:
        return cast("int", await self._request(lambda: self.store(value, last)))

    async def get(self, _: str) -> Entry:
        def read() -> Entry:
            entry = self.current()
            if entry is None:
                raise KeyNotFoundError
            return entry

        return cast("Entry", await self._request(read))

    async def delete(self, _: str, last: int) -> bool:
        def remove() -> bool:
            entry = self.current()
            if entry is None or entry.revision != last:
                raise KeyWrongLastSequenceError
            self.revision += 1
            self.entry = None
            return True

        return cast("bool", await self._request(remove))

    async def _request(self, apply: Callable[[], object]) -> object:
        if self.away:
            raise NatsError
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[object] = loop.create_future()
        fate = next(self.fates, GOOD)

        def deliver(give: Callable[[Any], None], result: object) -> None:
            if not reply.done():
                give(result)

        def arrive() -> None:
            thaws = [start + secs for start, secs in self.freezes if start <= now() < start + secs]
            if thaws:
                loop.call_at(thaws[0], arrive)
                return
            give: Callable[[Any], None] = reply.set_result
            try:
                result = apply()
            except (KeyWrongLastSequenceError, KeyNotFoundError) as refusal:
                give, result = reply.set_exception, refusal
            if fate.replied:
                loop.call_later(fate.back_secs, deliver, give, result)

        if fate.arrives:
            loop.call_later(fate.out_secs, arrive)
        # The server still executes a request after the sender timed out.
        async with asyncio.timeout(REQUEST_SECS):
            return await reply


def now() -> float:
    return asyncio.get_running_loop().time()


def lease(bucket: FakeBucket, holder: str = "a", *retryable: type[Exception]) -> Lease:
    async def open_bucket() -> Leases:
        if bucket.away:
            raise NatsError
        return Leases(cast("KeyValue", bucket), EPOCH_BASE)

    return Lease(open_bucket, "test", holder, TTL_SECS, LoopClock(), retryable=retryable)


@dataclass
class Record:
    """Work that runs until it is cancelled, and records its terms."""

    terms: list[Term] = field(default_factory=list)
    started_at: list[float] = field(default_factory=list)
    cancelled_at: list[float] = field(default_factory=list)

    async def work(self, term: Term) -> None:
        self.terms.append(term)
        self.started_at.append(now())
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled_at.append(now())
            raise


async def stop(leading: "asyncio.Future[None]") -> None:
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)


async def run_for(secs: float, *leading: Awaitable[None]) -> None:
    """Run for `secs`, then cancel; raises the first exception of the awaitables."""
    try:
        async with asyncio.timeout(secs):
            await asyncio.gather(*leading)
    except TimeoutError:
        pass


def test_a_leader_that_reaches_the_bucket_stays_in_one_term() -> None:
    async def main() -> Record:
        record = Record()
        await run_for(3_600, lease(FakeBucket()).lead(record.work))
        return record

    record = run_virtual(main())
    assert [term.epoch for term in record.terms] == [EPOCH_BASE + 11]
    assert record.cancelled_at == [pytest.approx(3_600)]


def test_a_standby_takes_over_at_once_when_the_leader_stops() -> None:
    async def main() -> tuple[Record, Record]:
        bucket, first, second = FakeBucket(), Record(), Record()
        leader = asyncio.ensure_future(lease(bucket, "a").lead(first.work))
        standby = asyncio.ensure_future(lease(bucket, "b").lead(second.work))
        await asyncio.sleep(61)
        assert second.terms == []
        await stop(leader)
        await asyncio.sleep(TTL_SECS)
        await stop(standby)
        return first, second

    first, second = run_virtual(main())
    assert 0 <= second.started_at[0] - first.cancelled_at[0] <= TTL_SECS / 25 + 0.01
    assert second.terms[0].epoch > first.terms[0].epoch


def test_a_leader_that_stops_during_a_renewal_releases_its_lease() -> None:
    async def main() -> tuple[Record, Record]:
        slow = Fate(out_secs=0.1, back_secs=0.1)
        bucket, first, second = FakeBucket(fates=repeat(slow)), Record(), Record()
        leader = asyncio.ensure_future(lease(bucket, "a").lead(first.work))
        await asyncio.sleep(1.0)
        standby = asyncio.ensure_future(lease(bucket, "b").lead(second.work))
        revision = bucket.revision
        while bucket.revision == revision:  # a renewal has arrived, and its reply is on the way
            await asyncio.sleep(0.01)
        await stop(leader)
        await asyncio.sleep(TTL_SECS / 2)
        await stop(standby)
        return first, second

    first, second = run_virtual(main())
    assert second.started_at[0] - first.cancelled_at[0] < 1.5


def test_changes_of_another_leader_are_reported_and_none_before_the_work() -> None:
    async def main() -> tuple[list[bool], list[bool]]:
        bucket = FakeBucket()
        leader_calls: list[bool] = []
        standby_calls: list[bool] = []
        leader = asyncio.ensure_future(lease(bucket, "a").lead(Record().work, leader_calls.append))
        standby = asyncio.ensure_future(
            lease(bucket, "b").lead(Record().work, standby_calls.append)
        )
        await asyncio.sleep(TTL_SECS)
        bucket.away = True
        await asyncio.sleep(TTL_SECS / 2)
        bucket.away = False
        await asyncio.sleep(TTL_SECS + 1)  # ends between two renewals
        assert (leader_calls, standby_calls) == ([False], [True, False, True])
        await stop(leader)
        await asyncio.sleep(TTL_SECS)
        await stop(standby)
        return leader_calls, standby_calls

    assert run_virtual(main()) == ([False], [True, False, True, False])


@pytest.mark.parametrize("cause", ["away", "silent", "frozen"])
def test_a_leader_without_connection_stops_before_its_lease_expires(cause: str) -> None:
    async def main() -> tuple[Record, float]:
        bucket, record = FakeBucket(), Record()
        leading = asyncio.ensure_future(lease(bucket).lead(record.work))
        await asyncio.sleep(61)
        assert bucket.entry is not None
        expires_at = bucket.entry.stored_at + TTL_SECS
        bucket.away = cause == "away"
        if cause == "silent":
            bucket.fates = iter([REQUEST_LOST] * 1_000)
        if cause == "frozen":
            bucket.freezes = [(now(), 1_000)]
        await asyncio.sleep(TTL_SECS)
        await stop(leading)
        return record, expires_at

    record, expires_at = run_virtual(main())
    assert len(record.cancelled_at) == 1
    assert expires_at - TTL_SECS / 10 <= record.cancelled_at[0] <= expires_at


def test_the_ttl_of_a_lease_counts_from_before_the_request() -> None:
    async def main() -> tuple[Record, float]:
        bucket, record = FakeBucket(iter([Fate(out_secs=1, back_secs=1.5)])), Record()
        leading = asyncio.ensure_future(lease(bucket).lead(record.work))
        await asyncio.sleep(2.6)
        until = record.terms[0].valid_until
        await stop(leading)
        return record, until

    record, until = run_virtual(main())
    assert record.started_at == [2.5]
    assert until == TTL_SECS


def test_the_ttl_of_a_renewal_counts_from_before_the_request() -> None:
    async def main() -> float:
        bucket, record = FakeBucket(iter([GOOD, Fate(out_secs=0.5, back_secs=1.0)])), Record()
        leading = asyncio.ensure_future(lease(bucket).lead(record.work))
        await asyncio.sleep(TTL_SECS / 3 + 1.6)
        until = record.terms[0].valid_until
        await stop(leading)
        return until

    assert run_virtual(main()) == pytest.approx(TTL_SECS / 3 + TTL_SECS)


def test_a_renewal_whose_reply_was_lost_is_adopted() -> None:
    async def main() -> Record:
        bucket, record = FakeBucket(iter([GOOD, REPLY_LOST, *[GOOD] * 3, REPLY_LOST])), Record()
        await run_for(60, lease(bucket).lead(record.work))
        assert bucket.revision > 20
        return record

    record = run_virtual(main())
    assert [term.epoch for term in record.terms] == [EPOCH_BASE + 11]
    assert record.cancelled_at == [pytest.approx(60)]


def test_the_ttl_of_an_adopted_renewal_counts_from_before_it_was_first_sent() -> None:
    async def main() -> float:
        bucket, record = FakeBucket(iter([GOOD, REPLY_LOST, GOOD, GOOD, REQUEST_LOST])), Record()
        leading = asyncio.ensure_future(lease(bucket).lead(record.work))
        await asyncio.sleep(TTL_SECS * 0.72)
        until = record.terms[0].valid_until
        await stop(leading)
        return until

    assert run_virtual(main()) == pytest.approx(TTL_SECS / 3 + TTL_SECS)


@pytest.mark.parametrize("other_holder", [b"b", None])
def test_a_leader_whose_key_was_taken_or_deleted_stops_at_its_next_renewal(
    other_holder: bytes | None,
) -> None:
    async def main() -> Record:
        bucket, record = FakeBucket(), Record()
        leading = asyncio.ensure_future(lease(bucket).lead(record.work))
        await asyncio.sleep(1)
        bucket.revision += 1
        bucket.entry = Entry(other_holder, bucket.revision, now()) if other_holder else None
        await asyncio.sleep(1)
        await stop(leading)
        return record

    record = run_virtual(main())
    assert record.cancelled_at[0] == pytest.approx(TTL_SECS / 3)


def test_after_a_retryable_failure_the_process_leads_again_with_a_higher_epoch() -> None:
    epochs = []

    async def fail_twice(term: Term) -> None:
        epochs.append(term.epoch)
        if len(epochs) == 1:
            raise ConnectionResetError
        if len(epochs) == 2:
            raise ZeroDivisionError
        await asyncio.Event().wait()

    run_virtual(run_for(60, lease(FakeBucket(), "a", ZeroDivisionError).lead(fail_twice)))
    assert len(epochs) == 3
    assert epochs[0] < epochs[1] < epochs[2]


def test_any_other_failure_is_raised_and_releases_the_lease() -> None:
    bucket = FakeBucket()

    async def fail(_: Term) -> None:
        raise ZeroDivisionError

    with pytest.RaisesGroup(ZeroDivisionError):
        run_virtual(run_for(60, lease(bucket).lead(fail)))
    assert bucket.entry is None
    assert REGISTRY.get_sample_value("tradedad_leading", {"lease": "test"}) == 0.0


def test_a_term_is_not_valid_after_the_lease_is_released() -> None:
    seen: list[tuple[Term, bool]] = []

    async def main() -> None:
        async def brief(term: Term) -> None:
            term.check()
            seen.append((term, term.is_valid()))
            raise ZeroDivisionError

        with pytest.RaisesGroup(ZeroDivisionError):
            await lease(FakeBucket()).lead(brief)
        [(term, was_valid)] = seen
        assert was_valid
        assert not term.is_valid()
        with pytest.raises(LeaseLost):
            term.check()

    run_virtual(main())


def test_the_gauge_is_one_while_the_process_leads() -> None:
    def leading() -> float | None:
        return REGISTRY.get_sample_value("tradedad_leading", {"lease": "test"})

    shown = []

    async def work(_: Term) -> None:
        shown.append(leading())
        await asyncio.Event().wait()

    run_virtual(run_for(10, lease(FakeBucket()).lead(work)))
    assert (shown, leading()) == ([1.0], 0.0)


fates = st.builds(
    Fate,
    out_secs=st.sampled_from([0.0, 0.01, 0.3, 2.9, 4.0, 7.0]),
    back_secs=st.sampled_from([0.0, 0.01, 0.3, 2.9]),
    arrives=st.integers(0, 5).map(bool),
    replied=st.integers(0, 3).map(bool),
)
freezes = st.lists(st.tuples(st.floats(0, 60), st.floats(0.1, 12)), max_size=4)
work_times = st.lists(st.floats(0, 12), max_size=6)


@settings(deadline=None, max_examples=25)
@given(st.lists(fates, max_size=120), freezes, work_times, st.integers(0, 2**32))
def test_despite_losses_delays_and_freezes_at_most_one_leads_and_finally_one_does(
    requests: list[Fate], frozen: list[tuple[float, float]], work_secs: list[float], seed: int
) -> None:
    bucket = FakeBucket(iter(requests), frozen)
    remaining = iter(work_secs)
    terms: list[Term] = []
    epochs: list[int] = []

    def check() -> None:
        valid = [term.epoch for term in terms if term.is_valid()]
        assert len(valid) <= 1, valid

    async def work(term: Term) -> None:
        terms.append(term)
        check()
        if term.is_valid():
            epochs.append(term.epoch)
        secs = next(remaining, None)
        if secs is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(secs)
            raise ConnectionResetError

    async def watch() -> None:
        while True:
            check()
            await asyncio.sleep(0.1)

    async def main() -> None:
        candidates = [lease(bucket, holder).lead(work) for holder in "abc"]
        await run_for(451, watch(), *candidates, check_final())

    async def check_final() -> None:
        await asyncio.sleep(450)
        valid = [term for term in terms if term.is_valid()]
        assert len(valid) == 1, "no leader"
        assert valid[0].epoch == max(epochs)

    seeded = partial(Backoff, uniform=random.Random(seed).uniform)
    with patch("shared.bus.lease.Backoff", seeded), patch("shared.bus.lease.log"):
        run_virtual(main())
    assert all(before < after for before, after in pairwise(epochs))


def lease_of(bucket: FakeBucket, clock: LoopClock, base: int, last_epoch: int) -> Lease:
    async def open_bucket() -> Leases:
        return Leases(cast("KeyValue", bucket), base, last_epoch)

    return Lease(open_bucket, "test", "a", TTL_SECS, clock)


class ClockOf(LoopClock):
    """A clock that shows one time of day."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms


@pytest.mark.parametrize(
    ("base", "time_ms", "last_epoch", "expected"),
    [
        (EPOCH_BASE, 0, 0, EPOCH_BASE + 11),  # the revision
        (EPOCH_BASE, EPOCH_BASE + 900, 0, EPOCH_BASE + 900),  # data put back: the time
        (0, EPOCH_BASE + 900, 0, EPOCH_BASE + 900),  # data lost: the time
        (0, 5, EPOCH_BASE + 900, EPOCH_BASE + 901),  # the clock as well: the last published
    ],
)
def test_an_epoch_is_above_all_that_were_used_before(
    base: int, time_ms: int, last_epoch: int, expected: int
) -> None:
    async def main() -> Record:
        record = Record()
        await run_for(
            1, lease_of(FakeBucket(), ClockOf(time_ms), base, last_epoch).lead(record.work)
        )
        return record

    (term,) = run_virtual(main()).terms
    assert term.epoch == expected


def test_the_epochs_of_one_process_rise_while_its_clock_stands_still() -> None:
    async def main() -> Record:
        bucket, record = FakeBucket(), Record()
        leading = asyncio.ensure_future(
            lease_of(bucket, ClockOf(EPOCH_BASE * 2), 0, 0).lead(record.work)
        )
        await asyncio.sleep(1)
        bucket.away = True
        await asyncio.sleep(TTL_SECS * 2)
        bucket.away = False
        await asyncio.sleep(TTL_SECS * 2)
        await stop(leading)
        return record

    epochs = [term.epoch for term in run_virtual(main()).terms]
    assert epochs == [EPOCH_BASE * 2, EPOCH_BASE * 2 + 1]


def test_a_standby_reads_the_last_epoch_of_the_leader_that_it_follows() -> None:
    published = [0]

    async def main() -> Record:
        bucket, record = FakeBucket(), Record()

        async def open_bucket() -> Leases:
            return Leases(cast("KeyValue", bucket), 0, published[0])

        async def lead_ahead(term: Term) -> None:
            published[0] = term.epoch
            await asyncio.sleep(TTL_SECS)

        ahead = lease_of(bucket, ClockOf(EPOCH_BASE * 2), 0, 0)  # its clock is wrong
        leading = asyncio.ensure_future(ahead.lead(lead_ahead))
        await asyncio.sleep(TTL_SECS / 2)
        standby = Lease(open_bucket, "test", "b", TTL_SECS, ClockOf(EPOCH_BASE))
        standing_by = asyncio.ensure_future(standby.lead(record.work))
        await asyncio.sleep(TTL_SECS / 4)
        await stop(leading)
        await asyncio.sleep(TTL_SECS * 2)
        await stop(standing_by)
        return record

    (term,) = run_virtual(main()).terms
    assert term.epoch == EPOCH_BASE * 2 + 1
