"""The silence of the feed is measured with and without a connection, while trades are expected."""

import asyncio

from prometheus_client import REGISTRY

from services.ingest.leadership.flow_monitor import FlowMonitor
from services.ingest.market.feed_flow import SEGMENTS
from shared.contracts.messages import FeedState
from shared.runtime.tasks import stop
from tests.support.builders import KEY
from tests.support.ingest_fakes import IngestTerm
from tests.support.virtual_time import LoopClock, on_virtual_time


def silence_secs() -> float | None:
    return REGISTRY.get_sample_value("tradedad_ingest_feed_silence_seconds")


def is_open(segment: str) -> float | None:
    return REGISTRY.get_sample_value("tradedad_ingest_market_open", {"segment": segment})


@on_virtual_time
async def test_silence_goes_on_while_there_is_no_connection() -> None:
    term = IngestTerm(LoopClock(), KEY)
    term.context.flow.update({"NSE_EQ": "NORMAL_OPEN"})
    term.context.status.set(FeedState.LIVE)
    running = asyncio.create_task(FlowMonitor(term.context, term.demand, term.clock).run())
    await asyncio.sleep(20.5)
    assert silence_secs() == 20.0
    term.context.status.set(FeedState.CONNECTING, "the connection ended")
    await asyncio.sleep(40.0)
    assert silence_secs() == 60.0
    term.context.flow.frame_received(term.clock.monotonic())
    await asyncio.sleep(1.0)
    assert silence_secs() is not None
    assert (silence_secs() or 0.0) <= 1.0
    await stop([running])


@on_virtual_time
async def test_nobody_waits_for_a_segment_that_nobody_demands() -> None:
    term = IngestTerm(LoopClock(), "MCX_FO|1")
    term.context.flow.update({"NSE_EQ": "NORMAL_OPEN", "MCX_FO": "NORMAL_CLOSE"})
    term.context.status.set(FeedState.LIVE)
    running = asyncio.create_task(FlowMonitor(term.context, term.demand, term.clock).run())
    await asyncio.sleep(60.0)
    assert silence_secs() == 0.0
    assert (is_open("NSE_EQ"), is_open("MCX_FO")) == (1.0, 0.0)
    await stop([running])


@on_virtual_time
async def test_a_process_that_does_not_lead_reports_no_market() -> None:
    term = IngestTerm(LoopClock(), KEY)
    term.context.flow.update({"NSE_EQ": "NORMAL_OPEN"})
    term.context.status.set(FeedState.LIVE)
    running = asyncio.create_task(FlowMonitor(term.context, term.demand, term.clock).run())
    await asyncio.sleep(30.5)
    assert all(is_open(segment) is not None for segment in SEGMENTS)
    await stop([running])
    assert is_open("NSE_EQ") is None
    assert silence_secs() == 0.0
