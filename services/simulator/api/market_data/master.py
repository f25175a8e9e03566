"""The instrument master files, with the paths of Upstox's assets host."""

import asyncio
import gzip
import json
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web

from services.simulator.market.instruments import ListedInstrument
from services.simulator.market_data.instrument_master import MasterRow, master_rows

_FILTERS: Final[dict[str, Callable[[MasterRow], bool]]] = {
    "complete": lambda _: True,
    "NSE": lambda row: bool(row["exchange"] == "NSE"),
    "BSE": lambda row: bool(row["exchange"] == "BSE"),
    "MCX": lambda row: bool(row["exchange"] == "MCX"),
    "MTF": lambda row: "mtf_enabled" in row,
}


class InstrumentMasterRoutes:
    """Serves the files; each is created on its first request and cached."""

    def __init__(self, instruments: Sequence[ListedInstrument]) -> None:
        self._instruments = instruments
        self._files: dict[str, bytes] = {}

    def routes(self) -> list[web.RouteDef]:
        """The route of all files; it requires no token."""
        return [web.get("/market-quote/instruments/exchange/{name}.json.gz", self.file)]

    async def file(self, request: web.Request) -> web.Response:
        """A gzip file of JSON. Raises HTTPNotFound for an unknown name."""
        name = request.match_info["name"]
        if name not in _FILTERS:
            raise web.HTTPNotFound
        if name not in self._files:
            # In a thread, because thousands of instruments would delay the feed.
            self._files[name] = await asyncio.to_thread(_compressed, name, self._instruments)
        return web.Response(body=self._files[name], content_type="application/gzip")


def _compressed(name: str, instruments: Sequence[ListedInstrument]) -> bytes:
    rows = [row for row in master_rows(instruments) if _FILTERS[name](row)]
    return gzip.compress(json.dumps(rows).encode(), mtime=0)
