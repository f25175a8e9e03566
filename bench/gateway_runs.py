"""Runs of `bench.gateway`: one server, some clients, one rate, measured several times."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import psutil

from bench.gateway_servers import Server, child

CLIENTS: Final = 500
KEYS: Final = 2_000
KEYS_PER_CLIENT: Final = 200
SECS: Final = 2
ROUNDS: Final = 4
# A rate for the warm-up: each key once, in deliveries a second over all clients.
_WARM_UP_DELIVERIES_PER_SEC: Final = 100_000
_QUIET_SECS: Final = 1.0


@dataclass(frozen=True)
class Run:
    """The figures of one server at one rate."""

    server: str
    clients: int
    rate: int
    expected: int
    received: dict[str, float]
    cpu_secs: float
    bus_cpu_secs: float
    other_cpu_secs: float
    """CPU time of everything that does not belong to the benchmark, other guests of the host
    included. Much of it spoils latencies."""

    @property
    def per_cpu_s(self) -> float:
        """Deliveries per second of the server's CPU time."""
        return self.received["deliveries"] / self.cpu_secs

    @property
    def lost(self) -> int:
        """Deliveries that did not arrive."""
        return self.expected - int(self.received["deliveries"])


class Child:
    """A process that reads commands from its standard input."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def request(self, line: str) -> str:
        """Send a line and wait for the line that answers it."""
        await self.send(line)
        assert self._process.stdout is not None
        answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"no answer to {line[:60]}")
        return answer.decode()

    async def send(self, line: str) -> None:
        """Send a line that is not answered."""
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()


def _cpu_secs(pid: int) -> float:
    """CPU time of a process so far, all its threads included."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def _other_cpu_secs() -> float:
    """Time of all cores so far, without idle time and without this benchmark's processes.

    The sum of the kernel's busy times would miss processes that start and end between two
    of its samples.
    """
    times = psutil.cpu_times()
    busy_secs = (psutil.cpu_count() or 1) * time.monotonic() - float(times.idle + times.iowait)
    this = psutil.Process()
    own = [this, *this.children(recursive=True)]
    return busy_secs - sum(_cpu_secs(process.pid) for process in own)


@asynccontextmanager
async def clients(
    server: Server, *, count: int = CLIENTS, each: int = KEYS_PER_CLIENT, stalled: int = 0
) -> AsyncIterator[tuple[Child, int]]:
    """Connected clients, and the number of subscriptions of those that read."""
    config: dict[str, Any] = {
        "kind": server.kind, "port": server.port, "path": server.path, "token": server.token,
        "clients": count, "keys": KEYS, "each": each, "stalled": stalled,
    }  # fmt: skip
    async with child(sys.executable, "-m", "bench.gateway_load") as process:
        load = Child(process)
        await load.send(json.dumps(config))
        yield load, json.loads(await load.request("connect"))["subscriptions"]


@asynccontextmanager
async def _feed(server: Server) -> AsyncIterator[Child]:
    arguments = [str(server.bus_port), server.user, server.password, str(KEYS)]
    async with child(sys.executable, "-m", "bench.gateway_feed", *arguments) as process:
        yield Child(process)


async def _measure(
    server: Server, load: Child, feed: Child, rate: int, count: int, subscriptions: int
) -> Run:
    """Publish for some seconds, and wait until nothing arrives any more."""
    quotes = max(1, round(rate * SECS / KEYS)) * KEYS
    await load.request("reset")
    before, bus_before = _cpu_secs(server.pid), _cpu_secs(server.bus_pid)
    other_before = _other_cpu_secs()
    await feed.request(f"{rate} {quotes}")
    expected = quotes // KEYS * subscriptions
    received = json.loads(await load.request("tell"))
    while received["deliveries"] < expected and received["quiet_secs"] < _QUIET_SECS:
        await asyncio.sleep(0.1)
        received = json.loads(await load.request("tell"))
    after, bus_after = _cpu_secs(server.pid), _cpu_secs(server.bus_pid)
    other = _other_cpu_secs() - other_before
    return Run(
        server.name, count, rate, expected, received, after - before, bus_after - bus_before, other
    )


def _best(runs: list[Run]) -> Run:
    """The least CPU time and the lowest latencies of all rounds; losses of any round count."""
    cheapest = min(runs, key=lambda run: run.cpu_secs)
    fastest = min(runs, key=lambda run: run.received["p99_ms"])
    delivered = {"deliveries": cheapest.expected - max(run.lost for run in runs)}
    return replace(cheapest, received=fastest.received | delivered)


async def at_rates(
    server: Server,
    rates: tuple[int, ...],
    *,
    count: int = CLIENTS,
    stalled: int = 0,
    rounds: int = ROUNDS,
) -> list[Run]:
    """The best of some rounds at each rate, with the same clients."""
    async with (
        clients(server, count=count, stalled=stalled) as (load, subscriptions),
        _feed(server) as feed,
    ):
        warm_up_rate = max(1, _WARM_UP_DELIVERIES_PER_SEC * KEYS // subscriptions)
        await feed.request(f"{warm_up_rate} {KEYS}")
        await asyncio.sleep(0.5)
        return [
            _best(
                [
                    await _measure(server, load, feed, rate, count, subscriptions)
                    for _ in range(rounds)
                ]
            )
            for rate in rates
        ]


async def idle_bytes(server: Server, connections: int) -> float:
    """Resident memory that each idle authenticated connection adds."""
    process = psutil.Process(server.pid)
    async with clients(server, count=50, each=0):
        pass  # objects that are made once, by the first connections
    await asyncio.sleep(0.5)
    before = process.memory_info().rss
    async with clients(server, count=connections, each=0):
        await asyncio.sleep(1)
        return float(process.memory_info().rss - before) / connections
