"""A feed that stalls, is half open, sends garbage or drops each connection at once."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from shared.contracts.messages import FeedState
from tests.support.builders import OTHER_KEY
from tests.support.ingest import (
    Listener,
    arm,
    disarm_all,
    ingest,
    ingest_settings,
    simulator,
)
from tests.support.servers import NatsServer
from tests.support.waiting import eventually


def drops(cause: str) -> float:
    """Connections that have ended for this cause, in this process."""
    name, labels = "tradedad_ingest_feed_disconnects_total", {"cause": cause}
    return REGISTRY.get_sample_value(name, labels) or 0.0


def all_drops() -> float:
    found = (sample for metric in REGISTRY.collect() for sample in metric.samples)
    return sum(one.value for one in found if one.name == "tradedad_ingest_feed_disconnects_total")


def bad_frames() -> float:
    return REGISTRY.get_sample_value("tradedad_ingest_bad_frames_total") or 0.0


async def test_a_half_open_feed_is_given_up_and_opened_anew(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url:
        await arm(url, "half_open", after=6)
        before = drops("no_pong")
        async with ingest(ingest_settings(nats, url, watchlist, feed_ping_secs=1)):
            await listener.wait_for_quotes(3)

            async def given_up() -> bool:
                return drops("no_pong") > before

            await eventually(given_up, what="pings that stay unanswered end the connection")
            await listener.wait_for_quotes(len(listener.quotes()) + 5)
            await listener.wait_for_state(FeedState.LIVE)
    snapshots = [quote for quote in listener.quotes() if quote.snap]
    assert len(snapshots) == 2, "one of each connection"


async def test_a_feed_that_stalls_but_answers_pings_is_given_up_too(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url:
        await arm(url, "stall", after=6)
        before = drops("silent")
        async with ingest(ingest_settings(nats, url, watchlist, silent_after_secs=2)):
            await listener.wait_for_quotes(3)

            async def given_up() -> bool:
                return drops("silent") > before

            await eventually(given_up, what="silence in an open market ends the connection")
            await listener.wait_for_state(FeedState.LIVE)
            await listener.wait_for_quotes(len(listener.quotes()) + 5)
    assert FeedState.STALE in listener.states()


async def test_a_feed_that_is_silent_while_the_market_is_shut_is_left_alone(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    saturday_ms = 1_795_858_200_000  # 2026-11-28 15:00 IST
    async with simulator(calendar="exchange", start_ms=saturday_ms) as url:
        before = all_drops()
        settings = ingest_settings(nats, url, watchlist, silent_after_secs=0.2)
        async with ingest(settings) as readiness:
            await listener.wait_for_state(FeedState.CLOSED)
            await listener.wait_for_quotes(1, OTHER_KEY)
            told = len(listener.statuses())

            async def a_while() -> bool:
                return len(listener.statuses()) >= told + 3

            await eventually(a_while, what="a few more rounds of the watch")
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
async def test_bad_frames_are_passed_over_and_the_rest_goes_on(
    nats: NatsServer, listener: Listener, watchlist: Path, kind: str
) -> None:
    async with simulator() as url:
        before, bad_before = all_drops(), bad_frames()
        await arm(url, kind, after=4, times=5)
        async with ingest(ingest_settings(nats, url, watchlist)):
            await listener.wait_for_quotes(40)
        assert all_drops() == before, "the connection stays"
        assert (bad_frames() > bad_before) == (kind in ("garbage", "truncate"))
    quotes = listener.quotes()
    assert [quote.seq for quote in quotes] == list(range(1, len(quotes) + 1))
    volumes = [quote.volume or 0 for quote in quotes]
    if kind != "reorder":
        assert all(a <= b for a, b in pairwise(volumes))


async def test_a_feed_of_nothing_but_garbage_is_opened_anew(
    nats: NatsServer, listener: Listener, watchlist: Path
) -> None:
    async with simulator() as url:
        before = drops("garbage")
        await arm(url, "garbage", after=4, times=20)
        async with ingest(ingest_settings(nats, url, watchlist)):

            async def given_up() -> bool:
                return drops("garbage") > before

            await eventually(given_up, what="twenty bad frames in a row end the connection")
            await listener.wait_for_quotes(len(listener.quotes()) + 5)


@pytest.mark.parametrize("code", [1000, 1011])
async def test_a_closed_feed_is_opened_anew_whatever_the_code(
    nats: NatsServer, listener: Listener, watchlist: Path, code: int
) -> None:
    async with simulator() as url:
        before = drops(f"close_{code}")
        await arm(url, "close", after=6, code=code)
        async with ingest(ingest_settings(nats, url, watchlist)):

            async def closed() -> bool:
                return drops(f"close_{code}") > before

            await eventually(closed, what=f"the close with {code} is counted")
            await listener.wait_for_quotes(len(listener.quotes()) + 5)


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_handshake_is_tried_again_with_a_new_address(
    nats: NatsServer, listener: Listener, watchlist: Path, status: int
) -> None:
    async with simulator() as url:
        before = drops(f"handshake_{status}")
        await arm(url, "error", path="/market-data-feeder", status=status)
        async with ingest(ingest_settings(nats, url, watchlist)):
            await listener.wait_for_quotes(3)
        assert drops(f"handshake_{status}") == before + 1


@pytest.mark.timeout(150)
@pytest.mark.parametrize(
    ("secs", "fewest", "most"), [(10, 1, 10), pytest.param(60, 3, 20, marks=pytest.mark.long)]
)
async def test_a_feed_that_drops_each_connection_at_once_is_not_stormed(
    nats: NatsServer, listener: Listener, watchlist: Path, secs: int, fewest: int, most: int
) -> None:
    async with simulator() as url:
        await arm(url, "abort", times=None)
        before = all_drops()
        async with ingest(ingest_settings(nats, url, watchlist)) as readiness:
            await asyncio.sleep(secs)  # the promise is about a minute
            attempts = all_drops() - before
            assert fewest <= attempts <= most
            assert "feed" in readiness.missing
            await disarm_all(url)
            await listener.wait_for_quotes(3, timeout_secs=60)
