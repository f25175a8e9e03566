"""The way from a simulated Upstox to MongoDB as processes, each of which can be killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import IO, Any, Final

import aiohttp
import psutil
from yarl import URL

from embedded.daemons import ROOT
from embedded.ports import HOST, free_ports
from shared.contracts.subjects import ALL_QUOTES
from shared.market.exchange_time import WINDOW_MS, window_start
from shared.runtime.health import Readiness
from shared.runtime.mongo import Mongo, connect_mongo
from shared.runtime.settings import MongoSettings
from tests.support.builders import MONDAY_10_00
from tests.support.servers import PASSWORD, NatsServer
from tests.support.waiting import eventually

TOKEN: Final = "simulated-token"
KEYS: Final = (
    "NSE_EQ|INE002A01018", "NSE_EQ|INE467B01029", "NSE_EQ|INE040A01034", "NSE_EQ|INE009A01021",
    "NSE_EQ|INE090A01021", "NSE_INDEX|Nifty 50",
)  # fmt: skip


class Process:
    """A service, with a log to read should a test fail."""

    def __init__(self, name: str, environment: dict[str, str]) -> None:
        self.name = name
        self._environment = environment
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    def start(self) -> None:
        self.starts += 1
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"services.{self.name}"],
            cwd=ROOT, env=self._environment, stdout=self._log, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def kill(self) -> None:
        """SIGKILL, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """SIGSTOP: its sockets stay open, it does nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: it does not know that time has passed."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    @property
    def rss_bytes(self) -> int:
        """Memory that it holds."""
        assert self._process is not None
        return int(psutil.Process(self._process.pid).memory_info().rss)

    def logged(self, event: str) -> list[dict[str, Any]]:
        """What it has logged under that name, over all its starts."""
        # Not by seeking: the process writes where the file stands.
        text = os.pread(self._log.fileno(), os.fstat(self._log.fileno()).st_size, 0)
        rows = [json.loads(line) for line in text.splitlines() if line.startswith(b"{")]
        return [row for row in rows if row.get("event") == event]

    def close(self) -> None:
        """End it, and show the end of its log, for the report of a test that failed."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.seek(0)
        print(f"--- {self.name}\n{self._log.read().decode()[-6_000:]}")
        self._log.close()


class Rig:
    """All of it, running; exchange time goes `speed` times as fast as ours."""

    def __init__(self, environment: dict[str, str], http: aiohttp.ClientSession) -> None:
        self._environment = environment
        self._http = http
        self._processes: list[Process] = []
        self.first_window = 0
        """The first window whose bars are watched; ingest has seen the whole one before it."""

    async def begin(self) -> Process:
        """Start ingest, and wait until it is live."""
        ingest = self.process("ingest")
        ingest.start()
        await self.live()
        self.first_window = window_start(await self.now_ms()) + 2 * WINDOW_MS
        return ingest

    async def live(self) -> None:
        """Wait until ingest's feed is live."""
        ready = f"http://{HOST}:{self._environment['TRADEDAD_INGEST_OPS_PORT']}/readyz"
        await self.answers(ready, what="ingest is live")

    async def status(self, url: str) -> int | None:
        """What a page answers with; None if there is none."""
        try:
            async with self._http.get(URL(url)) as response:
                return response.status
        except aiohttp.ClientError:
            return None

    async def answers(self, url: str, *, what: str, expected: int = 200) -> None:
        """Wait until a page answers so."""

        async def is_there() -> bool:
            return await self.status(url) == expected

        await eventually(is_there, what=what, timeout_secs=60)

    async def until_quotes_come(self, nats: NatsServer) -> int:
        """Exchange time when something comes over the bus."""
        observer = await nats.connect("observer")
        quotes = await observer.subscribe(ALL_QUOTES)
        await quotes.next_msg(timeout=60)
        await observer.close()
        return await self.now_ms()

    def process(self, name: str, **more: str) -> Process:
        """A service that is not started yet."""
        process = Process(name, self._environment | more)
        self._processes.append(process)
        return process

    async def get(self, call: str, **query: str) -> Any:
        """What the simulator answers of its own."""
        async with self._http.get(f"/simulator/v1/{call}", params=query) as response:
            response.raise_for_status()
            return await response.json()

    async def now_ms(self) -> int:
        """Exchange time."""
        clock = await self.get("clock")
        return int(clock["now_ms"])

    async def until(self, exchange_ms: int) -> None:
        """Wait until exchange time is that."""
        while await self.now_ms() < exchange_ms:
            await asyncio.sleep(0.05)

    async def trades(self, key: str) -> list[dict[str, Any]]:
        """Every trade of `key` so far."""
        rows: list[dict[str, Any]] = await self.get("trades", key=key)
        return rows

    def close(self) -> None:
        """End all processes."""
        for process in reversed(self._processes):
            process.close()


