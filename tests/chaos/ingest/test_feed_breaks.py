"""A feed that stalls, is half open, sends garbage or drops each connection at once."""

import time
from itertools import pairwise
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from shared.contracts.messages import FeedState
from tests.support.builders import OTHER_KEY
from tests.support.figures import Figures
from tests.support.ingest import (
    Listener,
    add_fault,
    clear_faults,
    ingest,
    ingest_settings,
    simulator,
)
from tests.support.patience import TEST_TIMEOUT_SECS
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


def drops(cause: str) -> float:
    """How many connections have ended for this cause, in this process."""
    name, labels = "tradedad_ingest_feed_disconnects_total", {"cause": cause}
    return REGISTRY.get_sample_value(name, labels) or 0.0


def all_drops() -> float:
    samples = (sample for metric in REGISTRY.collect() for sample in metric.samples)
    return sum(
        sample.value
        for sample in samples
        if sample.name == "tradedad_ingest_feed_disconnects_total"
    )


def bad_frames() -> float:
    return REGISTRY.get_sample_value("tradedad_ingest_bad_frames_total") or 0.0


async def test_a_half_open_feed_is_closed_and_connected_again(
    nats: NatsServer, listener: Listener, watchlist: Path, figures: Figures
) -> None:
    async with simulator() as url:
        await add_fault(url, "half_open", after=6)
        before = drops("no_pong")
        async with ingest(ingest_settings(nats, url, watchlist, feed_ping_secs=4)):
            await listener.wait_for_quotes(3)
            with figures.duration("detected_with_a_ping_every_4_secs"):
                await eventually(lambda: drops("no_pong") > before, what="no pong ends the feed")
            with figures.duration("then_live_again_secs"):
                await listener.wait_for_more_quotes(5)
            await listener.wait_for_state(FeedState.LIVE)
    snapshots = [quote for quote in listener.quotes() if quote.snap]
    assert len(snapshots) == 2, "one for each connection"


async def test_a_feed_that_stalls_but_answers_pings_is_connected_again(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url:
        await add_fault(url, "stall", after=6)
        before = drops("silent")
        async with ingest(ingest_settings(nats, url, watchlist, silent_after_secs=3)):
            await listener.wait_for_quotes(3)
            await eventually(
                lambda: drops("silent") > before,
                what="silence in an open market ends the connection",
            )
            await listener.wait_for_state(FeedState.LIVE)
            await listener.wait_for_more_quotes(5)
    assert FeedState.STALE in listener.states()


async def test_a_feed_that_is_silent_while_the_market_is_closed_stays_connected(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    saturday_ms = 1_795_858_200_000  # 2026-11-28 15:00 IST
    async with simulator(calendar="exchange", start_ms=saturday_ms) as url:
        before = all_drops()
        settings = ingest_settings(nats, url, watchlist, silent_after_secs=0.2)
        async with ingest(settings) as readiness:
            await listener.wait_for_state(FeedState.CLOSED)
            await listener.wait_for_quotes(1, OTHER_KEY)
            published = len(listener.statuses())
            await eventually(
                lambda: len(listener.statuses()) >= published + 3, what="three more statuses"
            )
            assert readiness.is_ready()
        assert all_drops() == before
    assert set(listener.states()) <= {
        FeedState.CONNECTING,
        FeedState.LIVE,
        FeedState.CLOSED,
        FeedState.FAILING_OVER,
    }
    assert all(quote.snap for quote in listener.quotes())


@pytest.mark.parametrize("kind", ["garbage", "truncate", "duplicate", "reorder", "drop"])
async def test_bad_frames_are_skipped_and_the_connection_stays(
    nats: NatsServer, listener: Listener, watchlist: Path, kind: str
) -> None:
    async with simulator() as url:
        before, bad_before = all_drops(), bad_frames()
        await add_fault(url, kind, after=4, times=5)
        async with ingest(ingest_settings(nats, url, watchlist)):
            await listener.wait_for_quotes(40)
        assert all_drops() == before
        assert (bad_frames() > bad_before) == (kind in ("garbage", "truncate"))
    quotes = listener.quotes()
    assert [quote.seq for quote in quotes] == list(range(1, len(quotes) + 1))
    volumes = [quote.volume or 0 for quote in quotes]
    if kind != "reorder":
        assert all(a <= b for a, b in pairwise(volumes))


async def test_a_feed_of_twenty_bad_frames_in_a_row_is_connected_again(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url:
        before = drops("garbage")
        await add_fault(url, "garbage", after=4, times=20)
        async with ingest(ingest_settings(nats, url, watchlist)):
            await eventually(lambda: drops("garbage") > before, what="the connection ends")
            await listener.wait_for_more_quotes(5)


@pytest.mark.parametrize("code", [1000, 1011])
async def test_a_feed_that_upstox_closes_is_connected_again_whatever_the_code(
    nats: NatsServer, listener: Listener, watchlist: Path, code: int
) -> None:
    async with simulator() as url:
        before = drops(f"close_{code}")
        await add_fault(url, "close", after=6, code=code)
        async with ingest(ingest_settings(nats, url, watchlist)):
            await eventually(
                lambda: drops(f"close_{code}") > before, what=f"the close with {code} is counted"
            )
            await listener.wait_for_more_quotes(5)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_handshake_is_repeated_with_a_new_address(
    nats: NatsServer, listener: Listener, watchlist: Path, status: int
) -> None:
    async with simulator() as url:
        before = drops(f"handshake_{status}")
        await add_fault(url, "error", path="/market-data-feeder", status=status)
        async with ingest(ingest_settings(nats, url, watchlist)):
            await listener.wait_for_quotes(3)
        assert drops(f"handshake_{status}") == before + 1


# Pauses between attempts grow; this is the sum of the shortest ones before each attempt.
SHORTEST_PAUSES_SECS = {6: 1.5, 8: 6.0}


@pytest.mark.parametrize("attempts", [6, pytest.param(8, marks=pytest.mark.long)])
async def test_attempts_to_connect_to_a_feed_that_drops_each_connection_have_growing_pauses(
    nats: NatsServer, listener: Listener, watchlist: Path, attempts: int
) -> None:
    async with simulator() as url:
        await add_fault(url, "abort", times=None)
        before = all_drops()
        started = time.monotonic()
        async with ingest(ingest_settings(nats, url, watchlist)) as readiness:
            await eventually(
                lambda: all_drops() >= before + attempts,
                what=f"{attempts} attempts",
                timeout_secs=TEST_TIMEOUT_SECS,
            )
            # A busy machine can only make this longer.
            assert time.monotonic() - started > SHORTEST_PAUSES_SECS[attempts]
            assert "feed" in readiness.missing
            await clear_faults(url)
            await listener.wait_for_quotes(3)
