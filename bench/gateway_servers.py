"""The servers that `bench.gateway` compares, each a process of its own."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from embedded import binaries
from embedded.ports import HOST, free_ports
from shared.bus.connection import connect_bus
from shared.bus.resources import ensure_ticks_stream
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings
from tests.support.issuer import TokenIssuer
from tests.support.servers import PASSWORD, NatsServer, run_nats

_START_SECS = 30.0
_POLL_SECS = 0.05


@dataclass(frozen=True)
class Server:
    """A running server: the address of its clients, and where quotes are published."""

    name: str
    kind: str
    port: int
    path: str
    token: str
    pid: int
    bus_pid: int
    bus_port: int
    user: str
    password: str


@asynccontextmanager
async def child(*command: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that is killed at the end of the block."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | environment,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _nats_pid(server: NatsServer) -> int:
    (pid,) = (
        process.pid
        for process in psutil.Process().children(recursive=True)
        if str(server.port) in process.cmdline()
    )
    return pid


@asynccontextmanager
async def _bus() -> AsyncIterator[NatsServer]:
    """nats-server with the production configuration and the stream TICKS."""
    with run_nats() as server:
        settings = NatsSettings.model_validate({"url": server.url})
        async with connect_bus(
            settings, user="ingest", password=PASSWORD, readiness=Readiness("bench")
        ) as connected:
            await ensure_ticks_stream(connected, max_age_secs=600, max_bytes=1 << 30)
        yield server


@asynccontextmanager
async def our_gateway(issuer: TokenIssuer) -> AsyncIterator[Server]:
    """The gateway, with limits that admit all clients of the benchmark."""
    async with _bus() as nats:
        port, ops_port = free_ports(2)
        environment = {
            "TRADEDAD_NATS_URL": nats.url,
            "TRADEDAD_TOKEN_JWKS_URL": issuer.settings.jwks_url,
            "TRADEDAD_LOG_LEVEL": "error",
            "TRADEDAD_GATEWAY_PORT": str(port),
            "TRADEDAD_GATEWAY_OPS_PORT": str(ops_port),
            "TRADEDAD_GATEWAY_NATS_PASSWORD": PASSWORD,
            "TRADEDAD_GATEWAY_MAX_STREAMS_PER_USER": "100000",
            "TRADEDAD_GATEWAY_MAX_STREAMS_PER_ADDRESS": "100000",
            "TRADEDAD_GATEWAY_ACCEPT_PER_SEC": "100000",
            "TRADEDAD_GATEWAY_BLOCKED_SECS": "600",
            "TRADEDAD_GATEWAY_HEARTBEAT_SECS": "600",
        }
        async with child(sys.executable, "-m", "services.gateway", **environment) as process:
            await _wait_until_ready(f"http://{HOST}:{port}/readyz")
            yield Server(
                "Trade Dad", "ours", port, "/ws", issuer.token(),
                process.pid, _nats_pid(nats), nats.port, "ingest", PASSWORD,
            )  # fmt: skip


async def _wait_until_ready(url: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(_START_SECS):
        while True:
            try:
                async with http.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(_POLL_SECS)


@asynccontextmanager
async def nats_websocket() -> AsyncIterator[Server]:
    """nats-server's own WebSocket listener, without accounts."""
    program = binaries.nats_server(None, allow_apt=False)
    port, websocket_port = free_ports(2)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "nats.conf"
        config.write_text(
            f'listen: "{HOST}:{port}"\nmax_pending: 256MB\n'
            f'websocket {{ listen: "{HOST}:{websocket_port}", no_tls: true }}\n'
        )
        async with child(str(program), "-c", str(config), "-l", f"{folder}/log") as process:
            await _wait_until_open(port)
            yield Server(
                "nats-server's WebSocket", "nats", websocket_port, "/", "",
                process.pid, process.pid, port, "", "",
            )  # fmt: skip


async def _wait_until_open(port: int) -> None:
    async with asyncio.timeout(_START_SECS):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(_POLL_SECS)
            else:
                writer.close()
                return


@asynccontextmanager
async def plain_send_str() -> AsyncIterator[Server]:
    """A server that calls aiohttp's `send_str` for each quote and client."""
    async with _bus() as nats:
        (port,) = free_ports(1)
        command = [sys.executable, "-m", "bench.gateway_send_str"]
        arguments = [str(port), nats.url, "gateway", PASSWORD]
        async with child(*command, *arguments) as process:
            assert process.stdout is not None
            await process.stdout.readline()
            yield Server(
                "aiohttp send_str", "send_str", port, "/ws", "",
                process.pid, _nats_pid(nats), nats.port, "ingest", PASSWORD,
            )  # fmt: skip
