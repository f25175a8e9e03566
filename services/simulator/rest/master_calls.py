"""The instruments master as files, as on Upstox's assets host."""

import asyncio
import gzip
import json
from collections.abc import Callable, Sequence
from typing import Final

from aiohttp import web

from services.simulator.market.instruments import ListedInstrument
from services.simulator.rest.master import Row, rows

_SELECTS: Final[dict[str, Callable[[Row], bool]]] = {
    "complete": lambda _: True,
    "NSE": lambda row: bool(row["exchange"] == "NSE"),
    "BSE": lambda row: bool(row["exchange"] == "BSE"),
    "MCX": lambda row: bool(row["exchange"] == "MCX"),
    "MTF": lambda row: "mtf_enabled" in row,
}


class MasterCalls:
    """Files that are made when they are first asked for, and kept."""

    def __init__(self, instruments: Sequence[ListedInstrument]) -> None:
        self._instruments = instruments
        self._files: dict[str, bytes] = {}

    def routes(self) -> list[web.RouteDef]:
        """The path of all files; nobody asks for a token there."""
        return [web.get("/market-quote/instruments/exchange/{name}.json.gz", self.file)]

    async def file(self, request: web.Request) -> web.Response:
        """A gzip file of JSON. Raises HTTPNotFound for a name that there is none of."""
        name = request.match_info["name"]
        if name not in _SELECTS:
            raise web.HTTPNotFound
        if name not in self._files:
            # With thousands of instruments it would hold up the feed.
            self._files[name] = await asyncio.to_thread(_packed, name, self._instruments)
        return web.Response(body=self._files[name], content_type="application/gzip")


def _packed(name: str, instruments: Sequence[ListedInstrument]) -> bytes:
    chosen = [row for row in rows(instruments) if _SELECTS[name](row)]
    return gzip.compress(json.dumps(chosen).encode(), mtime=0)
