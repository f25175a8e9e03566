"""Measures a month of five-minute bars over REST, compared with a minimal handler.

``make bench-rest``. nats-server, mongod, the persister and the gateway are processes of their
own. The minimal handler, in one more process, reads the same documents from the same MongoDB and
encodes them with `json.dumps`, without a bus, token or limits.
"""

import asyncio
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import aiohttp
from aiohttp import web
from pymongo import AsyncMongoClient

from bench.harness import report_lines
from embedded.ports import HOST, free_ports
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_time import WINDOW_MS, to_datetime
from shared.runtime.health import Readiness
from shared.runtime.mongo import connect_mongo
from shared.runtime.settings import MongoSettings
from tests.support.gateway.rest import store_bars
from tests.support.issuer import serve_issuer
from tests.support.servers import PASSWORD, run_mongo, run_nats

KEY: Final = "NSE_EQ|INE002A01018"
DAYS: Final = 22
BARS_PER_DAY: Final = 75
REQUESTS: Final = 400
WARM_UP: Final = 40
CONCURRENCY: Final = 4
FIRST_MS: Final = 1_793_590_500_000  # 2026-11-02 09:15 IST
DAY_MS: Final = 86_400_000
_START_SECS: Final = 30.0


def month() -> list[Bar]:
    """Return a month of bars, with prices of as many digits as real ones."""
    bars = []
    close = 1_400.0
    for number in range(DAYS * BARS_PER_DAY):
        start = FIRST_MS + number // BARS_PER_DAY * DAY_MS + number % BARS_PER_DAY * WINDOW_MS
        opened, close = close, round(close + math.sin(number * 1.7) * 1.35, 2)
        bars.append(
            Bar(
                key=KEY, start=start, open=opened, high=round(max(opened, close) + 0.85, 2),
                low=round(min(opened, close) - 0.65, 2), close=close, ltq=25, ltt=start + 299_000,
                volume=100_000 + number * 37, vtt=5_000_000 + number, atp=close, oi=None,
                ticks=240, state=BarState.COMPLETE, silent_ms=0, epoch=1,
            )
        )  # fmt: skip
    return bars


