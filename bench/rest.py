"""How long a month of five-minute bars takes by REST, beside a plain handler that does it all.

``make bench-rest``. nats-server, mongod, the persister and the gateway are processes of their
own. The peer, in one more process, reads the same documents from the same MongoDB and answers
with `json.dumps`: no bus between, and nothing else that a gateway does.
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

from bench.form import report_lines
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
PER_DAY: Final = 75
REQUESTS: Final = 400
WARM_UP: Final = 40
AT_ONCE: Final = 4
FIRST_MS: Final = 1_793_590_500_000  # 2026-11-02 09:15 IST
DAY_MS: Final = 86_400_000
_START_SECS: Final = 30.0


def month() -> list[Bar]:
    """Prices with as many digits as real ones."""
    bars = []
    close = 1_400.0
    for number in range(DAYS * PER_DAY):
        start = FIRST_MS + number // PER_DAY * DAY_MS + number % PER_DAY * WINDOW_MS
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


async def peer(mongo_url: str, port: int) -> None:
    """The plain handler."""
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
    """A Python process, which ends with the block."""
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


class Door:
    """One server, asked again and again for the same month."""

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str, encoding: str) -> None:
        self._http = http
        self._url = f"{url}/v1/bars"
        self._headers = {"Authorization": f"Bearer {token}", "Accept-Encoding": encoding}
        self._query = {
            "key": KEY, "from": str(FIRST_MS), "to": str(FIRST_MS + DAYS * DAY_MS),
            "limit": "2000",
        }  # fmt: skip
        self.took_ms: list[float] = []

    async def ask(self) -> bytes:
        """The body, once it is all there."""
        async with self._http.get(self._url, params=self._query, headers=self._headers) as response:
            body = await response.read()
            if response.status != 200:
                raise RuntimeError(f"{response.status}: {body[:200]!r}")
            return body

    async def until_ready(self) -> None:
        """Wait for a whole month."""
        deadline = time.monotonic() + _START_SECS
        while True:
            try:
                if len(json.loads(await self.ask())["bars"]) == DAYS * PER_DAY:
                    return
            except (aiohttp.ClientError, RuntimeError):
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.1)

    async def measure(self, count: int) -> None:
        """Ask so many times, one after the other."""
        for _ in range(count):
            started = time.perf_counter()
            await self.ask()
            self.took_ms.append((time.perf_counter() - started) * 1_000)

    def quantile(self, share: float) -> float:
        """Milliseconds."""
        ordered = sorted(self.took_ms)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


async def measured(door: Door, *, at_once: int = 1) -> Door:
    """After some that do not count."""
    await door.until_ready()
    await door.measure(WARM_UP)
    door.took_ms.clear()
    await asyncio.gather(*(door.measure(REQUESTS // at_once) for _ in range(at_once)))
    return door


async def run() -> None:
    async with AsyncExitStack() as stack:
        nats = stack.enter_context(run_nats())
        mongo_server = stack.enter_context(run_mongo())
        issuer = await stack.enter_async_context(serve_issuer())
        settings = MongoSettings.model_validate({"url": mongo_server.url})
        async with connect_mongo(settings, Readiness("bench")) as mongo:
            await store_bars(mongo, month())
        port, peer_port, *ops = free_ports(4)
        common = {
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
        await stack.enter_async_context(process("services.persister", **common, **persister))
        await stack.enter_async_context(process("services.gateway", **common, **gateway))
        await stack.enter_async_context(
            process("bench.rest", "peer", mongo_server.url, str(peer_port))
        )
        http = await stack.enter_async_context(aiohttp.ClientSession())
        ours, plain = f"http://{HOST}:{port}", f"http://{HOST}:{peer_port}"
        token = issuer.token()
        single = await measured(Door(http, ours, token, "identity"))
        packed = await measured(Door(http, ours, token, "gzip"))
        beside = await measured(Door(http, plain, token, "identity"))
        several = await measured(Door(http, ours, token, "identity"), at_once=AT_ONCE)
        several_beside = await measured(Door(http, plain, token, "identity"), at_once=AT_ONCE)
        size = len(await single.ask())
    report_lines(
        "rest",
        {
            "month_rest_p50_ms": single.quantile(0.5),
            "month_rest_p99_ms": single.quantile(0.99),
            "month_rest_gzip_p99_ms": packed.quantile(0.99),
            "plain_p50_ms": beside.quantile(0.5),
            "plain_p99_ms": beside.quantile(0.99),
            "month_rest_4_at_once_p99_ms": several.quantile(0.99),
            "plain_4_at_once_p99_ms": several_beside.quantile(0.99),
            "month_bars": DAYS * PER_DAY,
            "month_bytes": size,
        },
    )


def main() -> None:
    """Measure and print; with `peer`, be the peer."""
    if sys.argv[1:2] == ["peer"]:
        asyncio.run(peer(sys.argv[2], int(sys.argv[3])))
    else:
        asyncio.run(run())


if __name__ == "__main__":
    main()
