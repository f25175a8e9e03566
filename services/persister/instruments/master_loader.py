"""Loads Upstox's instruments master once a day, as a stream that is never whole in memory."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Final, Protocol

import aiohttp
import ijson
import msgspec
from pymongo.errors import PyMongoError

from services.persister import metrics
from services.persister.instruments.master_acceptance import (
    MasterRecord,
    Refusal,
    is_lasting,
    with_refusal,
)
from services.persister.instruments.master_rows import (
    MasterFile,
    MasterRow,
    instrument_from_row,
    master_row,
)
from services.persister.instruments.search_rank import search_rank, search_words
from services.persister.settings import PersisterSettings
from shared.contracts.instruments import Instrument
from shared.errors import Unavailable
from shared.market.exchange_time import IST, ist_date
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_PUBLISHED_AT: Final = timedelta(hours=6, minutes=15)
"""Time of day, IST, by which Upstox has published the day's master."""
_BATCH_ROWS: Final = 500
_MAX_EXCERPT_CHARS: Final = 200
_TIMEOUT: Final = aiohttp.ClientTimeout(total=600, sock_connect=10, sock_read=30)


class MasterStore(Protocol):
    """Stores instruments. All methods raise PyMongoError while the database is unavailable."""

    async def prepare(self) -> None:
        """Create the collection, or bring it up to date."""
        ...

    async def master(self) -> MasterRecord:
        """The master that the stored instruments are of."""
        ...

    async def record_refusal(self, refusals: Sequence[Refusal]) -> None:
        """Replace the list of refused masters."""
        ...

    async def count(self) -> int:
        """Number of stored instruments."""
        ...

    async def begin(self, url: str) -> None:
        """Record that a master of this address is being stored."""
        ...

    async def write(self, rows: Iterable[tuple[Instrument, int, list[str]]]) -> None:
        """Add or change instruments, each with its rank and words."""
        ...

    async def finish(self, url: str, day: str, keys: set[str]) -> int:
        """Record the master of `day` as stored; delete instruments not in `keys`."""
        ...


class MasterLoader:
    """Work of the leader: loads each day's master once."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        store: MasterStore,
        settings: PersisterSettings,
        clock: Clock,
    ) -> None:
        self._http = http
        self._store = store
        self._url = settings.master_url
        self._check_secs = settings.master_check_secs
        self._min_share = settings.master_min_share
        self._clock = clock

    async def run(self) -> None:
        """Load until cancelled. A load that fails is retried at the next check."""
        while True:
            try:
                await self._store.prepare()
                day = self._published_day()
                record = await self._store.master()
                _report_age(record.day)
                if (record.url, record.day) != (self._url, day):
                    await self.load(day)
            except (
                aiohttp.ClientError, TimeoutError, PyMongoError, Unavailable, zlib.error,
                ijson.JSONError,
            ) as error:  # fmt: skip
                metrics.MASTER_FAILURES.inc()
                log.warning("instruments master not loaded", url=self._url, error=repr(error))
            await asyncio.sleep(self._check_secs)

    def _published_day(self) -> str:
        """The day of the newest master that Upstox has published."""
        offset_ms = int(_PUBLISHED_AT.total_seconds() * 1_000)
        return ist_date(self._clock.now_ms() - offset_ms).isoformat()

    async def load(self, day: str) -> None:
        """Load the master and record it as that of `day`.

        The file is read twice: before a row is stored, all of it must have been read and accepted.
        Raises Unavailable if the file is truncated, empty or refused for its size, and the errors
        that `run` retries.
        """
        keys: set[str] = set()
        underlying_keys: set[str] = set()
        async for row in self._rows():
            keys.add(row.instrument_key)
            if row.underlying_key is not None:
                underlying_keys.add(row.underlying_key)
        await self._check_size(day, len(keys))
        await self._store.begin(self._url)
        batch: list[MasterRow] = []
        async for row in self._rows(is_first_time=False):
            keys.add(row.instrument_key)
            batch.append(row)
            if len(batch) == _BATCH_ROWS:
                await self._write(batch, underlying_keys)
                batch = []
        await self._write(batch, underlying_keys)
        deleted = await self._store.finish(self._url, day, keys)
        metrics.INSTRUMENTS.set(len(keys))
        _report_age(day)
        log.info("instruments master loaded", day=day, instruments=len(keys), deleted=deleted)

    async def _check_size(self, day: str, size: int) -> None:
        """Raises Unavailable, having recorded it, if a master of this size is refused.

        A master with another address than the last one may have any size, and so may one after a
        master that was not stored completely: the stored instruments are of more than one then.
        """
        if not size:
            raise Unavailable("the master has no instrument")
        record = await self._store.master()
        stored = await self._store.count()
        is_comparable = record.url == self._url and record.day != ""
        if size >= stored * self._min_share or not is_comparable:
            return
        refusals = with_refusal(record.refusals, Refusal(day, size))
        if is_lasting(refusals):
            log.warning("smaller master accepted after three days", size=size, stored=stored)
            return
        metrics.MASTER_REFUSALS.inc()
        await self._store.record_refusal(refusals)
        raise Unavailable(
            f"the master has {size} instruments after {stored}; it is accepted on the third day of"
            " about this size, or with a lower TRADEDAD_PERSISTER_MASTER_MIN_SHARE"
        )

    async def _rows(self, *, is_first_time: bool = True) -> AsyncIterator[MasterRow]:
        """The rows of the file. Rows with a field that is not valid are passed over.

        They are counted and logged the first time that the file is read.
        """
        skipped = 0
        async with self._http.get(self._url, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            file = MasterFile(response.content)
            # With `use_float` one integer of more than 64 bits would end the whole file.
            async for raw in ijson.items_async(file, "item"):
                try:
                    yield master_row(raw)
                except msgspec.ValidationError as error:
                    if not is_first_time:
                        continue
                    metrics.SKIPPED_MASTER_ROWS.inc()
                    skipped += 1
                    if skipped == 1:
                        log.warning(
                            "row of the master is not valid", error=str(error), row=_excerpt(raw)
                        )
        if skipped:
            log.warning("rows of the master passed over", rows=skipped)

    async def _write(self, rows: list[MasterRow], underlying_keys: set[str]) -> None:
        ranked = []
        for row in rows:
            has_derivatives = row.instrument_key in underlying_keys
            instrument = instrument_from_row(row, has_derivatives=has_derivatives)
            rank = search_rank(
                instrument,
                has_derivatives=has_derivatives,
                is_marginable=row.mtf_enabled,
            )
            words = search_words(instrument, row.short_name, row.exchange_token)
            ranked.append((instrument, rank, words))
        await self._store.write(ranked)


def _report_age(day: str) -> None:
    """Set the metric to the time at which Upstox had published the master of `day`; "" for none."""
    published_secs = 0.0
    if day:
        midnight = datetime.combine(date.fromisoformat(day), time(), IST)
        published_secs = (midnight + _PUBLISHED_AT).timestamp()
    metrics.MASTER_TIMESTAMP.set(published_secs)


def _excerpt(raw: object) -> str:
    """The beginning of a row, which has its key in most cases."""
    key = raw.get("instrument_key") if isinstance(raw, dict) else None
    return repr(raw if key is None else key)[:_MAX_EXCERPT_CHARS]
