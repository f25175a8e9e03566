"""Leadership over a real nats-server that dies, freezes and thaws."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from shared.bus.connection import Bus
from shared.bus.lease import Lease, Term
from shared.bus.resources import open_leases
from shared.runtime.clock import SystemClock
from shared.runtime.tasks import stop
from tests.support.buses import bus_of
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

TTL_SECS = 1.5
CLOCK = SystemClock()


@dataclass
class Stint:
    """One call of a contender's work."""

    holder: str
    term: Term
    started_at: float
    ended_at: float | None = None


@dataclass
class Election:
    """Contenders for one lease, each on a connection of its own, and what came of them."""

    nats: NatsServer
    stack: AsyncExitStack
    stints: list[Stint] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)
    contenders: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    buses: dict[str, Bus] = field(default_factory=dict)

    async def enter(self, holder: str) -> None:
        bus = await self.stack.enter_async_context(bus_of(self.nats, "ingest"))
        lease = Lease(lambda: open_leases(bus), "ingest", holder, TTL_SECS, CLOCK)
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
                valid = [one for one in self.stints if one.term.is_valid()]
                if len(valid) > 1:
                    self.overlaps.append(repr(valid))
                await CLOCK.sleep(0.01)
        finally:
            stint.ended_at = CLOCK.monotonic()

    async def stint(self, number: int) -> Stint:
        """The stint of this number, once it has begun."""

        async def look() -> bool:
            return len(self.stints) > number

        await eventually(look, what=f"stint {number} begins")
        return self.stints[number]

    async def end_of(self, stint: Stint) -> float:
        async def look() -> float | None:
            return stint.ended_at

        return await eventually(look, what="the stint ends") or 0.0

    def check(self) -> None:
        assert self.overlaps == []
        epochs = [stint.term.epoch for stint in self.stints]
        assert all(one < following for one, following in pairwise(epochs)), epochs
        assert all(
            one.ended_at is not None and one.ended_at <= following.started_at
            for one, following in pairwise(self.stints)
        )


@pytest.fixture
async def election(nats: NatsServer) -> AsyncIterator[Election]:
    async with AsyncExitStack() as stack:
        election = Election(nats, stack)
        yield election
        for holder in list(election.contenders):
            await election.leave(holder)
    election.check()


async def test_of_two_contenders_one_leads_and_renews(election: Election) -> None:
    await election.enter("a")
    await election.enter("b")
    first = await election.stint(0)
    until = first.term.valid_until

    async def look() -> bool:
        return first.term.valid_until > until + 2 * TTL_SECS

    await eventually(look, what="two TTLs of renewals")
    assert len(election.stints) == 1


async def test_a_leader_that_stops_lets_the_other_in_at_once(election: Election) -> None:
    await election.enter("a")
    first = await election.stint(0)
    await election.enter("b")
    await election.leave("a")
    second = await election.stint(1)
    assert second.holder == "b"
    assert second.started_at - await election.end_of(first) < TTL_SECS / 2
    assert second.term.epoch > first.term.epoch


@pytest.mark.parametrize("fault", ["kill", "freeze"])
async def test_a_leader_that_is_cut_off_stops_by_its_own_clock(
    election: Election, nats: NatsServer, fault: str
) -> None:
    await election.enter("a")
    first = await election.stint(0)
    getattr(nats, fault)()
    cut_off_at = CLOCK.monotonic()
    until = first.term.valid_until
    ended_at = await election.end_of(first)
    assert ended_at <= max(until, cut_off_at + TTL_SECS) + 0.1
    assert not first.term.is_valid()
    if fault == "freeze":
        nats.thaw()


async def test_after_a_crash_of_the_server_somebody_leads_with_a_higher_epoch(
    election: Election, nats: NatsServer
) -> None:
    await election.enter("a")
    await election.enter("b")
    first = await election.stint(0)
    nats.kill()
    await election.end_of(first)
    await asyncio.to_thread(nats.start)
    second = await election.stint(1)
    assert second.term.epoch > first.term.epoch


async def test_a_restart_shorter_than_the_lease_need_not_end_it_and_never_doubles_it(
    election: Election, nats: NatsServer
) -> None:
    await election.enter("a")
    await election.enter("b")
    first = await election.stint(0)
    nats.kill()
    await asyncio.to_thread(nats.start)

    async def look() -> bool:
        last = election.stints[-1]
        return last.ended_at is None and last.term.valid_until > first.started_at + 3 * TTL_SECS

    await eventually(look, what="somebody leads on")


async def test_a_server_that_freezes_and_thaws_never_has_two_leaders(
    election: Election, nats: NatsServer
) -> None:
    for holder in "abc":
        await election.enter(holder)
    for number in range(2):
        stint = await election.stint(number)
        nats.freeze()
        await election.end_of(stint)
        nats.thaw()
    last = await election.stint(2)
    assert last.term.epoch > election.stints[0].term.epoch


async def test_a_renewal_whose_answer_was_lost_is_adopted(election: Election) -> None:
    await election.enter("a")
    first = await election.stint(0)
    bucket, _ = await open_leases(election.buses["a"])
    revision = await bucket.put("ingest", b"a")

    async def look() -> bool:
        return first.term.revision > revision

    await eventually(look, what="it renews from the revision it did not know of")
    assert first.term.is_valid()
    assert len(election.stints) == 1


async def test_a_leader_whose_key_another_has_taken_stops(election: Election) -> None:
    await election.enter("a")
    first = await election.stint(0)
    bucket, _ = await open_leases(election.buses["a"])
    await bucket.put("ingest", b"thief")
    assert await election.end_of(first) - first.started_at < TTL_SECS
