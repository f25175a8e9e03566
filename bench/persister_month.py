"""Benchmark of a month of bars over the bus, from 100 days of bars of 2 000 instruments.

``python -m bench.persister_month`` makes that database of 15 million bars, stored window after
window as the persister stores them. The database stays below .data and is made once. A run that is
interrupted continues where it was.
"""

import argparse
import asyncio
import random
import struct
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from threading import Event
from typing import Any, Final

import bson
import msgspec
import psutil
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import AutoReconnect
from rich.progress import track

from embedded.daemons import REPLICA_SET, ROOT, make_replica_set, mongo_url
from embedded.ports import HOST, free_ports
from services.persister.storage.bar_store import BARS, BarStore
from services.persister.storage.documents import bar_document
from shared.bus.connection import Bus, connect_bus
from shared.bus.requests import send_request_encoded
from shared.bus.resources import ensure_ticks_stream
from shared.contracts.history import HISTORY_BARS, MAX_BARS, BarsReply, BarsRequest
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import DAY_MS, MINUTE_MS, WINDOW_MS
from shared.runtime.clock import SystemClock
from shared.runtime.health import Readiness
from shared.runtime.mongo import Document, Mongo, connect_mongo
from shared.runtime.settings import MongoSettings, NatsSettings
from tests.support.processes import service_process
from tests.support.servers import PASSWORD, Daemon, NatsServer, mongod_program, run_nats

DAYS: Final = 100
INSTRUMENTS: Final = 2_000
WINDOWS: Final = 75
"""Windows of a session of six and a quarter hours."""
MONTH_DAYS: Final = 22
QUERIES: Final = 500
WARM_UP: Final = 5
"""Queries before the measurement: they open connections, and the persister reads its stream."""
_LAST_OPEN_MS: Final = 1_795_405_500_000  # 2026-11-23 09:15 IST, a Monday
_WEEK: Final = 7
_FRIDAY: Final = 4
_FOLDER: Final = ROOT / ".data" / "bench-persister"
_DATABASE: Final = "bench"
_PROGRESS: Final = "progress"
_CACHE_GB: Final = 1
_LOADING_CACHE_GB: Final = 8
_SHUT_DOWN_SECS: Final = 300


def opening_times() -> list[int]:
    """Opening time of each day in epoch ms, oldest first; Mondays to Fridays."""
    times: list[int] = []
    at, weekday = _LAST_OPEN_MS, 0
    while len(times) < DAYS:
        if weekday <= _FRIDAY:
            times.append(at)
        at, weekday = at - DAY_MS, (weekday - 1) % _WEEK
    return times[::-1]


def keys() -> list[str]:
    """Instrument keys of the length of a share's key."""
    return [f"NSE_EQ|INE{n:06d}010" for n in range(INSTRUMENTS)]


class _Template:
    """The bytes of an instrument's bar, in which only the values that differ are replaced."""

    def __init__(self, key: str) -> None:
        bar = Bar(
            key=key, start=1_700_000_000_000, open=1.0, high=1.0, low=1.0, close=1.0, ltq=25,
            ltt=1_700_000_000_000, volume=1 << 40, vtt=1 << 40, atp=1.0, oi=None, ticks=280,
            state=BarState.COMPLETE, silent_ms=0, epoch=1_795_000_000_000,
        )  # fmt: skip
        self._data = bson.encode(bar_document(bar))
        self._id_at = self._data.index(b"|1700000000000\0") + 1
        self._at = {}
        for name, kind in (
            ("start", b"\x09"), ("ltt", b"\x09"), ("volume", b"\x12"), ("vtt", b"\x12"),
            ("open", b"\x01"), ("high", b"\x01"), ("low", b"\x01"), ("close", b"\x01"),
            ("atp", b"\x01"),
        ):  # fmt: skip
            element = kind + name.encode() + b"\0"
            self._at[name] = self._data.index(element) + len(element)

    def bar(self, start: int, price: float, width: float, volume: int, total: int) -> bytes:
        data = bytearray(self._data)
        at = self._at
        data[self._id_at : self._id_at + 13] = b"%d" % start
        struct.pack_into("<q", data, at["start"], start)
        struct.pack_into("<q", data, at["ltt"], start + WINDOW_MS - 400)
        struct.pack_into("<q", data, at["volume"], volume)
        struct.pack_into("<q", data, at["vtt"], total)
        struct.pack_into("<d", data, at["open"], price)
        struct.pack_into("<d", data, at["high"], price + 2 * width)
        struct.pack_into("<d", data, at["low"], price - width)
        struct.pack_into("<d", data, at["close"], price + width)
        struct.pack_into("<d", data, at["atp"], price + 0.35)
        return bytes(data)


