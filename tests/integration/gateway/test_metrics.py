"""The metrics of the gateway, read from /metrics."""

import re
from collections.abc import Iterable

import aiohttp
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from services.gateway.fanout.channels import Channel
from shared.errors import Code
from tests.support.builders import KEY, fresh_quote
from tests.support.gateway.process import GatewayProcess, gateway_process
from tests.support.gateway.websocket import close_code_of, receive, subscribe
from tests.support.servers import NatsServer
from tests.support.waiting import eventually

UNKNOWN_PATH = "no-such-path"
PREFIX = "tradedad_gateway_"
LABELS: dict[str, Iterable[str]] = {
    "channel": set(Channel),
    "code": {*Code, *map(str, range(1000, 1016)), *map(str, range(4400, 4430)), "other", "none"},
    "kind": {"policy", "error", "other"},
}


async def metrics_of(gateway: GatewayProcess) -> dict[str, Metric]:
    async with gateway.http.get(f"{gateway.process.ops_url}/metrics") as response:
        families = text_string_to_metric_families(await response.text())
    return {
        family.name.removeprefix(PREFIX): family
        for family in families
        if family.name.startswith(PREFIX)
    }


def value(metric: Metric, suffix: str = "", **labels: str) -> float:
    name = metric.name + suffix
    return sum(
        sample.value
        for sample in metric.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def test_streams_subscriptions_deliveries_and_closes_are_counted(nats: NatsServer) -> None:
    async with gateway_process(nats) as gateway:
        async with gateway.connect() as socket:
            await subscribe(socket, KEY, "NSE_EQ|OTHER")
            await subscribe(socket, channel="status")
            for seq in range(1, 11):
                await gateway.publish(fresh_quote(seq=seq))
            while (await receive(socket, "quotes"))["data"][-1]["seq"] < 10:
                pass
            now = await metrics_of(gateway)
            assert value(now["streams"]) == 1
            assert value(now["subscriptions"], channel="quotes") == 2
            assert value(now["subscriptions"], channel="status") == 1
            await eventually(
                lambda: counted(gateway, "deliveries", "_total", 10), what="deliveries"
            )
            await eventually(lambda: counted(gateway, "sent_bytes", "_total", 1_000), what="bytes")
            now = await metrics_of(gateway)
            assert value(now["received_messages"], "_total") >= 10
            assert value(now["flush_seconds"], "_count") >= 1
            assert value(now["flush_interval_seconds"]) >= 0
            assert value(now["latency_seconds"], "_count") >= 1
            assert value(now["latency_seconds"], "_sum") > 0
            assert value(now["conflations"], "_total") == 0
        async with gateway.connect("nonsense") as refused:
            await close_code_of(refused)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await gateway.http.ws_connect(f"{gateway.url}/ws", origin="https://evil.example")
        await eventually(
            lambda: counted(gateway, "closed_streams", "_total", 1, code="4401"), what="4401"
        )
        await eventually(
            lambda: counted(gateway, "closed_streams", "_total", 1, code="1000"), what="1000"
        )
        now = await metrics_of(gateway)
        assert value(now["refused_streams"], "_total", code="forbidden") == 1
        assert value(now["streams"]) == 0
        assert value(now["subscriptions"]) == 0


async def counted(
    gateway: GatewayProcess, name: str, suffix: str, min_value: float, **labels: str
) -> bool:
    return value((await metrics_of(gateway))[name], suffix, **labels) >= min_value


async def test_each_metric_has_a_help_text_and_bounded_labels(nats: NatsServer) -> None:
    async with gateway_process(nats) as gateway:
        async with gateway.connect(headers={"X-Forwarded-For": "203.0.113.5"}) as socket:
            await subscribe(socket, KEY)
            await socket.close(code=3999)
        async with gateway.http.get(f"{gateway.url}/{UNKNOWN_PATH}") as response:
            assert response.status == 404
        await eventually(lambda: counted(gateway, "closed_streams", "_total", 1), what="a close")
        for metric in (await metrics_of(gateway)).values():
            assert re.search(r"\w+ \w+", metric.documentation), metric.name
            for sample in metric.samples:
                for label, labelled in sample.labels.items():
                    assert is_bounded(label, labelled), sample


def is_bounded(label: str, labelled: str) -> bool:
    match label:
        case "le":
            return True
        case "route":  # the pattern of the route, not the requested path
            return UNKNOWN_PATH not in labelled
        case "status":
            return re.fullmatch(r"[1-5]\d\d|cancelled", labelled) is not None
        case _:
            return labelled in LABELS[label]
