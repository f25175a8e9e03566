"""Benchmark of a backfill: a year of five-minute bars of fifty instruments, killed twice.

``python -m bench.backfill`` has a persister fetch them from a simulated Upstox with Upstox's limits,
kills it with SIGKILL after each third, and compares every stored bar with the simulator's candles.
"""

import argparse
import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families
from pymongo import AsyncMongoClient, MongoClient
from rich.progress import Progress

from bench.harness import report_lines
from embedded.ports import HOST, free_ports
from services.persister.backfill import backfill
from services.persister.history.page_store import PAGES
from services.persister.history.pages import settled_day
from services.persister.storage.documents import bar_from_document
from services.simulator.market.instruments import STOCKS
from services.simulator.settings import SIMULATED_TOKEN
from shared.bus.connection import connect_bus
from shared.bus.resources import ensure_ticks_stream
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.mongo import Document
from shared.runtime.settings import NatsSettings
from tests.support.processes import ServiceProcess, service_process
from tests.support.servers import PASSWORD, NatsServer, run_mongo, run_nats

_DATABASE: Final = "bench"
_KILLS: Final = 2
_LOOK_EVERY_SECS: Final = 0.5
_MOST_SECS: Final = 3_600.0
_CALLS: Final = "tradedad_persister_repair_calls_total"
# As many calls as Upstox allows; a quarter of those of a minute and of half an hour are for backfills.
_BUDGET: Final = {
    "TRADEDAD_PERSISTER_REPAIR_CALLS_PER_SEC": "25",
    "TRADEDAD_PERSISTER_REPAIR_CALLS_PER_MINUTE": "500",
    "TRADEDAD_PERSISTER_REPAIR_CALLS_PER_HALF_HOUR": "2000",
}


@dataclass(slots=True)
class Calls:
    """Calls to Upstox over all starts of the persister, as its metrics tell them."""

    answered: float = 0.0
    refused: float = 0.0
    most_in_a_minute: float = 0.0
    _before: dict[str, float] = field(default_factory=dict)
    _minute: deque[tuple[float, float]] = field(default_factory=deque)

    def restarted(self) -> None:
        """The next process counts from 0."""
        self._before.clear()

    def observe(self, by_outcome: dict[str, float], now: float) -> None:
        """Add the calls since the last observation of the same process."""
        new = {
            outcome: count - self._before.get(outcome, 0.0) for outcome, count in by_outcome.items()
        }
        self._before = by_outcome
        self.answered += new.get("ok", 0.0)
        self.refused += new.get("refused", 0.0) + new.get("failed", 0.0)
        self._minute.append((now, sum(new.values())))
        while self._minute[0][0] < now - 60.0:
            self._minute.popleft()
        in_a_minute = sum(count for _, count in self._minute)
        self.most_in_a_minute = max(self.most_in_a_minute, in_a_minute)


@asynccontextmanager
async def _simulator(port: int, **more: str) -> AsyncIterator[ServiceProcess]:
    environment = {
        "TRADEDAD_SIMULATOR_PORT": str(port),
        "TRADEDAD_SIMULATOR_CALENDAR": "exchange",
        "TRADEDAD_SIMULATOR_ACCESS_TOKEN": SIMULATED_TOKEN,
        **more,
    }
    async with service_process("simulator", environment) as simulator:
        yield simulator


def _persister_environment(nats: NatsServer, mongo_url: str, upstox_url: str) -> dict[str, str]:
    return {
        "TRADEDAD_NATS_URL": nats.url,
        "TRADEDAD_MONGO_URL": mongo_url,
        "TRADEDAD_MONGO_DATABASE": _DATABASE,
        "TRADEDAD_PERSISTER_NATS_PASSWORD": PASSWORD,
        "TRADEDAD_PERSISTER_REPAIR": "false",
        "TRADEDAD_PERSISTER_CALENDAR_REFRESH": "false",
        "TRADEDAD_PERSISTER_MASTER_URL": (
            f"{upstox_url}/market-quote/instruments/exchange/complete.json.gz"
        ),
        "TRADEDAD_UPSTOX_API_URL": upstox_url,
        "TRADEDAD_UPSTOX_ACCESS_TOKEN": SIMULATED_TOKEN,
        **_BUDGET,
    }


