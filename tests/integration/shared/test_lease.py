"""Leadership through a real nats-server that is killed, stopped and continued."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import pytest
from structlog.testing import capture_logs

from shared.bus.connection import Bus
from shared.bus.lease import Lease, Term
from shared.bus.resources import open_leases
from shared.contracts import subjects
from shared.contracts.messages import ClockTick, FeedState, encode
from shared.runtime.clock import SystemClock
from shared.runtime.tasks import stop
from tests.support.buses import bus_of, ingest_bus, wait_connected
from tests.support.patience import LEASE_TTL_SECS, TAKEOVER_TTL_SECS
from tests.support.servers import NatsServer
from tests.support.settings import nats_settings
from tests.support.waiting import eventually

CLOCK: Final = SystemClock()


@dataclass
class Stint:
    """One call of a contender's work."""

    holder: str
    term: Term
    started_at: float
    ended_at: float | None = None


@dataclass
class Election:
    """Contenders for one lease, each on a connection of its own, and their stints of work."""

    nats: NatsServer
    stack: AsyncExitStack
    ttl_secs: float = TAKEOVER_TTL_SECS
    stints: list[Stint] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)
    contenders: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    buses: dict[str, Bus] = field(default_factory=dict)

    async def enter(self, holder: str) -> None:
        settings = nats_settings(self.nats.url, has_outages=True, lease_ttl_secs=self.ttl_secs)
        bus = await self.stack.enter_async_context(bus_of(self.nats, "ingest", settings=settings))
        lease = Lease(lambda: open_leases(bus), "ingest", holder, self.ttl_secs, CLOCK)
        self.buses[holder] = bus
        self.contenders[holder] = asyncio.create_task(
            lease.lead(lambda term: self._work(holder, term))
        )

    async def leave(self, holder: str) -> None:
        await stop([self.contenders.pop(holder)])

    async def _work(self, holder: str, term: Term) -> None:
        stint = Stint(holder, term, CLOCK.monotonic())
        self.stints.append(stint)
        try:
            while True:
                # As ingest does before every quote: act only while the term is valid.
                valid = [other for other in self.stints if other.term.is_valid()]
                if len(valid) > 1:
                    self.overlaps.append(repr(valid))
                await CLOCK.sleep(0.01)
        finally:
            stint.ended_at = CLOCK.monotonic()

    async def stint(self, number: int) -> Stint:
        """The stint of this number, once it has begun."""
        await eventually(lambda: len(self.stints) > number, what=f"stint {number} begins")
        return self.stints[number]

    async def wait_for_end(self, stint: Stint) -> None:
        await eventually(lambda: stint.ended_at is not None, what="the stint ends")

    def check(self) -> None:
        """Two leaders never overlapped, and epochs only rose."""
        assert self.overlaps == []
        epochs = [stint.term.epoch for stint in self.stints]
        assert all(epoch < following for epoch, following in pairwise(epochs)), epochs
        assert all(
            stint.ended_at is not None and stint.ended_at <= following.started_at
            for stint, following in pairwise(self.stints)
        )


@pytest.fixture
async def election(nats: NatsServer) -> AsyncIterator[Election]:
    async with AsyncExitStack() as stack:
        election = Election(nats, stack)
        yield election
        for holder in list(election.contenders):
            await election.leave(holder)
        if nats.is_running:
            await wait_connected(*(bus.client for bus in election.buses.values()))
    election.check()


async def test_one_of_two_contenders_leads_and_renews_its_lease(election: Election) -> None:
    election.ttl_secs = 2 * TAKEOVER_TTL_SECS
    await election.enter("a")
    await election.enter("b")
    first = await election.stint(0)
    until = first.term.valid_until
    await eventually(
        lambda: first.term.valid_until > until + 2 * election.ttl_secs, what="two TTLs of renewals"
    )
    assert len(election.stints) == 1