async def serve_minimal(mongo_url: str, port: int) -> None:
    """Serve the minimal handler until the process is terminated."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_url, tz_aware=True)
    bars = client.get_database("tradedad").get_collection("bars_5m")

    async def answer(request: web.Request) -> web.Response:
        span = {
            "$gte": to_datetime(int(request.query["from"])),
            "$lt": to_datetime(int(request.query["to"])),
        }
        rows = await bars.find({"key": request.query["key"], "start": span}).sort("start").to_list()
        for row in rows:
            row["start"] = int(row["start"].timestamp() * 1_000)
            row["ltt"] = int(row["ltt"].timestamp() * 1_000)
        return web.json_response({"bars": rows})

    site = web.Application()
    site.add_routes([web.get("/v1/bars", answer)])
    runner = web.AppRunner(site)
    await runner.setup()
    await web.TCPSite(runner, HOST, port).start()
    await asyncio.Event().wait()


@asynccontextmanager
async def process(*arguments: str, **environment: str) -> AsyncIterator[None]:
    """Run a Python module in a process that is terminated at the end of the block."""
    with tempfile.TemporaryFile() as log:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *arguments, stdout=log, stderr=log,
            env={k: v for k, v in os.environ.items() if not k.startswith("TRADEDAD_")}
            | environment,
        )  # fmt: skip
        try:
            yield
        except BaseException:
            log.seek(0)
            print(log.read().decode()[-3_000:], file=sys.stderr)
            raise
        finally:
            child.terminate()
            await child.wait()


class Endpoint:
    """One server, from which the same month is requested repeatedly."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str, encoding: str) -> None:
        self._http = http
        self._url = f"{url}/v1/bars"
        self._headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": encoding}
        self._query = {
            "key": KEY, "from": str(FIRST_MS), "to": str(FIRST_MS + DAYS * DAY_MS),
            "limit": "2000",
        }  # fmt: skip
        self.latencies_ms: list[float] = []

    async def fetch(self) -> bytes:
        """Request the month and return the whole body."""
        async with self._http.get(self._url, params=self._query, headers=self._headers) as response:
            body = await response.read()
            if response.status != 200:
                raise RuntimeError(f"{response.status}: {body[:200]!r}")
            return body

    async def wait_ready(self) -> None:
        """Wait until the server answers with the whole month."""
        deadline = time.monotonic() + _START_SECS
        while True:
            try:
                if len(json.loads(await self.fetch())["bars"]) == DAYS * BARS_PER_DAY:
                    return
            except (aiohttp.ClientError, RuntimeError):
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.1)

    async def measure(self, count: int) -> None:
        """Request the month `count` times, one after the other."""
        for _ in range(count):
            started = time.perf_counter()
            await self.fetch()
            self.latencies_ms.append((time.perf_counter() - started) * 1_000)

    def quantile(self, share: float) -> float:
        """Return a quantile of the latencies, in milliseconds."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


async def measured(endpoint: Endpoint, *, concurrency: int = 1) -> Endpoint:
    """Measure an endpoint after some requests that do not count."""
    await endpoint.wait_ready()
    await endpoint.measure(WARM_UP)
    endpoint.latencies_ms.clear()
    await asyncio.gather(*(endpoint.measure(REQUESTS // concurrency) for _ in range(concurrency)))
    return endpoint


async def run() -> None:
    async with AsyncExitStack() as stack:
        nats = stack.enter_context(run_nats())
        mongo_server = stack.enter_context(run_mongo())
        issuer = await stack.enter_async_context(serve_issuer())
        settings = MongoSettings.model_validate({"url": mongo_server.url})
        async with connect_mongo(settings, Readiness("bench")) as mongo:
            await store_bars(mongo, month())
        port, peer_port, *ops = free_ports(4)
        environment = {
            "TRADEDAD_NATS_URL": nats.url,
            "TRADEDAD_MONGO_URL": mongo_server.url,
            "TRADEDAD_TOKEN_JWKS_URL": issuer.settings.jwks_url,
        }
        persister = {
            "TRADEDAD_PERSISTER_NATS_PASSWORD": PASSWORD,
            "TRADEDAD_PERSISTER_OPS_PORT": str(ops[0]),
            "TRADEDAD_PERSISTER_MASTER_URL": f"http://{HOST}:9/none",
            "TRADEDAD_PERSISTER_REPAIR": "false",
        }
        gateway = {
            "TRADEDAD_GATEWAY_NATS_PASSWORD": PASSWORD,
            "TRADEDAD_GATEWAY_PORT": str(port),
            "TRADEDAD_GATEWAY_OPS_PORT": str(ops[1]),
            "TRADEDAD_GATEWAY_REQUESTS_BURST": "1000000",
            "TRADEDAD_GATEWAY_ADDRESS_REQUESTS_BURST": "1000000",
        }
        await stack.enter_async_context(process("services.persister", **environment, **persister))
        await stack.enter_async_context(process("services.gateway", **environment, **gateway))
        await stack.enter_async_context(
            process("bench.rest", "minimal", mongo_server.url, str(peer_port))
        )
        http = await stack.enter_async_context(aiohttp.ClientSession())
        gateway_url, minimal_url = f"http://{HOST}:{port}", f"http://{HOST}:{peer_port}"
        token = issuer.token()
        single = await measured(Endpoint(http, gateway_url, token, "identity"))
        compressed = await measured(Endpoint(http, gateway_url, token, "gzip"))
        minimal = await measured(Endpoint(http, minimal_url, token, "identity"))
        concurrent = await measured(
            Endpoint(http, gateway_url, token, "identity"), concurrency=CONCURRENCY
        )
        concurrent_minimal = await measured(
            Endpoint(http, minimal_url, token, "identity"), concurrency=CONCURRENCY
        )
        size = len(await single.fetch())
    report_lines(
        "rest",
        {
            "month_rest_p50_ms": single.quantile(0.5),
            "month_rest_p99_ms": single.quantile(0.99),
            "month_rest_gzip_p99_ms": compressed.quantile(0.99),
            "plain_p50_ms": minimal.quantile(0.5),
            "plain_p99_ms": minimal.quantile(0.99),
            "month_rest_4_at_once_p99_ms": concurrent.quantile(0.99),
            "plain_4_at_once_p99_ms": concurrent_minimal.quantile(0.99),
            "month_bars": DAYS * BARS_PER_DAY,
            "month_bytes": size,
        },
    )


def main() -> None:
    """Run the benchmark; with `minimal`, serve the minimal handler."""
    if sys.argv[1:2] == ["minimal"]:
        asyncio.run(serve_minimal(sys.argv[2], int(sys.argv[3])))
    else:
        asyncio.run(run())


if __name__ == "__main__":
    main()
