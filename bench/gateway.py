"""What fanning quotes out costs, beside nats-server's own WebSocket and a plain `send_str`.

``make bench-gateway``. 500 clients of 200 of 2 000 keys; then the same with clients that never
read; then idle connections. Every part is a process of its own; only the CPU time of what is
measured counts (for us the gateway, and beside it nats-server, which the peer contains).
"""

import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil
import structlog
from rich.console import Console
from rich.table import Table

from embedded import binaries
from embedded.ports import HOST, free_ports
from shared.bus.connection import connect_bus
from shared.bus.resources import ensure_ticks_stream
from shared.runtime.health import Readiness
from shared.runtime.settings import NatsSettings
from tests.support.issuer import TokenIssuer, serve_issuer
from tests.support.servers import PASSWORD, NatsServer, run_nats

CLIENTS: Final = 500
KEYS: Final = 2_000
EACH: Final = 200
RATES: Final = (1_000, 10_000, 20_000)
SECS: Final = 2
ROUNDS: Final = 4
WARM_UP: Final = 2_000
IDLE: Final = 5_000


@dataclass(frozen=True)
class Run:
    """One server at one rate."""

    server: str
    rate: int
    wanted: int
    got: dict[str, float]
    cpu_secs: float
    bus_cpu_secs: float
    others_cpu_secs: float
    """Of all that has nothing to do with us, the host's other guests included: what is more than
    little spoils latencies."""

    @property
    def per_cpu_s(self) -> float:
        """Deliveries per second of the server's CPU time."""
        return self.got["deliveries"] / self.cpu_secs

    @property
    def lost(self) -> int:
        """Deliveries that did not come."""
        return self.wanted - int(self.got["deliveries"])


class Child:
    """A process that takes commands on its standard input."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, line: str) -> str:
        """Send a line, wait for a line."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line.encode() + b"\n")
        answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"no answer to {line[:60]}")
        return answer.decode()

    async def send(self, line: str) -> None:
        """Send a line that is not answered."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()


@asynccontextmanager
async def child(*command: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that ends with the block."""
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


def others_cpu_secs() -> float:
    """Time of all cores so far, but for idle time and this benchmark's processes.

    Not the sum of what the machine was busy with: Linux samples that at its ticks, and misses
    much of what starts and ends between two.
    """
    times = psutil.cpu_times()
    busy = (psutil.cpu_count() or 1) * time.monotonic() - float(times.idle + times.iowait)
    this = psutil.Process()
    own = [this, *this.children(recursive=True)]
    return busy - sum(cpu_secs(process.pid) for process in own)


def cpu_secs(pid: int) -> float:
    """CPU time of a process so far, all its threads."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


@dataclass(frozen=True)
class Server:
    """What is measured: where clients connect, and where quotes go in."""

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


def nats_pid(server: NatsServer) -> int:
    (found,) = (
        process.pid
        for process in psutil.Process().children(recursive=True)
        if str(server.port) in process.cmdline()
    )
    return found


@asynccontextmanager
async def bus() -> AsyncIterator[NatsServer]:
    """nats-server with the configuration of production, and the stream TICKS."""
    with run_nats() as server:
        settings = NatsSettings.model_validate({"url": server.url})
        async with connect_bus(
            settings, user="ingest", password=PASSWORD, readiness=Readiness("bench")
        ) as connected:
            await ensure_ticks_stream(connected, max_age_secs=600, max_bytes=1 << 30)
        yield server


@asynccontextmanager
async def our_gateway(issuer: TokenIssuer) -> AsyncIterator[Server]:
    """The gateway, as it is started anywhere."""
    async with bus() as nats:
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
            await until_ready(f"http://{HOST}:{port}/readyz")
            yield Server(
                "Trade Dad", "ours", port, "/ws", issuer.token(),
                process.pid, nats_pid(nats), nats.port, "ingest", PASSWORD,
            )  # fmt: skip


async def until_ready(url: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(30):
        while True:
            try:
                async with http.get(url) as response:
                    if response.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)


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
            await until_open(port)
            yield Server(
                "nats-server's WebSocket", "nats", websocket_port, "/", "",
                process.pid, process.pid, port, "", "",
            )  # fmt: skip


async def until_open(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


@asynccontextmanager
async def plain_send_str() -> AsyncIterator[Server]:
    """aiohttp's send_str for each quote and client."""
    async with bus() as nats:
        (port,) = free_ports(1)
        command = [sys.executable, "-m", "bench.gateway_send_str"]
        arguments = [str(port), nats.url, "gateway", PASSWORD]
        async with child(*command, *arguments) as process:
            assert process.stdout is not None
            await process.stdout.readline()
            yield Server(
                "aiohttp send_str", "send_str", port, "/ws", "",
                process.pid, nats_pid(nats), nats.port, "ingest", PASSWORD,
            )  # fmt: skip


@asynccontextmanager
async def clients(
    server: Server, *, count: int = CLIENTS, each: int = EACH, stalled: int = 0
) -> AsyncIterator[tuple[Child, int]]:
    """Connected clients, and how many subscriptions those have that read."""
    config: dict[str, Any] = {
        "kind": server.kind, "port": server.port, "path": server.path, "token": server.token,
        "clients": count, "keys": KEYS, "each": each, "stalled": stalled,
    }  # fmt: skip
    async with child(sys.executable, "-m", "bench.gateway_load") as process:
        load = Child(process)
        await load.send(json.dumps(config))
        yield load, json.loads(await load.ask("connect"))["subscriptions"]


