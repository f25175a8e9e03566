"""One order by REST is one trace through gateway and trading: in logs, messages and a collector."""

import json
from pathlib import Path
from typing import Any

from nats.aio.msg import Msg

from shared.contracts.subjects import order_subject
from shared.runtime.settings import MongoSettings
from shared.runtime.tracing import Kind, Span, export_to
from tests.support.buses import bus_of
from tests.support.collector import Collector, running_collector
from tests.support.gateway.endpoint import open_peers
from tests.support.gateway.process import GatewayProcess
from tests.support.gateway.rest import send
from tests.support.gateway.trading_rest import PLACED
from tests.support.patience import PATIENCE_SECS
from tests.support.processes import ServiceProcess, child_process
from tests.support.servers import NatsServer
from tests.support.trading import trading_environment
from tests.support.trading_client import market, trading_client
from tests.support.upstox_trading import linked_client
from tests.support.waiting import eventually

TRACE = "0af7651916cd43dd8448eb211c80319c"
CLIENT = "b7ad6b7169203331"
GATEWAY = "tradedad-gateway"
TRADING = "tradedad-trading"
ORDER = PLACED | {"price": "1390.00"}


def exporting_to(collector: Collector) -> dict[str, str]:
    return {
        "TRADEDAD_OTLP_ENDPOINT": collector.url,
        "TRADEDAD_OTLP_SAMPLE_RATIO": "1",
        "TRADEDAD_LOG_LEVEL": "debug",
        "TRADEDAD_LOG_FORMAT": "json",
    }


async def test_an_order_is_one_trace_through_gateway_and_trading(
    nats: NatsServer, mongo_settings: MongoSettings
) -> None:
    async with running_collector() as collector, market(nats), open_peers(nats) as peers:
        options = exporting_to(collector)
        trading = ServiceProcess(
            "trading",
            trading_environment(nats, mongo_settings)
            | options
            | {"TRADEDAD_TRADING_CALENDAR": "always_open", "TRADEDAD_TRADING_PARTITIONS": "1"},
        )
        settings = {"TRADING_PARTITIONS": "1", "ORDER_TIMEOUT_SECS": f"{PATIENCE_SECS:g}"}
        gateway = GatewayProcess(peers, nats, settings)
        gateway.process.environment |= options
        events: list[Msg] = []

        async def keep(message: Msg) -> None:
            events.append(message)

        with child_process(trading), child_process(gateway.process):
            await gateway.process.wait_ready()
            async with trading_client(nats), bus_of(nats, "gateway") as observer:
                await observer.client.subscribe(order_subject("user-1"), cb=keep)
                await observer.client.flush()
                placed = await send(
                    gateway, "POST", "/v1/orders", body=json.dumps(ORDER),
                    headers={"Idempotency-Key": "c-1", "traceparent": f"00-{TRACE}-{CLIENT}-00"},
                )  # fmt: skip
                assert placed.status == 201, placed.text
                await eventually(lambda: len(events) >= 1, what="the order's event")
            expected = {
                f"{GATEWAY} POST /v1/orders", f"{GATEWAY} trading.place",
                f"{TRADING} trading.place", f"{TRADING} orders publish",
                f"{GATEWAY} orders deliver",
            }  # fmt: skip
            await eventually(
                lambda: expected <= collector.of_trace(TRACE).keys(), what="all spans came"
            )
            logs = [
                process.log_entries("request answered") for process in (gateway.process, trading)
            ]
        spans = collector.of_trace(TRACE)
        door = spans[f"{GATEWAY} POST /v1/orders"]
        sent = spans[f"{GATEWAY} trading.place"]
        handled = spans[f"{TRADING} trading.place"]
        published = [
            span.span_id
            for span in collector.spans
            if span.name == "orders publish" and span.parent_id == handled.span_id
        ]
        assert placed.headers["traceresponse"] == f"00-{TRACE}-{door.span_id}-01"
        assert door.parent_id == CLIENT
        assert sent.parent_id == door.span_id
        assert handled.parent_id == sent.span_id
        assert spans[f"{GATEWAY} orders deliver"].parent_id in published
        headers: dict[str, Any] = events[0].headers or {}
        assert headers["traceparent"] == f"00-{TRACE}-{published[0]}-01"
        assert [span_ids(lines) for lines in logs] == [{door.span_id}, {handled.span_id}]
        secrets = ("user-1", str(ORDER["price"]), str(ORDER["key"]))
        assert [one for span in spans.values() for one in secrets if one in str(span.message)] == []


async def test_the_call_of_upstox_is_a_part_of_the_trace_of_its_order(
    nats: NatsServer, mongo_settings: MongoSettings, tmp_path: Path
) -> None:
    spans: list[Span] = []
    async with linked_client(nats, mongo_settings, tmp_path / "keys") as linked:
        export_to(spans.append, 1.0)
        try:
            with Span("client") as client:
                await linked.place("a")
        finally:
            export_to(None)
    trace_id = client.context.trace_id
    (handled,) = [one for one in spans if (one.name, one.kind) == ("trading.place", Kind.SERVER)]
    (call,) = [one for one in spans if one.name == "upstox place_order"]
    assert (handled.context.trace_id, call.context.trace_id) == (trace_id, trace_id)
    assert call.parent_id == handled.context.span_id
    assert call.attributes == {"tradedad.answer": "taken"}


def span_ids(lines: list[dict[str, Any]]) -> set[str]:
    return {line["span_id"] for line in lines if line.get("trace_id") == TRACE}
