"""Masters of instruments: files, a server for them, and a loader with a clock that a test sets."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from services.persister.instruments.instrument_store import InstrumentStore
from services.persister.instruments.master_loader import MasterLoader
from services.persister.settings import PersisterSettings
from shared.runtime.mongo import Mongo
from tests.support.builders import MONDAY_10_00
from tests.support.servers import PASSWORD


class MasterServer:
    """Serves one master file after another."""

    def __init__(self) -> None:
        self.file: bytes | None = None
        self.validator: dict[str, str] = {}
        """The header with the file's ETag or Last-Modified, if any."""
        self.status = 200
        self.answers_304 = True
        self.withholds_body = False
        """Whether the answer ends after the headers, and its connection stays open."""
        self.requests = 0
        self.conditions: list[str] = []
        """Each condition that was sent."""
        self.bodies = 0
        self.after_body: Callable[[], None] | None = None
        """Called once, after the next body."""
        self.url = ""

    async def get(self, request: web.Request) -> web.StreamResponse:
        self.requests += 1
        if self.file is None:
            raise web.HTTPServiceUnavailable
        known = request.headers.get("If-None-Match") or request.headers.get("If-Modified-Since")
        if known is not None:
            self.conditions.append(known)
            if self.answers_304 and known in self.validator.values():
                return web.Response(status=304, headers=self.validator)
        if self.withholds_body:
            return await self._headers_only(request, len(self.file))
        self.bodies += 1
        response = web.Response(status=self.status, body=self.file, headers=self.validator)
        if self.after_body is not None:
            self.after_body()
            self.after_body = None
        return response

    async def _headers_only(self, request: web.Request, size: int) -> web.StreamResponse:
        """Answer without a body, until the client closes the connection."""
        response = web.StreamResponse(headers=self.validator | {"Content-Length": str(size)})
        await response.prepare(request)
        while request.transport is not None:
            await asyncio.sleep(0.01)
        return response


@asynccontextmanager
async def master_server() -> AsyncIterator[MasterServer]:
    server = MasterServer()
    app = web.Application()
    app.router.add_get("/complete.json.gz", server.get)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/complete.json.gz"
    try:
        yield server
    finally:
        await runner.cleanup()


def row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "instrument_key": f"NSE_EQ|{number}", "segment": "NSE_EQ", "exchange": "NSE",
        "instrument_type": "EQ", "trading_symbol": f"SYM{number}", "name": f"COMPANY {number}",
        "lot_size": 1, "tick_size": 5.0,
    } | more  # fmt: skip


def zipped(rows: list[dict[str, Any]]) -> bytes:
    return gzip.compress(json.dumps(rows).encode(), compresslevel=1)


class SteppedClock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.at_ms = MONDAY_10_00
        self.reads = 0

    def now_ms(self) -> int:
        self.reads += 1
        return self.at_ms

    def now_us(self) -> int:
        return self.at_ms * 1_000

    def monotonic(self) -> float:
        return self.at_ms / 1_000

    async def sleep(self, secs: float) -> None:
        await asyncio.sleep(secs)


@asynccontextmanager
async def loading(
    mongo: Mongo, server: MasterServer, clock: SteppedClock, **options: Any
) -> AsyncIterator[MasterLoader]:
    settings = PersisterSettings.model_validate(
        {"nats_password": PASSWORD, "master_url": server.url, "master_check_secs": 0.05} | options
    )
    async with aiohttp.ClientSession() as http:
        yield MasterLoader(http, InstrumentStore(mongo), settings, clock)
