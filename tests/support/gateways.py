"""A running gateway for tests, with its issuer of tokens and the other users of its bus."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
from nats.aio.client import Client

from embedded.ports import HOST, free_ports
from services.gateway import metrics
from services.gateway.app import build
from services.gateway.settings import GatewaySettings
from shared.bus.connection import connect_bus
from shared.bus.resources import ensure_ticks_stream
from shared.contracts.messages import Quote, encode
from shared.contracts.subjects import quote_subject
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings
from tests.support.builders import quote
from tests.support.buses import flushed
from tests.support.issuer import TestIssuer, serve_issuer
from tests.support.processes import ServiceProcess, service_process
from tests.support.servers import PASSWORD, NatsServer
from tests.support.services import is_ready, running
from tests.support.stream_document import as_asked, as_told
from tests.support.waiting import eventually


class Gateway:
    """A running gateway, its issuer, and ingest's place on the bus."""

    def __init__(
        self, url: str, issuer: TestIssuer, ingest: Client, http: aiohttp.ClientSession,
        readiness: Readiness,
    ) -> None:  # fmt: skip
        self.url = url
        self.issuer = issuer
        self.ingest = ingest
        self.http = http
        self.readiness = readiness

    async def publish(self, *quotes: Quote) -> None:
        for one in quotes:
            await self.ingest.publish(quote_subject(one.key), encode(one))
        await flushed(self.ingest)

    @asynccontextmanager
    async def connect(
        self, token: str | None = "good", **options: Any
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self.http.ws_connect(f"{self.url}/ws", **options) as socket:
            if token is not None:
                good = self.issuer.token() if token == "good" else token
                await socket.send_json(as_asked({"op": "auth", "token": good}))
            yield socket


@asynccontextmanager
async def running_gateway(
    nats: NatsServer,
    *,
    past: tuple[Quote, ...] = (),
    bus_url: str | None = None,
    **settings: Any,
) -> AsyncIterator[Gateway]:
    nats_settings = NatsSettings.model_validate({"url": nats.url})
    gateways_nats = NatsSettings.model_validate({"url": bus_url or nats.url})
    port, _ = free_ports(2)
    readiness = Readiness("gateway")
    async with (
        serve_issuer() as issuer,
        connect_bus(
            nats_settings, user="ingest", password=PASSWORD, readiness=Readiness("ingest")
        ) as ingest,
        aiohttp.ClientSession() as http,
    ):
        await ensure_ticks_stream(ingest, max_age_secs=600, max_bytes=1 << 24)
        for one in past:
            await ingest.client.publish(quote_subject(one.key), encode(one))
        await flushed(ingest.client)
        options = {
            "port": port,
            "nats_password": PASSWORD,
            "nats": gateways_nats,
            "tokens": issuer.settings,
        } | settings
        build_it = build(GatewaySettings.model_validate(options), readiness)
        async with running(build_it):
            await eventually(lambda: is_ready(readiness), what="a gateway that is ready")
            url = f"http://127.0.0.1:{port}"
            yield Gateway(url, issuer, ingest.client, http, readiness)


class GatewayProcess(Gateway):
    """The same as a process of its own."""

    def __init__(
        self, port: int, environment: dict[str, str], issuer: TestIssuer, ingest: Client,
        http: aiohttp.ClientSession, process: ServiceProcess,
    ) -> None:  # fmt: skip
        super().__init__(f"http://{HOST}:{port}", issuer, ingest, http, Readiness("unused"))
        self.port = port
        self.process = process
        self._environment = environment

    @asynccontextmanager
    async def replaced(self) -> AsyncIterator["GatewayProcess"]:
        """Kill it, and start another one in its place."""
        self.process.end()
        async with service_process("gateway", self._environment) as process:
            yield GatewayProcess(
                self.port, self._environment, self.issuer, self.ingest, self.http, process
            )

    async def figure(self, name: str) -> float:
        """A metric without labels."""
        async with self.http.get(f"{self.process.ops_url}/metrics") as response:
            lines = (await response.text()).splitlines()
        (value,) = (line.split()[1] for line in lines if line.startswith(f"{name} "))
        return float(value)


@asynccontextmanager
async def gateway_process(
    nats: NatsServer, *, past: tuple[Quote, ...] = (), **settings: str
) -> AsyncIterator[GatewayProcess]:
    """`settings` are named as in the environment, without what all of the gateway begin with."""
    nats_settings = NatsSettings.model_validate({"url": nats.url})
    (port,) = free_ports(1)
    async with (
        serve_issuer() as issuer,
        connect_bus(
            nats_settings, user="ingest", password=PASSWORD, readiness=Readiness("ingest")
        ) as ingest,
        aiohttp.ClientSession() as http,
    ):
        await ensure_ticks_stream(ingest, max_age_secs=600, max_bytes=1 << 24)
        for one in past:
            await ingest.client.publish(quote_subject(one.key), encode(one))
        await flushed(ingest.client)
        environment = {
            "TRADEDAD_NATS_URL": nats.url,
            "TRADEDAD_TOKEN_JWKS_URL": issuer.settings.jwks_url,
            "TRADEDAD_GATEWAY_PORT": str(port),
            "TRADEDAD_GATEWAY_NATS_PASSWORD": PASSWORD,
        } | {f"TRADEDAD_GATEWAY_{name}": value for name, value in settings.items()}
        async with service_process("gateway", environment) as process:
            yield GatewayProcess(port, environment, issuer, ingest.client, http, process)


def fresh(**fields: Any) -> Quote:
    """A quote that ingest has received just now."""
    return quote(rt=time.time_ns() // 1_000, **fields)


def stale(one: Quote, *, secs: float) -> Quote:
    """The same, received some seconds ago."""
    return msgspec.structs.replace(one, rt=time.time_ns() // 1_000 - int(secs * 1e6))


async def subscribe(
    socket: aiohttp.ClientWebSocketResponse, *keys: str, channel: str = "quotes", **more: Any
) -> dict[str, str]:
    """Subscribe, and wait for the answer: the outcome of each key."""
    request = {"op": "subscribe", "id": 1, "channel": channel, "keys": list(keys)}
    await socket.send_json(as_asked(request | more))
    answer = await receive(socket, "ack")
    results: dict[str, str] = answer["results"]
    return results


async def receive(
    socket: aiohttp.ClientWebSocketResponse, kind: str, *, timeout_secs: float = 10
) -> dict[str, Any]:
    """The next message of this kind."""
    async with asyncio.timeout(timeout_secs):
        while True:
            message = await socket.receive()
            assert message.type is aiohttp.WSMsgType.TEXT, (message, socket.close_code)
            body = as_told(message.json())
            if body["type"] == kind:
                return body


async def closed(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    """The close code, once the stream has ended."""
    async with asyncio.timeout(10):
        async for _ in socket:
            pass
    return socket.close_code


async def reached_the_end(reader: asyncio.StreamReader) -> bool:
    """Read all there is: True if it ends in order, False if by a reset."""
    try:
        while await reader.read(1 << 20):
            pass
    except ConnectionResetError:
        return False
    return True


def open_streams() -> float:
    (metric,) = metrics.STREAMS.collect()
    return metric.samples[0].value


async def raw_stream(gateway: Gateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A WebSocket whose client reads only when it is told to."""
    host, _, port = gateway.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 10)
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    send_raw(writer, {"op": "auth", "token": gateway.issuer.token()})
    return reader, writer


def send_raw(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    """A masked text frame, with a mask of zeros."""
    body = json.dumps(message).encode()
    writer.write(b"\x81" + bytes([0x80 | 126]) + len(body).to_bytes(2, "big") + bytes(4) + body)
