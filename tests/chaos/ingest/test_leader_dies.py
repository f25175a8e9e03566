"""A leader is killed, or stopped and continued: its standby takes over, and no epoch returns."""

import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from tests.support.figures import Figures
from tests.support.ingest import Listener, ingest_environment, simulator
from tests.support.patience import TAKEOVER_TTL_SECS
from tests.support.processes import ServiceProcess, service_process
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

TTL_SECS: Final = 2.0
TAKEOVER_SECS: Final = 3.0
"""How long a takeover may last after the lease of the killed leader has expired (docs/bus.md)."""


def epochs(listener: Listener) -> list[int]:
    return [quote.epoch for quote in listener.all_quotes()]


async def wait_for_successor(listener: Listener, before: int) -> None:
    await eventually(lambda: max(epochs(listener)) > before, what="quotes of the successor")


@asynccontextmanager
async def leader_and_standby(
    nats: NatsServer, listener: Listener, watchlist: Path, *, ttl_secs: float
) -> AsyncIterator[ServiceProcess]:
    """Two ingest processes; yields the one that leads."""
    async with simulator() as url:
        environment = ingest_environment(nats, url, watchlist, lease_ttl_secs=ttl_secs)
        async with service_process("ingest", environment) as leader:
            await listener.wait_for_quotes(3)
            async with service_process("ingest", environment):
                await listener.wait_for_more_quotes(3)
                assert await leader.is_ready()
                yield leader


def assert_no_epoch_returns(listener: Listener) -> None:
    published = epochs(listener)
    assert all(before <= after for before, after in pairwise(published)), "an epoch returned"
    for epoch in set(published):
        seqs = [quote.seq for quote in listener.quotes() if quote.epoch == epoch]
        assert seqs == list(range(1, len(seqs) + 1)), "seq has gaps within an epoch"


async def test_a_standby_takes_over_from_a_killed_leader(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with leader_and_standby(nats, listener, watchlist, ttl_secs=TAKEOVER_TTL_SECS) as leader:
        before = max(epochs(listener))
        leader.kill()
        await wait_for_successor(listener, before)
        await listener.wait_for_more_quotes(3)
    assert_no_epoch_returns(listener)
    first_of_successor = next(quote for quote in listener.quotes() if quote.epoch > before)
    assert (first_of_successor.seq, first_of_successor.snap) == (1, True)


@pytest.mark.seconds
async def test_a_standby_publishes_within_the_ttl_and_three_seconds(
    nats: NatsServer, listener: Listener, watchlist: Path, figures: Figures
) -> None:
    async with leader_and_standby(nats, listener, watchlist, ttl_secs=TTL_SECS) as leader:
        before = max(epochs(listener))
        leader.kill()
        killed_at = time.monotonic()
        await wait_for_successor(listener, before)
        outage_secs = time.monotonic() - killed_at
        figures.note("gap_after_lease_secs", outage_secs - TTL_SECS)
        assert outage_secs < TTL_SECS + TAKEOVER_SECS


async def test_a_leader_that_was_stopped_for_longer_than_its_lease_publishes_no_stale_quote(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with leader_and_standby(nats, listener, watchlist, ttl_secs=TAKEOVER_TTL_SECS) as leader:
        before = max(epochs(listener))
        leader.send_signal(signal.SIGSTOP)
        await wait_for_successor(listener, before)
        leader.send_signal(signal.SIGCONT)
        # It becomes the standby while the other publishes.
        await leader.wait_ready()
        await listener.wait_for_more_quotes(20)
    assert_no_epoch_returns(listener)