def _windows() -> Iterator[tuple[int, int]]:
    """Start of each window, and its number within the day."""
    for opens_ms in opening_times():
        for number in range(WINDOWS):
            yield opens_ms + number * WINDOW_MS, number


def _store(url: str, stopping: Event) -> None:
    rng = random.Random(1)
    templates = [_Template(key) for key in keys()]
    steps = [round(rng.gauss(0, 2), 2) for _ in range(4_096)]
    client: MongoClient[Document] = MongoClient(url, w=1, journal=False)
    with client, ThreadPoolExecutor(2) as pool:
        db: Any = client[_DATABASE]
        stored = {row["_id"] for row in db[_PROGRESS].find()}

        def store(window: tuple[int, int]) -> None:
            if stopping.is_set():
                return
            start, number = window
            rows = []
            for n, template in enumerate(templates):
                at = start // WINDOW_MS * 31 + n * 17
                price = 400.0 + n + steps[at % 4_096]
                width = abs(steps[(at + 7) % 4_096])
                volume = 1_000 + at % 90_000
                row = template.bar(start, price, width, volume, volume * (number + 1))
                rows.append(RawBSONDocument(row))
            db.command(
                {
                    "insert": BARS, "documents": rows, "ordered": False,
                    "bypassDocumentValidation": True,
                },
                write_concern=db.write_concern,
            )  # fmt: skip
            db[_PROGRESS].insert_one({"_id": start})

        missing = [window for window in _windows() if window[0] not in stored]
        results = pool.map(store, missing)
        for _ in track(results, "bars", total=len(missing), disable=not missing):
            pass
        print(f"{db[_PROGRESS].count_documents({})} of {DAYS * WINDOWS} windows")


@asynccontextmanager
async def _mongod(cache_gb: int, *, transactions: bool) -> AsyncIterator[str]:
    """Run a mongod on the folder; yields its address."""
    _FOLDER.mkdir(parents=True, exist_ok=True)
    (port,) = free_ports(1)
    command = [
        str(mongod_program()), "--bind_ip", HOST, "--port", str(port), "--dbpath", str(_FOLDER),
        "--nounixsocket", "--quiet", "--wiredTigerCacheSizeGB", str(cache_gb),
        "--setParameter", "diagnosticDataCollectionEnabled=false",
    ]  # fmt: skip
    url = f"mongodb://{HOST}:{port}/"
    if transactions:  # the persister needs them, and they make loading slower
        command += ["--replSet", REPLICA_SET, "--oplogSize", "64"]
        url = mongo_url(port)
    server = Daemon(command, port, {})
    try:
        await asyncio.to_thread(server.start)
        if transactions:
            await asyncio.to_thread(make_replica_set, port)
        yield url
        await asyncio.to_thread(_shut_down, url, server.pid)
    finally:
        await asyncio.to_thread(server.close)


def _shut_down(url: str, pid: int) -> None:
    """Shut down cleanly, which writes all data in memory and may take a while."""
    process = psutil.Process(pid)
    with MongoClient[Document](url) as client, suppress(AutoReconnect):
        client.admin.command("shutdown")
    process.wait(_SHUT_DOWN_SECS)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Mongo]:
    settings = MongoSettings.model_validate(
        {"url": url, "database": _DATABASE, "timeout_ms": 600_000}
    )
    async with connect_mongo(settings, Readiness("bench")) as mongo:
        yield mongo