async def test_a_leader_that_leaves_releases_its_lease_before_it_expires(
    election: Election,
) -> None:
    await election.enter("a")
    first = await election.stint(0)
    await election.enter("b")
    await election.leave("a")
    second = await election.stint(1)
    assert second.holder == "b"
    # A release has a revision of its own; a lease that expires leaves no gap.
    assert second.term.revision > first.term.revision + 1
    assert second.term.epoch > first.term.epoch


@pytest.mark.parametrize("fault", ["kill", "pause"])
async def test_a_leader_that_is_cut_off_stops_although_no_server_tells_it(
    election: Election, nats: NatsServer, fault: str
) -> None:
    await election.enter("a")
    first = await election.stint(0)
    getattr(nats, fault)()
    await election.wait_for_end(first)
    assert not first.term.is_valid()
    if fault == "pause":
        nats.resume()


async def test_after_a_crash_of_the_server_a_contender_leads_with_a_higher_epoch(
    election: Election, nats: NatsServer
) -> None:
    await election.enter("a")
    await election.enter("b")
    first = await election.stint(0)
    nats.kill()
    await election.wait_for_end(first)
    await asyncio.to_thread(nats.start)
    second = await election.stint(1)
    assert second.term.epoch > first.term.epoch


async def test_a_restart_within_the_lease_never_makes_two_leaders(
    election: Election, nats: NatsServer
) -> None:
    await election.enter("a")
    await election.enter("b")
    first = await election.stint(0)
    nats.kill()
    await asyncio.to_thread(nats.start)
    until = first.started_at + 3 * TAKEOVER_TTL_SECS

    def is_led() -> bool:
        last = election.stints[-1]
        return last.ended_at is None and last.term.valid_until > until

    await eventually(is_led, what="a contender leads for three TTLs")


async def test_a_server_that_is_stopped_and_continued_never_has_two_leaders(
    election: Election, nats: NatsServer
) -> None:
    for holder in "abc":
        await election.enter(holder)
    for number in range(2):
        stint = await election.stint(number)
        nats.pause()
        await election.wait_for_end(stint)
        nats.resume()
    last = await election.stint(2)
    assert last.term.epoch > election.stints[0].term.epoch


async def test_a_renewal_whose_reply_was_lost_is_adopted(election: Election) -> None:
    election.ttl_secs = LEASE_TTL_SECS
    await election.enter("a")
    first = await election.stint(0)
    bucket, *_ = await open_leases(election.buses["a"])
    revision = await bucket.put("ingest", b"a")
    await eventually(
        lambda: first.term.revision > revision, what="a renewal from the unknown revision"
    )
    assert first.term.is_valid()
    assert len(election.stints) == 1


async def test_a_leader_stops_when_another_holder_has_taken_its_lease(
    election: Election,
) -> None:
    election.ttl_secs = LEASE_TTL_SECS
    await election.enter("a")
    first = await election.stint(0)
    bucket, *_ = await open_leases(election.buses["a"])
    with capture_logs() as logged:
        await bucket.put("ingest", b"another holder")
        await election.wait_for_end(first)
        await eventually(
            lambda: [line for line in logged if line["event"] == "leadership lost"],
            what="the loss is logged",
        )
    (lost,) = (line for line in logged if line["event"] == "leadership lost")
    assert "another holder took it" in lost["reason"]


async def test_the_epoch_of_ingest_is_above_the_last_published_one(nats: NatsServer) -> None:
    async with ingest_bus(nats) as bus:
        assert (await open_leases(bus, reads_ticks=True)).last_epoch == 0
        tick = ClockTick(ts=1, feed_ts=1, epoch=77, seq=1, state=FeedState.LIVE)
        await bus.client.publish(subjects.CLOCK, encode(tick))

        async def is_read() -> bool:
            return (await open_leases(bus, reads_ticks=True)).last_epoch == 77

        await eventually(is_read, what="the epoch of the last clock tick is read")
