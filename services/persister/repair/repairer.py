"""Fills what was missed from Upstox's candles, one day of one instrument after the other.

What is to be done is read from the database, and each step is stored at once: a repair that
is cut off goes on where it was, and one that is done again changes nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pymongo.errors import PyMongoError

from services.persister import metrics
from services.persister.pipeline import announce
from services.persister.repair.candle_bars import repaired_bars
from services.persister.repair.candle_source import CandleSource
from services.persister.settings import PersisterSettings
from services.persister.storage.bar_store import BARS, GAPS, BarStore
from services.persister.storage.documents import bar_ids, to_ms
from shared.bus.connection import Bus
from shared.bus.lease import Term
from shared.contracts.history import GapState
from shared.contracts.messages import BarState
from shared.errors import NotFound, Unavailable
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import (
    DAY_MS,
    MINUTE_MS,
    WINDOW_MS,
    to_datetime,
    trading_day,
    window_start,
)
from shared.runtime.backoff import Backoff
from shared.runtime.logs import get_logger
from shared.runtime.mongo import Document, Mongo

log = get_logger(__name__)

_MOST_TRIES: Final = 5
_MOST_FAILED: Final = 10
_LONGEST_PAUSE_SECS: Final = 300.0
_MOST_BARS: Final = 20_000
_MOST_GAPS: Final = 50
_TELL_EVERY: Final = 100
_PRE_OPEN_MS: Final = 15 * MINUTE_MS


Place = tuple[int, str]
"""Day (`trading_day`) and instrument key."""


@dataclass(slots=True)
class Due:
    """The windows of one instrument and day that are to be made anew."""

    place: Place
    windows: set[int] = field(default_factory=set)
    gaps: set[str] = field(default_factory=set)
    """Gaps of which this is the last day."""

    @property
    def name(self) -> tuple[Place, frozenset[int]]:
        """The same for the same work."""
        return self.place, frozenset(self.windows)


class Repairer:
    """Works for one term of leadership at a time."""

    def __init__(
        self,
        bus: Bus,
        mongo: Mongo,
        store: BarStore,
        source: CandleSource,
        settings: PersisterSettings,
        stream_time: Callable[[], int | None],
    ) -> None:
        self._bus = bus
        self._bars = mongo.db.get_collection(BARS)
        self._gaps = mongo.db.get_collection(GAPS)
        self._store = store
        self._source = source
        self._settings = settings
        self._stream_time = stream_time
        self._tries: Counter[tuple[Place, frozenset[int]]] = Counter()
        self._calendar = Calendar()

    async def run(self, term: Term, epoch: int) -> None:
        """Until cancelled. Raises StaleEpoch or LeaseLost when another leads."""
        every_secs = self._settings.repair_every_secs
        backoff = Backoff(every_secs, max(every_secs, _LONGEST_PAUSE_SECS))
        while True:
            await asyncio.sleep(every_secs if backoff.attempt == 0 else backoff.next_secs())
            now_ms = self._stream_time()
            if now_ms is None:
                continue
            try:
                failed = await self._round(now_ms, term, epoch)
            except PyMongoError as error:
                log.warning("repair interrupted", error=repr(error))
                continue
            if not failed:
                backoff.reset()
            elif backoff.attempt == 0:
                backoff.next_secs()
                log.warning("no candles of some instruments; trying again", instruments=failed)

    async def _round(self, now_ms: int, term: Term, epoch: int) -> int:
        """Repair all that is due at exchange time `now_ms`; of how many instruments Upstox gave
        no candles."""
        found = await self._find(now_ms)
        self._tries &= Counter({work.name: _MOST_TRIES for work in found})
        due = [work for work in found if self._tries[work.name] < _MOST_TRIES]
        metrics.REPAIRS_DUE.set(len(due))
        written = 0
        failed: set[str] = set()
        for number, work in enumerate(due, start=1):
            if len(failed) >= _MOST_FAILED:
                break  # Upstox is away: what is due stays due
            term.check()
            written += await self._repair(work, now_ms, epoch, failed)
            metrics.REPAIRS_DUE.set(len(due) - number)
            if number % _TELL_EVERY == 0 or number == len(due):
                log.info("repaired so far", done=number, of=len(due), bars=written)
        return len(failed)

    async def _repair(self, work: Due, now_ms: int, epoch: int, failed: set[str]) -> int:
        """Make these windows anew; how many bars that gave. `failed` are keys of this round."""
        day, key = work.place
        try:
            candles = await self._source.day(key, day, is_today=day == trading_day(now_ms))
        except NotFound:
            self._tries[work.name] = _MOST_TRIES
            await self._settle(work.gaps, key, GapState.ABANDONED)
            return 0
        except Unavailable as error:
            failed.add(key)
            log.debug("no candles", key=key, error=error.detail)
            return 0
        bars = await self._store.repair(repaired_bars(key, candles, work.windows), epoch)
        metrics.REPAIRED.inc(len(bars))
        await announce(self._bus, tuple(bars))
        # What is still partial has trades that the candles do not know of yet.
        self._tries[work.name] += 1
        if key not in failed:
            await self._settle(work.gaps, key, GapState.REPAIRED)
        return len(bars)

    async def _settle(self, gaps: set[str], key: str, end: GapState) -> None:
        """`key` is done in these gaps; one in which all are done is over."""
        change = {"$pull": {"open_keys": key}}
        if end is GapState.ABANDONED:
            change["$addToSet"] = {"abandoned_keys": key}
        for gap in gaps:
            await self._gaps.update_one({"_id": gap}, change)
            await self._gaps.update_one(
                {"_id": gap, "open_keys": [], "state": GapState.OPEN.value},
                {"$set": {"state": end.value}},
            )

    async def _find(self, now_ms: int) -> list[Due]:
        """What is due, oldest first: partial bars, and windows of gaps without a whole bar."""
        due: dict[Place, Due] = {}
        since = to_datetime(now_ms - self._settings.repair_days * DAY_MS)
        until_ms = now_ms - int(self._settings.repair_after_secs * 1_000)
        partial = {
            "state": BarState.PARTIAL.value,
            "start": {"$gte": since, "$lte": to_datetime(until_ms - WINDOW_MS)},
        }
        async for bar in self._bars.find(partial, {"key": 1, "start": 1}).limit(_MOST_BARS):
            _due(due, to_ms(bar["start"]), bar["key"])
        gaps = {
            "state": GapState.OPEN.value,
            "end": {"$gte": since, "$lte": to_datetime(until_ms)},
        }
        for gap in await self._gaps.find(gaps).sort("end").to_list(_MOST_GAPS):
            for key in gap["open_keys"]:
                await self._add_gap(due, gap, key)
        return [due[place] for place in sorted(due)]

    async def _add_gap(self, due: dict[Place, Due], gap: Document, key: str) -> None:
        start, end = to_ms(gap["start"]), to_ms(gap["end"])
        query = {
            "_id": bar_ids(key, start, end),
            "state": {"$ne": BarState.PARTIAL.value},
        }
        whole = {to_ms(bar["start"]) async for bar in self._bars.find(query, {"start": 1})}
        missing = set(range(window_start(start), end, WINDOW_MS)) - whole
        if end - start > DAY_MS:  # of nights and weekends there is nothing to ask
            missing = {window for window in missing if self._is_session(key, window)}
        if not missing:
            await self._settle({gap["_id"]}, key, GapState.REPAIRED)
            return
        for window in missing:
            _due(due, window, key)
        due[trading_day(max(missing)), key].gaps.add(gap["_id"])

    def _is_session(self, key: str, at_ms: int) -> bool:
        session = self._calendar.session(key.partition("|")[0], at_ms)
        return session is not None and session[0] - _PRE_OPEN_MS <= at_ms < session[1]


def _due(due: dict[Place, Due], window: int, key: str) -> None:
    place = trading_day(window), key
    due.setdefault(place, Due(place)).windows.add(window)
