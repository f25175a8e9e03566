"""The state of the feed is published, and reaches readiness and the exchange clock."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from services.ingest.bus.status_publisher import DEPENDENCY, MAX_STALE_KEYS
from shared.contracts.messages import FeedState, FeedStatus, decode_status
from shared.errors import LeaseLost
from shared.runtime.tasks import stop
from tests.support.ingest_fakes import EPOCH, IngestTerm
from tests.support.virtual_time import LoopClock, on_virtual_time


def metric(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"tradedad_ingest_{name}")


def published(term: IngestTerm) -> list[FeedStatus]:
    return [decode_status(data) for data in term.bus.of("md.status")]


async def publish_for(term: IngestTerm, secs: float) -> None:
    """Publish for a while, and then stop as after the loss of the lease."""
    running = asyncio.create_task(term.context.status.run())
    await asyncio.sleep(secs)
    term.term.valid_until = float("-inf")
    await stop([running])


@on_virtual_time
async def test_a_new_term_starts_as_connecting_and_not_ready() -> None:
    term = IngestTerm(LoopClock())
    assert term.exchange_clock.feed_state is FeedState.CONNECTING
    assert term.readiness.missing == {DEPENDENCY: "starting"}
    assert not term.context.status.is_flowing


@pytest.mark.parametrize("state", [FeedState.LIVE, FeedState.CLOSED])
@on_virtual_time
async def test_a_flowing_feed_is_ready_and_sets_the_exchange_clock(state: FeedState) -> None:
    term = IngestTerm(LoopClock())
    term.context.status.set(state)
    assert term.readiness.is_ready()
    assert term.context.status.is_flowing
    assert term.exchange_clock.feed_state is state
    assert metric("feed_live") == (state is FeedState.LIVE)
    term.context.status.set(FeedState.STALE, "silent")
    assert metric("feed_live") == 0.0
    assert term.readiness.missing == {DEPENDENCY: "silent"}
    assert term.exchange_clock.feed_state is FeedState.STALE


@on_virtual_time
async def test_a_change_is_published_at_once_and_repeated() -> None:
    term = IngestTerm(LoopClock())
    running = asyncio.create_task(term.context.status.run())
    await asyncio.sleep(0.1)
    term.context.status.set(FeedState.LIVE)
    await asyncio.sleep(0.1)
    assert [status.state for status in published(term)] == [FeedState.CONNECTING, FeedState.LIVE]
    assert published(term)[1].since == 100
    await asyncio.sleep(2.0)
    assert len(published(term)) == 3
    assert {status.epoch for status in published(term)} == {EPOCH}
    assert [status.at for status in published(term)] == [0, 100, 2_100]
    assert {status.simulated for status in published(term)} == {True}
    await stop([running])


@on_virtual_time
async def test_a_leader_that_shuts_down_publishes_failing_over() -> None:
    term = IngestTerm(LoopClock())
    running = asyncio.create_task(term.context.status.run())
    await asyncio.sleep(0.1)
    await stop([running])
    assert published(term)[-1].state is FeedState.FAILING_OVER


@on_virtual_time
async def test_nothing_is_published_after_the_lease_has_expired() -> None:
    term = IngestTerm(LoopClock())
    term.term.valid_until = float("-inf")
    with pytest.raises(LeaseLost):
        await term.context.status.run()
    assert published(term) == []


@on_virtual_time
async def test_a_warning_is_the_detail_while_the_feed_flows() -> None:
    term = IngestTerm(LoopClock())
    status = term.context.status
    status.set(FeedState.LIVE)
    status.warn("token refused")
    await publish_for(term, 0.1)
    assert published(term)[-1].detail == "token refused"
    term.term.valid_until = float("inf")
    status.set(FeedState.CONNECTING, "broken")
    status.set(FeedState.LIVE)
    await publish_for(term, 0.1)
    assert published(term)[-1].detail == ""


@on_virtual_time
async def test_market_status_is_merged_and_stale_keys_are_limited() -> None:
    term = IngestTerm(LoopClock())
    status = term.context.status
    status.set(FeedState.LIVE)
    status.set_segments({"NSE_EQ": "NORMAL_OPEN"})
    status.set_segments({"MCX_FO": "NORMAL_CLOSE"})
    keys = [f"NSE_EQ|{number}" for number in range(MAX_STALE_KEYS + 1)]
    status.set_stale(keys)
    await publish_for(term, 0.1)
    assert published(term)[-1].segments == {"NSE_EQ": "NORMAL_OPEN", "MCX_FO": "NORMAL_CLOSE"}
    assert published(term)[-1].stale == keys[:MAX_STALE_KEYS]


@on_virtual_time
async def test_stale_keys_are_cleared_when_the_feed_ends() -> None:
    term = IngestTerm(LoopClock())
    status = term.context.status
    status.set(FeedState.LIVE)
    status.set_stale(["NSE_EQ|A"])
    assert metric("stale_instruments") == 1.0
    status.set(FeedState.CONNECTING, "broken")
    assert metric("stale_instruments") == 0.0
    await publish_for(term, 0.1)
    assert published(term)[-1].stale == []


@on_virtual_time
async def test_a_process_that_no_longer_leads_reports_neither_a_feed_nor_stale_instruments() -> (
    None
):
    term = IngestTerm(LoopClock())
    term.context.status.set(FeedState.LIVE)
    term.context.status.set_stale(["NSE_EQ|A"])
    await publish_for(term, 0.1)
    assert (metric("feed_live"), metric("stale_instruments")) == (0.0, 0.0)
