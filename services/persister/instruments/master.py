"""Loads Upstox's instruments master once a day, as a stream: it is never whole in memory."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Final

import aiohttp
import ijson
import msgspec
from pymongo.errors import PyMongoError

from services.persister import metrics
from services.persister.instruments.instrument_store import InstrumentStore
from services.persister.instruments.search_rank import search_rank, words_of
from services.persister.settings import PersisterSettings
from shared.contracts.instruments import Instrument
from shared.errors import Unavailable
from shared.market.exchange_time import ist_date
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_PUBLISHED: Final = timedelta(hours=6, minutes=15)
_AT_ONCE: Final = 500
_CHUNK_BYTES: Final = 1 << 16
_TIMEOUT: Final = aiohttp.ClientTimeout(total=600, sock_connect=10, sock_read=30)
_GZIP: Final = b"\x1f\x8b"


class MasterRow(msgspec.Struct):
    """What we use of a row; of what does not apply the key is missing."""

    instrument_key: str
    segment: str
    exchange: str
    instrument_type: str
    trading_symbol: str
    name: str = ""
    short_name: str = ""
    exchange_token: str = ""
    isin: str | None = None
    lot_size: int | None = None
    tick_size: float | None = None
    """Paise."""
    freeze_quantity: float | None = None
    expiry: int | None = None
    """Epoch ms."""
    strike_price: float | None = None
    underlying_key: str | None = None
    underlying_symbol: str | None = None
    mtf_enabled: bool = False


def instrument_of(row: MasterRow) -> Instrument:
    """A row in our own terms."""
    is_option = row.instrument_type in ("CE", "PE")
    return Instrument(
        key=row.instrument_key,
        symbol=row.trading_symbol,
        name=row.name or row.short_name or row.trading_symbol,
        segment=row.segment,
        exchange=row.exchange,
        type=row.instrument_type,
        isin=row.isin,
        lot_size=row.lot_size,
        tick_size=None if row.tick_size is None else row.tick_size / 100,
        freeze_quantity=row.freeze_quantity,
        expiry=None if row.expiry is None else ist_date(row.expiry).isoformat(),
        strike=row.strike_price if is_option else None,
        underlying_key=row.underlying_key,
        underlying_symbol=row.underlying_symbol,
    )


class Unzipped:
    """The bytes of a response, unzipped if they are gzip, as ijson reads them."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._content = response.content
        self._gzip: Any = None
        self._is_first = True

    async def read(self, size: int) -> bytes:
        """The next bytes, none at the end. Raises Unavailable if the file is cut short."""
        if size == 0:  # ijson asks what it will get
            return b""
        while chunk := self._left() or await self._content.read(_CHUNK_BYTES):
            if self._is_first:
                self._is_first = False
                if chunk.startswith(_GZIP):
                    self._gzip = zlib.decompressobj(wbits=31)
            if self._gzip is None:
                return chunk
            # However much a chunk holds, never more of it at a time.
            if data := self._gzip.decompress(chunk, _CHUNK_BYTES):
                return bytes(data)
        if self._gzip is not None and not self._gzip.eof:
            raise Unavailable("the file ends too early")
        return b""

    def _left(self) -> bytes:
        return b"" if self._gzip is None else bytes(self._gzip.unconsumed_tail)


class Master:
    """Work for the leader: sees to it that the stored instruments are of today."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        instruments: InstrumentStore,
        settings: PersisterSettings,
        clock: Clock,
    ) -> None:
        self._http = http
        self._instruments = instruments
        self._url = settings.master_url
        self._check_secs = settings.master_check_secs
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled; what goes wrong is tried again at the next check."""
        while True:
            try:
                await self._instruments.prepare()
                day = self._day()
                if await self._instruments.loaded(self._url) != day:
                    await self.load(day)
            except (
                aiohttp.ClientError, TimeoutError, PyMongoError, Unavailable, zlib.error,
                ijson.JSONError,
            ) as error:  # fmt: skip
                log.warning("instruments master not loaded", url=self._url, error=repr(error))
            await asyncio.sleep(self._check_secs)

    def _day(self) -> str:
        """The day whose master is out."""
        return ist_date(self._clock.now_ms() - int(_PUBLISHED.total_seconds() * 1_000)).isoformat()

    async def load(self, day: str) -> None:
        """Store the master as that of `day`. Raises what `run` expects, Unavailable if the
        master looks like half of one."""
        before = await self._instruments.count()
        keys: set[str] = set()
        underlyings: set[str] = set()
        shares: dict[str, MasterRow] = {}
        batch: list[MasterRow] = []
        async for row in self._rows():
            keys.add(row.instrument_key)
            if row.underlying_key is not None:
                underlyings.add(row.underlying_key)
            batch.append(row)
            if len(batch) == _AT_ONCE:
                await self._write(batch, underlyings)
                shares |= _may_rise(batch, underlyings)
                batch = []
        await self._write(batch, underlyings)
        shares |= _may_rise(batch, underlyings)
        if len(keys) < before // 2:
            raise Unavailable(f"the master has {len(keys)} instruments, and had {before}")
        # Those whose derivatives came after them in the file.
        late = [row for key, row in shares.items() if key in underlyings]
        for at in range(0, len(late), _AT_ONCE):
            await self._write(late[at : at + _AT_ONCE], underlyings)
        gone = await self._instruments.finish(self._url, day, keys)
        metrics.INSTRUMENTS.set(len(keys))
        log.info("instruments master loaded", day=day, instruments=len(keys), gone=gone)

    async def _rows(self) -> AsyncIterator[MasterRow]:
        bad = 0
        async with self._http.get(self._url, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            async for raw in ijson.items_async(Unzipped(response), "item", use_float=True):
                try:
                    yield msgspec.convert(raw, MasterRow, strict=False)
                except msgspec.ValidationError as error:
                    bad += 1
                    if bad == 1:
                        log.warning("a row of the master cannot be read", error=str(error))
        if bad:
            log.warning("rows of the master were passed over", rows=bad)

    async def _write(self, rows: list[MasterRow], underlyings: set[str]) -> None:
        made = []
        for row in rows:
            instrument = instrument_of(row)
            rank = search_rank(
                instrument,
                has_derivatives=instrument.key in underlyings,
                can_margin=row.mtf_enabled,
            )
            words = words_of(instrument, row.short_name, row.exchange_token)
            made.append((instrument, rank, words))
        await self._instruments.write(made)


def _may_rise(rows: list[MasterRow], underlyings: set[str]) -> dict[str, MasterRow]:
    """Those of which a derivative may still come."""
    kinds = ("EQ", "INDEX")
    return {
        row.instrument_key: row
        for row in rows
        if row.instrument_type in kinds and row.instrument_key not in underlyings
    }