@asynccontextmanager
async def rig(
    nats: NatsServer, mongo_url: str, *, speed: float, keys: Sequence[str] = KEYS, **more: str
) -> AsyncIterator[tuple[Rig, Mongo]]:
    """A simulator that runs, and what is needed to start the rest."""
    port, *ops = free_ports(4)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        watchlist = Path(folder) / "watchlist.txt"
        watchlist.write_text("\n".join(keys))
        url = f"http://{HOST}:{port}"
        database = f"rig_{uuid.uuid4().hex[:12]}"
        environment = os.environ | {
            "TRADEDAD_NATS_URL": nats.url,
            "TRADEDAD_NATS_LEASE_TTL_SECS": "2",
            "TRADEDAD_NATS_CONNECT_TIMEOUT_SECS": "1",
            "TRADEDAD_NATS_PING_INTERVAL_SECS": "1",
            "TRADEDAD_NATS_REQUEST_TIMEOUT_SECS": "1",
            "TRADEDAD_MONGO_URL": mongo_url,
            "TRADEDAD_MONGO_DATABASE": database,
            "TRADEDAD_MONGO_TIMEOUT_MS": "2000",
            "TRADEDAD_INGEST_NATS_PASSWORD": PASSWORD,
            "TRADEDAD_INGEST_OPS_PORT": str(ops[0]),
            "TRADEDAD_INGEST_WATCHLIST_FILE": str(watchlist),
            "TRADEDAD_INGEST_MAX_AHEAD_SECS": "1e9",
            "TRADEDAD_PERSISTER_NATS_PASSWORD": PASSWORD,
            "TRADEDAD_PERSISTER_OPS_PORT": "0",
            "TRADEDAD_PERSISTER_REPAIR": "false",
            "TRADEDAD_PERSISTER_MASTER_URL": f"{url}/market-quote/instruments/exchange/NSE.json.gz",
            "TRADEDAD_SIMULATOR_PORT": str(port),
            "TRADEDAD_SIMULATOR_OPS_PORT": str(ops[1]),
            "TRADEDAD_SIMULATOR_SPEED": str(speed),
            "TRADEDAD_SIMULATOR_START_MS": str(MONDAY_10_00),
            # Not a part of a minute: frames hide trades on either side of a window's end. There
            # are as few trades and frames as hide many: the machine is not to be the fault.
            "TRADEDAD_SIMULATOR_TRADES_PER_SEC": "1",
            "TRADEDAD_SIMULATOR_FRAME_INTERVAL_MS": "1400",
            "TRADEDAD_SIMULATOR_CLIENT_QUEUE_FRAMES": "10000",
            "TRADEDAD_UPSTOX_API_URL": url,
            "TRADEDAD_UPSTOX_ACCESS_TOKEN": TOKEN,
            "TRADEDAD_LOG_FORMAT": "json",
            **more,
        }
        headers = {"Authorization": f"Bearer {TOKEN}"}
        http = await stack.enter_async_context(aiohttp.ClientSession(url, headers=headers))
        made = Rig(environment, http)
        stack.callback(made.close)
        made.process("simulator").start()
        await made.answers(f"{url}/simulator/v1/clock", what="the simulator answers")
        mongo = await stack.enter_async_context(
            connect_mongo(
                MongoSettings.model_validate({"url": mongo_url, "database": database}),
                Readiness("test"),
            )
        )
        yield made, mongo
