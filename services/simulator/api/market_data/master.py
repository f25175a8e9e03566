"""The instrument master files, with the paths of Upstox's assets host."""

import asyncio
import gzip
import json
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple

from aiohttp import hdrs, web

from services.simulator.market.instruments import ListedInstrument
from services.simulator.market_data.instrument_master import MasterRow, master_rows

_FILTERS: Final[dict[str, Callable[[MasterRow], bool]]] = {
    "complete": lambda _: True,
    "NSE": lambda row: bool(row["exchange"] == "NSE"),
    "BSE": lambda row: bool(row["exchange"] == "BSE"),
    "MCX": lambda row: bool(row["exchange"] == "MCX"),
    "MTF": lambda row: "mtf_enabled" in row,
}


class _File(NamedTuple):
    """A compressed file with the hash of its bytes."""

    body: bytes
    etag: str


class InstrumentMasterRoutes:
    """Serves the files; each is created on its first request and cached."""

    def __init__(self, instruments: Sequence[ListedInstrument]) -> None:
        self._instruments = instruments
        self._files: dict[str, _File] = {}

    def routes(self) -> list[web.RouteDef]:
        """The route of all files; it requires no token."""
        return [web.get("/market-quote/instruments/exchange/{name}.json.gz", self.file)]

    async def file(self, request: web.Request) -> web.Response:
        """A gzip file of JSON, or 304 if the client has it. Raises HTTPNotFound for an unknown name."""
        name = request.match_info["name"]
        if name not in _FILTERS:
            raise web.HTTPNotFound
        if name not in self._files:
            # In a thread, because thousands of instruments would delay the feed.
            self._files[name] = await asyncio.to_thread(_compressed, name, self._instruments)
        file = self._files[name]
        headers = {hdrs.ETAG: f'"{file.etag}"'}
        if any(known.value in (file.etag, "*") for known in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=file.body, content_type="application/gzip", headers=headers)


def _compressed(name: str, instruments: Sequence[ListedInstrument]) -> _File:
    rows = [row for row in master_rows(instruments) if _FILTERS[name](row)]
    body = gzip.compress(json.dumps(rows).encode(), mtime=0)
    return _File(body, blake2b(body, digest_size=16).hexdigest())
