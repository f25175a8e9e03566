"""Soak test of ingest: lost ticks and memory growth, with 2 000 instruments for two minutes.

``make soak-ingest``. A simulated Upstox, nats-server and ingest each run in a process of
their own. This process subscribes to the quotes and compares them with the simulator's
ledger. All instruments are in full mode.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil
from nats.aio.msg import Msg
from rich.console import Console
from rich.progress import Progress

from bench.harness import report_lines
from embedded.ports import HOST, free_ports
from services.simulator.market.universe import synthetic_stock
from shared.contracts.messages import decode_quote
from tests.support.buses import flushed
from tests.support.ingest import ingest_environment
from tests.support.processes import ServiceProcess, service_process
from tests.support.servers import run_nats

INSTRUMENTS: Final = 2_000
SECS: Final = 120
WARM_UP_SECS: Final = 30
_SIMULATOR: Final = {
    "TRADEDAD_SIMULATOR_SYNTHETIC": str(INSTRUMENTS),
    "TRADEDAD_SIMULATOR_FRAME_INTERVAL_MS": "150",
    "TRADEDAD_SIMULATOR_TRADES_PER_SEC": "10",
    "TRADEDAD_SIMULATOR_LEDGER_MAX_ROWS": "4000",
}

Row = tuple[int, float | None, int | None, int | None, int | None, float | None]


class QuoteLog:
    """The received quotes of each instrument, as hashes of their values, in order."""

    def __init__(self) -> None:
        self.rows: dict[str, list[int]] = defaultdict(list)
        self.count = 0
        self.last_ts = 0
        self.latencies_ms: list[float] = []

    async def receive(self, message: Msg) -> None:
        quote = decode_quote(message.data)
        row = (quote.ts, quote.ltp, quote.ltt, quote.ltq, quote.volume, quote.atp)
        self.rows[quote.key].append(hash(row))
        self.count += 1
        self.last_ts = max(self.last_ts, quote.ts)
        if self.count % 50 == 0:
            self.latencies_ms.append(time.time() * 1e3 - quote.rt / 1e3)


async def sent(http: aiohttp.ClientSession, url: str, key: str, until_ms: int) -> list[int]:
    """The simulator's ledger of one instrument, as hashes of the same values."""
    query = {"key": key, "to_ms": str(until_ms)}
    async with http.get(f"{url}/simulator/v1/sent", params=query) as response:
        rows: list[dict[str, Any]] = await response.json()
    return [hash((r["ts"], r["ltp"], r["ltt"], r["ltq"], r["vtt"], r["atp"])) for r in rows]


async def compare(url: str, quotes: QuoteLog, keys: list[str], until_ms: int) -> tuple[int, int]:
    """Compare the quotes with the ledger, in order: (ticks in the ledger, differences)."""
    total = wrong = 0
    async with aiohttp.ClientSession() as http:
        for key in keys:
            expected = await sent(http, url, key, until_ms)
            received = quotes.rows[key][: len(expected)]
            total += len(expected)
            wrong += sum(1 for a, b in zip(expected, received, strict=False) if a != b)
            wrong += abs(len(expected) - len(received))
    return total, wrong


async def sample_rss(process: psutil.Process, quotes: QuoteLog, console: Console) -> list[int]:
    """The resident memory of ingest in bytes, once a second."""
    sizes: list[int] = []
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("receiving", total=SECS)
        for _ in range(SECS):
            await asyncio.sleep(1.0)
            sizes.append(process.memory_info().rss)
            text = f"{quotes.count:,} ticks, {sizes[-1] >> 20} MiB"
            progress.update(task, advance=1, description=text)
    return sizes


async def soak(ingest: ServiceProcess, quotes: QuoteLog) -> tuple[int, dict[str, float]]:
    """Receive for the duration of the soak: (time until which all is received, figures)."""
    console = Console(stderr=True)
    process = psutil.Process(ingest.pid)
    count_before, cpu_before = quotes.count, sum(process.cpu_times()[:2])
    sizes = await sample_rss(process, quotes, console)
    ticks, cpu_secs = quotes.count - count_before, sum(process.cpu_times()[:2]) - cpu_before
    until_ms = quotes.last_ts
    while quotes.last_ts <= until_ms:  # a frame is complete once a later one has arrived
        await asyncio.sleep(0.05)
    third = (SECS - WARM_UP_SECS) // 3
    early = statistics.mean(sizes[WARM_UP_SECS : WARM_UP_SECS + third])
    late = statistics.mean(sizes[-third:])
    latencies = sorted(quotes.latencies_ms)
    return until_ms + 1, {
        "ticks_per_s": ticks / SECS,
        "ticks_per_cpu_s": ticks / cpu_secs,
        "p50_ms": latencies[len(latencies) // 2],
        "p99_ms": latencies[len(latencies) * 99 // 100],
        "rss_mib": late / (1 << 20),
        "rss_growth": late / early - 1.0,
    }


async def main() -> int:
    """Run the soak and print its report; the exit code is 1 if a tick was lost."""
    (port,) = free_ports(1)
    url = f"http://{HOST}:{port}"
    simulator = _SIMULATOR | {"TRADEDAD_SIMULATOR_PORT": str(port)}
    keys = [synthetic_stock(number).key for number in range(INSTRUMENTS)]
    with run_nats() as nats, tempfile.NamedTemporaryFile("w", suffix=".txt") as watchlist:
        await asyncio.to_thread(Path(watchlist.name).write_text, "\n".join(keys))
        quotes = QuoteLog()
        observer = await nats.connect("observer")
        await observer.subscribe("md.quote.>", cb=quotes.receive)
        await flushed(observer)
        environment = ingest_environment(nats, url, Path(watchlist.name), lease_ttl_secs=5)
        async with service_process("simulator", simulator):
            async with service_process("ingest", environment) as ingest:
                while len(quotes.rows) < INSTRUMENTS:
                    await asyncio.sleep(0.1)
                until_ms, figures = await soak(ingest, quotes)
            # Compare after ingest has stopped: the ledger drops its oldest rows with each tick.
            total, wrong = await compare(url, quotes, keys, until_ms)
        await observer.close()
    report_lines("ingest soak", {"ticks": total, "unaccounted": wrong, **figures})
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
