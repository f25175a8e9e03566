"""A leader that is killed, or stopped and continued: its standby leads, and nothing mixes."""

import signal
import time
from itertools import pairwise
from pathlib import Path

from tests.support.ingest import Listener, ingest_environment, simulator
from tests.support.processes import ServiceProcess, service_process
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

TTL_SECS = 2.0


def epochs(listener: Listener) -> list[int]:
    return [quote.epoch for quote in listener.all_quotes()]


async def successor_leads(listener: Listener, before: int) -> None:
    async def look() -> bool:
        return max(epochs(listener)) > before

    await eventually(look, what="quotes of the successor", timeout_secs=30)


async def leader_of(
    listener: Listener, first: ServiceProcess, second: ServiceProcess
) -> ServiceProcess:
    """The one that was started first leads: it was ready before the other was started."""
    await listener.wait_for_quotes(3)
    assert await first.ready()
    assert await second.ready()
    return first


def assert_no_epoch_returns(listener: Listener) -> None:
    told = epochs(listener)
    assert all(before <= after for before, after in pairwise(told)), "epochs only rise"
    for epoch in set(told):
        seqs = [quote.seq for quote in listener.quotes() if quote.epoch == epoch]
        assert seqs == list(range(1, len(seqs) + 1)), "seq has no holes within an epoch"


async def test_a_killed_leader_is_followed_by_its_standby(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url:
        environment = ingest_environment(nats, url, watchlist, lease_ttl_secs=TTL_SECS)
        async with service_process("ingest", environment) as first:
            await listener.wait_for_quotes(3)
            async with service_process("ingest", environment) as second:
                leader = await leader_of(listener, first, second)
                before = max(epochs(listener))
                killed_at = time.monotonic()
                leader.send(signal.SIGKILL)
                await successor_leads(listener, before)
                gap_secs = time.monotonic() - killed_at
                await listener.wait_for_quotes(len(listener.quotes()) + 3)
    assert gap_secs < TTL_SECS + 3.0
    assert_no_epoch_returns(listener)
    first_of_new = next(quote for quote in listener.quotes() if quote.epoch > before)
    assert (first_of_new.seq, first_of_new.snap) == (1, True)


async def test_a_leader_that_was_stopped_for_longer_than_its_lease_says_nothing_stale(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url:
        environment = ingest_environment(nats, url, watchlist, lease_ttl_secs=TTL_SECS)
        async with service_process("ingest", environment) as first:
            await listener.wait_for_quotes(3)
            async with service_process("ingest", environment) as second:
                leader = await leader_of(listener, first, second)
                before = max(epochs(listener))
                leader.send(signal.SIGSTOP)
                await successor_leads(listener, before)
                leader.send(signal.SIGCONT)
                # It is back among the living, as a standby, while the other goes on.
                await eventually(leader.ready, what="the old leader is ready to stand by")
                await listener.wait_for_quotes(len(listener.quotes()) + 20)
    assert_no_epoch_returns(listener)
