"""Loads each version of Upstox's instruments master, as a stream that is never whole in memory."""

import zlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import InvalidOperation
from typing import Final, Protocol

import aiohttp
import ijson
from pymongo.errors import PyMongoError

from services.persister import metrics
from services.persister.instruments.master_acceptance import (
    MasterRecord,
    Refusal,
    is_lasting,
    with_refusal,
)
from services.persister.instruments.master_download import MasterDownload, open_master
from services.persister.instruments.master_rows import MasterRow, instrument_from_row
from services.persister.instruments.search_rank import search_rank, search_words
from services.persister.settings import PersisterSettings
from shared.contracts.instruments import Instrument
from shared.errors import Unavailable
from shared.market.exchange_time import IST, ist_date
from shared.runtime.backoff import Backoff
from shared.runtime.clock import Clock
from shared.runtime.logs import get_logger

log = get_logger(__name__)

_PUBLISHED_AT: Final = timedelta(hours=6, minutes=15)
"""Time of day, IST, from which the file counts as the day's; Upstox publishes at about 06:00."""
RETRY_SECS: Final = 1.0
"""The longest pause after the first failure; it doubles with each further failure."""
_BATCH_ROWS: Final = 500


class MasterStore(Protocol):
    """Stores instruments. All methods raise PyMongoError while the database is unavailable."""

    async def prepare(self) -> None:
        """Create the collection, or bring it up to date."""
        ...

    async def master(self) -> MasterRecord:
        """The last complete master, and whether a load has begun since and is not complete."""
        ...

    async def record_refusal(self, refusals: Sequence[Refusal]) -> None:
        """Replace the list of refused masters."""
        ...

    async def count(self) -> int:
        """Number of stored instruments."""
        ...

    async def begin(self, url: str) -> None:
        """Record that a master of this address is being stored, until `finish`."""
        ...

    async def write(self, rows: Iterable[tuple[Instrument, int, list[str]]]) -> None:
        """Add or change instruments, each with its rank and words."""
        ...

    async def finish(self, url: str, day: str, validator: str, keys: set[str]) -> int:
        """Record this master of `day` as stored; delete instruments not in `keys`."""
        ...


class MasterLoader:
    """Work of the leader: loads each day's master, and later versions of it."""

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
        """Load until cancelled. A load that fails is retried soon, and at each check at the latest."""
        backoff = Backoff(RETRY_SECS, self._check_secs)
        while True:
            pause_secs = self._check_secs
            try:
                await self._store.prepare()
                day = self._published_day()
                record = await self._store.master()
                _report_age(record.day)
                if record.is_loading or (record.url, record.day) != (self._url, day):
                    await self.load(day)
                elif record.validator:
                    # At the time of the first load, Upstox may not have published the day's file.
                    await self.load(day, record.validator)
                backoff.reset()
            except (
                aiohttp.ClientError, TimeoutError, PyMongoError, Unavailable, zlib.error,
                ijson.JSONError, InvalidOperation, UnicodeDecodeError,
            ) as error:  # fmt: skip
                metrics.MASTER_FAILURES.inc()
                log.warning("instruments master not loaded", url=self._url, error=repr(error))
                pause_secs = backoff.next_secs()
            await self._clock.sleep(pause_secs)

    def _published_day(self) -> str:
        """The day whose master Upstox should have published last."""
        offset_ms = int(_PUBLISHED_AT.total_seconds() * 1_000)
        return ist_date(self._clock.now_ms() - offset_ms).isoformat()

    async def load(self, day: str, stored_validator: str = "") -> None:
        """Load the master and record it as that of `day`.

        Nothing is done if the file still has `stored_validator`; "" loads it in any case.
        The file is read twice: before a row is stored, all of it must have been read and accepted.
        Raises Unavailable if the file is truncated, empty, replaced between the two reads, or
        refused for its size, a long number or its nesting, and the errors that `run` retries.
        """
        keys: set[str] = set()
        underlying_keys: set[str] = set()
        async with open_master(self._http, self._url, stored_validator) as first:
            if first.is_unchanged:
                return
            async for row in first.rows():
                keys.add(row.instrument_key)
                if row.underlying_key is not None:
                    underlying_keys.add(row.underlying_key)
        await self._check_size(day, len(keys))
        async with open_master(self._http, self._url) as second:
            # The size that was accepted is that of the first file.
            if second.validator != first.validator:
                raise Unavailable("the master was replaced while it was loaded")
            await self._store.begin(self._url)
            await self._write_all(second, keys, underlying_keys)
        deleted = await self._store.finish(self._url, day, second.validator, keys)
        metrics.INSTRUMENTS.set(len(keys))
        _report_age(day)
        log.info("instruments master loaded", day=day, instruments=len(keys), deleted=deleted)

    async def _write_all(
        self, file: MasterDownload, keys: set[str], underlying_keys: set[str]
    ) -> None:
        """Store the rows of the file in batches, and add their keys to `keys`."""
        batch: list[MasterRow] = []
        async for row in file.rows(is_first_time=False):
            keys.add(row.instrument_key)
            batch.append(row)
            if len(batch) == _BATCH_ROWS:
                await self._write(batch, underlying_keys)
                batch = []
        await self._write(batch, underlying_keys)

    async def _check_size(self, day: str, size: int) -> None:
        """Raises Unavailable, having recorded it, if a master of this size is refused.

        It is compared with the last complete master of the same address, also after a later one
        that was stored in part. If there is none, the master may have any size.
        """
        if not size:
            raise Unavailable("the master has no instrument")
        record = await self._store.master()
        if record.url != self._url or not record.day:
            return
        stored = record.size or await self._store.count()
        if size >= stored * self._min_share:
            return
        refusals = with_refusal(record.refusals, Refusal(day, size))
        # One that is accepted is recorded too: its load may break off until the next day.
        await self._store.record_refusal(refusals)
        if is_lasting(refusals):
            log.warning("smaller master accepted after three days", size=size, stored=stored)
            return
        metrics.MASTER_REFUSALS.inc()
        raise Unavailable(
            f"the master has {size} instruments after {stored}; it is accepted on the third day of"
            " about this size, or with a lower TRADEDAD_PERSISTER_MASTER_MIN_SHARE"
        )

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
    """Set the metric to the time from which the file counts as that of `day`; "" for none."""
    published_secs = 0.0
    if day:
        midnight = datetime.combine(date.fromisoformat(day), time(), IST)
        published_secs = (midnight + _PUBLISHED_AT).timestamp()
    metrics.MASTER_TIMESTAMP.set(published_secs)