@asynccontextmanager
async def feed(server: Server) -> AsyncIterator[Child]:
    arguments = [str(server.bus_port), server.user, server.password, str(KEYS)]
    async with child(sys.executable, "-m", "bench.gateway_feed", *arguments) as process:
        yield Child(process)


async def measure(server: Server, load: Child, source: Child, rate: int, subscriptions: int) -> Run:
    """Publish for some seconds, wait until nothing comes any more."""
    count = max(1, round(rate * SECS / KEYS)) * KEYS
    await load.ask("reset")
    before, bus_before = cpu_secs(server.pid), cpu_secs(server.bus_pid)
    others_before = others_cpu_secs()
    await source.ask(f"{rate} {count}")
    wanted = count // KEYS * subscriptions
    got = json.loads(await load.ask("tell"))
    while got["deliveries"] < wanted and got["quiet_secs"] < 1.0:
        await asyncio.sleep(0.1)
        got = json.loads(await load.ask("tell"))
    after, bus_after = cpu_secs(server.pid), cpu_secs(server.bus_pid)
    others = others_cpu_secs() - others_before
    return Run(server.name, rate, wanted, got, after - before, bus_after - bus_before, others)


def best(runs: list[Run]) -> Run:
    """What the server can do while the machine leaves it alone; what was lost counts in all."""
    cheapest = min(runs, key=lambda run: run.cpu_secs)
    swiftest = min(runs, key=lambda run: run.got["p99_ms"])
    delivered = {"deliveries": cheapest.wanted - max(run.lost for run in runs)}
    return replace(cheapest, got=swiftest.got | delivered)


async def at_rates(server: Server, rates: tuple[int, ...], *, stalled: int = 0) -> list[Run]:
    """The best of some rounds at each rate, with the same clients."""
    async with clients(server, stalled=stalled) as (load, subscriptions), feed(server) as source:
        await source.ask(f"{WARM_UP} {KEYS}")
        await asyncio.sleep(0.5)
        return [
            best([await measure(server, load, source, rate, subscriptions) for _ in range(ROUNDS)])
            for rate in rates
        ]


async def idle_bytes(server: Server) -> float:
    """Resident memory that each idle authenticated connection adds."""
    process = psutil.Process(server.pid)
    async with clients(server, count=50, each=0):
        pass  # what the first connections make once
    await asyncio.sleep(0.5)
    before = process.memory_info().rss
    async with clients(server, count=IDLE, each=0):
        await asyncio.sleep(1)
        return (process.memory_info().rss - before) / IDLE


def show(title: str, runs: list[Run], console: Console) -> None:
    """A table of runs."""
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for name in ("quotes/s", "deliveries", "lost", "CPU s", "deliveries per CPU s"):
        table.add_column(name, justify="right")
    for name in ("p50 ms", "p99 ms", "max ms", "MB", "bus CPU s", "others"):
        table.add_column(name, justify="right")
    for run in runs:
        got = run.got
        table.add_row(
            run.server, f"{run.rate:,}", f"{int(got['deliveries']):,}", f"{run.lost:,}",
            f"{run.cpu_secs:.2f}", f"{run.per_cpu_s:,.0f}", f"{got['p50_ms']:.1f}",
            f"{got['p99_ms']:.1f}", f"{got['max_ms']:.1f}", f"{got['bytes'] / 1e6:,.0f}",
            f"{run.bus_cpu_secs:.2f}", f"{run.others_cpu_secs:.2f}",
        )  # fmt: skip
    console.print(table)


async def run_all(only: str) -> None:
    console = Console(width=160)
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(serve_issuer())
        async with our_gateway(issuer) as server:
            ours = await at_rates(server, RATES)
        show("ours", ours, console)
        if only == "ours":
            return
        async with nats_websocket() as server:
            theirs = await at_rates(server, RATES)
        async with plain_send_str() as server:
            (plain,) = await at_rates(server, (10_000,))
        show("500 clients of 200 of 2 000 keys", [*ours, *theirs, plain], console)
        stalls = []
        for percent in (0, 1, 10, 50):
            async with our_gateway(issuer) as server:
                stalls += await at_rates(server, (10_000,), stalled=CLIENTS * percent // 100)
        show("the same at 10 000 quotes/s while 0, 1, 10, 50 % never read", stalls, console)
        async with our_gateway(issuer) as server:
            each = await idle_bytes(server)
        console.print(f"{IDLE} idle authenticated connections: {each:,.0f} bytes each")
    figures: dict[str, float] = {}
    for run, peer in zip(ours, theirs, strict=True):
        figures[f"deliveries_per_cpu_s_{run.rate // 1000}k"] = run.per_cpu_s
        figures[f"vs_nats_ws_{run.rate // 1000}k"] = run.per_cpu_s / peer.per_cpu_s
    healthy, *with_stalled = stalls
    figures |= {
        "vs_send_str_10k": ours[1].per_cpu_s / plain.per_cpu_s,
        "p50_ms_10k": ours[1].got["p50_ms"],
        "p99_ms_10k": ours[1].got["p99_ms"],
        "nats_ws_p99_ms_10k": theirs[1].got["p99_ms"],
        "stall_lost": sum(run.lost for run in with_stalled),
        "stall_p99_ratio": max(run.got["p99_ms"] for run in with_stalled) / healthy.got["p99_ms"],
        "idle_bytes_per_conn": each,
    }
    rounded = {name: round(value, 3) for name, value in figures.items()}
    print(json.dumps({"bench": "gateway", "cores": os.cpu_count() or 0, **rounded}))


def main() -> None:
    """Measure and print."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(run_all(sys.argv[1] if len(sys.argv) > 1 else ""))


if __name__ == "__main__":
    main()