async def load(secs: float) -> None:
    """Store the missing bars, for at most `secs` seconds."""
    stopping = Event()
    async with _mongod(_LOADING_CACHE_GB, transactions=True) as url, _connected(url) as mongo:
        await BarStore(mongo).prepare()
    # With all data in memory each page is written once, instead of again and again.
    async with _mongod(_LOADING_CACHE_GB, transactions=False) as url:
        asyncio.get_running_loop().call_later(secs, stopping.set)
        try:
            await asyncio.to_thread(_store, url, stopping)
        finally:
            stopping.set()


@asynccontextmanager
async def _persister(nats: NatsServer, mongo_url: str) -> AsyncIterator[Bus]:
    """Run a persister process; yields a gateway's connection to the bus."""
    settings = NatsSettings.model_validate({"url": nats.url})
    environment = {
        "TRADEDAD_NATS_URL": nats.url,
        "TRADEDAD_MONGO_URL": mongo_url,
        "TRADEDAD_MONGO_DATABASE": _DATABASE,
        "TRADEDAD_PERSISTER_NATS_PASSWORD": PASSWORD,
        "TRADEDAD_PERSISTER_REPAIR": "false",
        # Months that Upstox has delivered are remembered as complete; these never were.
        "TRADEDAD_PERSISTER_HISTORY": "false",
        "TRADEDAD_PERSISTER_MASTER_URL": f"http://{HOST}:9/none",
    }
    async with connect_bus(
        settings, user="ingest", password=PASSWORD, readiness=Readiness("bench")
    ) as bus:
        await ensure_ticks_stream(bus, max_age_secs=600, max_bytes=1 << 24)
    async with (
        service_process("persister", environment),
        connect_bus(
            settings, user="gateway", password=PASSWORD, readiness=Readiness("bench")
        ) as gateway_bus,
    ):
        yield gateway_bus


async def _durations_ms(bus: Bus, requests: list[BarsRequest]) -> list[float]:
    """Milliseconds from each request to its answer, in the bytes that a gateway passes on."""
    clock = SystemClock()
    durations_ms = []
    for request in requests:
        started = time.perf_counter()
        data = await send_request_encoded(bus, clock, HISTORY_BARS, request, timeout_secs=10)
        durations_ms.append((time.perf_counter() - started) * 1_000)
        reply = msgspec.json.decode(data, type=BarsReply)
        assert len(reply.bars) == MONTH_DAYS * WINDOWS
    return durations_ms


def _months(count: int, seed: int) -> list[BarsRequest]:
    """Requests for random months of random instruments."""
    rng = random.Random(seed)
    all_keys = keys()
    days = opening_times()
    requests = []
    for _ in range(count):
        first = rng.randrange(DAYS - MONTH_DAYS)
        until = days[first + MONTH_DAYS - 1] + 400 * MINUTE_MS
        key = rng.choice(all_keys)
        requests.append(BarsRequest(key=key, from_ms=days[first], to_ms=until, limit=MAX_BARS))
    return requests


async def month_query_ms() -> dict[str, float]:
    """Time from a request for a month of an instrument over the bus to its answer."""
    await load(secs=1e9)
    async with _mongod(_CACHE_GB, transactions=True) as url:
        with run_nats() as nats:
            async with _persister(nats, url) as bus:
                await _durations_ms(bus, _months(WARM_UP, seed=1))
                durations_ms = sorted(await _durations_ms(bus, _months(QUERIES, seed=2)))
        async with _connected(url) as mongo:
            stored = await mongo.db.get_collection(BARS).estimated_document_count()
            stats = await mongo.db.command("collStats", BARS)
    return {
        "month_query_p50_ms": durations_ms[len(durations_ms) // 2],
        "month_query_p99_ms": durations_ms[len(durations_ms) * 99 // 100],
        "month_query_max_ms": durations_ms[-1],
        "bars_stored": float(stored),
        "mib_on_disk": (stats["storageSize"] + stats["totalIndexSize"]) / (1 << 20),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the database of the benchmark.")
    parser.add_argument("--secs", type=float, default=1e9, help="stop after this many seconds")
    asyncio.run(load(parser.parse_args().secs))
