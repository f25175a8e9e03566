"""Spans reach a collector; one that is away costs no request anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from embedded.ports import HOST, free_ports
from shared.runtime.settings import OtlpSettings
from shared.runtime.span_export import MAX_QUEUED, exporting_spans
from shared.runtime.tracing import Span
from tests.support.collector import Collector, running_collector
from tests.support.patience import PATIENCE_SECS
from tests.support.waiting import eventually


def settings(url: str, timeout_secs: float = PATIENCE_SECS) -> OtlpSettings:
    return OtlpSettings(endpoint=url, sample_ratio=1.0, timeout_secs=timeout_secs)


@asynccontextmanager
async def exporting(url: str, *, timeout_secs: float = PATIENCE_SECS) -> AsyncIterator[None]:
    async with exporting_spans(settings(url, timeout_secs), "gateway", shutdown_secs=60):
        yield


def work(count: int = 1) -> None:
    for number in range(count):
        with Span(f"work {number}"):
            pass


def lost(reason: str) -> float:
    return REGISTRY.get_sample_value("tradedad_lost_spans_total", {"reason": reason}) or 0.0


async def received(collector: Collector, count: int) -> None:
    await eventually(lambda: len(collector.spans) == count, what=f"{count} spans were received")


async def test_spans_reach_the_collector_with_the_name_of_the_service() -> None:
    async with running_collector() as collector, exporting(collector.url):
        work(2)
        await received(collector, 2)
    assert [(span.service, span.name) for span in collector.spans] == [
        ("tradedad-gateway", "work 0"), ("tradedad-gateway", "work 1"),
    ]  # fmt: skip


async def test_spans_that_are_queued_are_sent_at_the_end() -> None:
    async with running_collector() as collector:
        async with exporting(collector.url):
            work(300)
        assert len(collector.spans) == 300
        work()
    assert len(collector.spans) == 300


async def test_a_batch_that_the_collector_cannot_take_now_is_sent_again() -> None:
    async with running_collector() as collector:
        collector.statuses = [503, 429]
        with capture_logs() as logged:
            async with exporting(collector.url):
                work()
                await received(collector, 1)
        assert [line["event"] for line in logged] == [
            "spans cannot be exported", "spans are exported again",
        ]  # fmt: skip


async def test_a_collector_that_is_away_is_logged_once_with_endpoint_and_cause() -> None:
    (port,) = free_ports(1)
    url = f"http://{HOST}:{port}"
    with capture_logs() as logged:
        async with exporting(url):
            work()
            await eventually(lambda: bool(logged), what="the failure is logged")
            work()
            async with running_collector(port) as collector:
                await received(collector, 2)
    warning, again = logged
    assert warning["endpoint"] == f"{url}/v1/traces"
    assert str(port) in warning["cause"]
    assert again["event"] == "spans are exported again"


async def test_a_refused_batch_is_lost_and_counted() -> None:
    before = lost("refused")
    async with running_collector() as collector:
        collector.statuses = [400]
        async with exporting(collector.url):
            work(3)
            await eventually(lambda: lost("refused") == before + 3, what="the loss is counted")
            work()
            await received(collector, 1)


async def test_spans_that_the_collector_rejects_are_counted() -> None:
    before = lost("refused")
    async with running_collector() as collector:
        collector.rejected = 1
        async with exporting(collector.url):
            work(2)
            await received(collector, 2)
    assert lost("refused") == before + 1


async def test_a_full_queue_loses_new_spans_and_blocks_nothing() -> None:
    before = lost("queue_full"), lost("shutdown")
    (port,) = free_ports(1)
    async with exporting(f"http://{HOST}:{port}"):
        work(MAX_QUEUED + 5)
        assert lost("queue_full") == before[0] + 5
    assert lost("shutdown") == before[1] + MAX_QUEUED


@pytest.mark.parametrize("shutdown_secs", [0.4])
async def test_a_collector_that_hangs_does_not_hold_the_end(shutdown_secs: float) -> None:
    has_ended = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read()  # until the exporter closes the connection
        with suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()
        has_ended.set()

    before = lost("shutdown")
    server = await asyncio.start_server(hang, HOST, 0)
    url = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
    async with asyncio.timeout(PATIENCE_SECS):
        async with exporting_spans(settings(url), "gateway", shutdown_secs=shutdown_secs):
            work()
        await has_ended.wait()
    assert lost("shutdown") == before + 1
    server.close()
    await server.wait_closed()


async def test_without_an_endpoint_nothing_is_exported() -> None:
    async with exporting_spans(OtlpSettings(), "gateway", shutdown_secs=1.0):
        with Span("work") as span:
            pass
    assert (span.context.is_sampled, span.end_ns) == (False, 0)