async def _observe(calls: Calls, persister: ServiceProcess, http: aiohttp.ClientSession) -> None:
    async with http.get(f"{persister.ops_url}/metrics") as response:
        text = await response.text()
    by_outcome = {
        sample.labels["outcome"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == _CALLS
    }
    calls.observe(by_outcome, time.monotonic())


async def measure(keys: Sequence[str], days: int) -> dict[str, float]:
    """Backfill, with the persister killed in between. Raises AssertionError if a bar differs."""
    settled = settled_day(SystemClock().now_ms())
    first = settled - timedelta(days=days)
    (port,) = free_ports(1)
    url = f"http://{HOST}:{port}"
    with run_nats() as nats, run_mongo() as mongo:
        async with AsyncMongoClient[Document](mongo.url, tz_aware=True) as client:
            async with _simulator(port):
                figures = await _backfill(nats, mongo.url, url, client, keys, first)
            # Without limits on calls: those of the comparison are not a part of the backfill.
            async with _simulator(port, TRADEDAD_SIMULATOR_RATE_LIMITS="false"):
                bars = await _compare(client, url, keys, first, settled)
    return {"bars": bars, "bars_per_s": bars / figures["secs"], **figures}


async def _backfill(
    nats: NatsServer,
    mongo_url: str,
    upstox_url: str,
    client: AsyncMongoClient[Document],
    keys: Sequence[str],
    first: date,
) -> dict[str, float]:
    settings = NatsSettings.model_validate({"url": nats.url})
    async with connect_bus(
        settings, user="ingest", password=PASSWORD, readiness=Readiness("bench")
    ) as bus:
        await ensure_ticks_stream(bus, max_age_secs=600, max_bytes=1 << 24)
    environment = _persister_environment(nats, mongo_url, upstox_url)
    pages = client[_DATABASE][PAGES]
    calls = Calls()
    wanted = 0
    started = time.monotonic()
    with Progress() as progress:
        shown = progress.add_task("pages", total=None)
        for part in range(1, _KILLS + 2):
            calls.restarted()
            async with service_process("persister", environment) as persister:
                if not wanted:
                    await asyncio.to_thread(_want, mongo_url, keys, first)
                    wanted = await pages.count_documents({"wanted_until": {"$exists": True}})
                    progress.update(shown, total=wanted)
                    started = time.monotonic()
                enough = wanted * part // (_KILLS + 1)
                async with aiohttp.ClientSession() as http, asyncio.timeout(_MOST_SECS):
                    while (fetched := await _fetched(pages)) < enough:
                        progress.update(shown, completed=fetched)
                        await _observe(calls, persister, http)
                        await asyncio.sleep(_LOOK_EVERY_SECS)
                    await _observe(calls, persister, http)
                secs = time.monotonic() - started
                if part <= _KILLS:
                    persister.kill()
    return {
        "secs": secs,
        "pages": wanted,
        "calls": calls.answered,
        "calls_refused": calls.refused,
        "most_calls_in_a_minute": calls.most_in_a_minute,
        "kills": _KILLS,
    }


def _want(mongo_url: str, keys: Sequence[str], first: date) -> None:
    """As the command `backfill --no-wait` does."""
    with MongoClient[Document](mongo_url) as client:
        assert backfill(client[_DATABASE], keys, first, is_waiting=False) == 0


async def _fetched(pages: Any) -> int:
    count: int = await pages.count_documents({"until": {"$exists": True}})
    return count


async def _compare(
    client: AsyncMongoClient[Document], url: str, keys: Sequence[str], first: date, settled: date
) -> int:
    """Compare all stored bars since `first` with the simulator's candles. Returns their number."""
    bars = client[_DATABASE]["bars_5m"]
    total = 0
    headers = {"Authorization": f"Bearer {SIMULATED_TOKEN}"}
    async with aiohttp.ClientSession(url, headers=headers) as http:
        for key in keys:
            expected: list[tuple[Any, ...]] = []
            start = first.replace(day=1)
            while start < settled:
                end = min((start + timedelta(days=31)).replace(day=1), settled)
                expected += await _candles(http, key, start, end - timedelta(days=1))
                start = end
            stored = [bar_from_document(row) async for row in bars.find({"key": key}).sort("_id")]
            rows = [
                (bar.start, bar.open, bar.high, bar.low, bar.close, bar.volume or 0)
                for bar in stored
            ]
            assert rows == expected, f"{key}: {len(rows)} bars differ from {len(expected)} candles"
            total += len(rows)
    return total


async def _candles(
    http: aiohttp.ClientSession, key: str, first: date, last: date
) -> list[tuple[Any, ...]]:
    path = f"/v3/historical-candle/{key}/minutes/5/{last}/{first}"
    async with http.get(path) as response:
        response.raise_for_status()
        candles = (await response.json())["data"]["candles"]
    return [
        (int(datetime.fromisoformat(at).timestamp() * 1_000), *values)
        for at, *values, _oi in reversed(candles)
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instruments", type=int, default=50)
    parser.add_argument("--days", type=int, default=365)
    arguments = parser.parse_args()
    some_keys = [stock.key for stock in STOCKS[: arguments.instruments]]
    report_lines("backfill", asyncio.run(measure(some_keys, arguments.days)))
