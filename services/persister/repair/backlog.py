"""Finds the windows to repair: partial bars, and windows of open gaps without a full bar.

A full bar is one that is complete or repaired.
"""

from dataclasses import dataclass, field
from typing import Final

from services.persister.storage.bar_store import BARS, GAPS
from services.persister.storage.documents import bar_id_range, to_ms
from shared.contracts.history import GapState
from shared.contracts.messages import BarState
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import (
    DAY_MS,
    WINDOW_MS,
    to_datetime,
    trading_day,
    window_start,
)
from shared.runtime.mongo import Document, Mongo

MAX_EXPIRED: Final = 1_000
_MAX_BARS: Final = 20_000
_MAX_OPEN_KEYS: Final = 50_000
"""Instruments of gaps, over all gaps."""

InstrumentDay = tuple[int, str]
"""Day (a number of `trading_day`) and instrument key."""


@dataclass(slots=True)
class Repair:
    """The windows of one instrument and day to rebuild from candles."""

    day: int
    """A number of `trading_day`."""
    key: str
    windows: set[int] = field(default_factory=set)
    """Starts of the windows, epoch ms."""
    gap_ids: set[str] = field(default_factory=set)
    """Gaps whose last missing window is among these."""
    longer_gap_ids: set[str] = field(default_factory=set)
    """Gaps with a missing window among these, and on a later day."""
    has_partial: bool = False
    """Whether one of the windows has a partial bar: the instrument has traded in it."""

    @property
    def identity(self) -> tuple[int, str, frozenset[int]]:
        """Equal for repairs of the same windows."""
        return self.day, self.key, frozenset(self.windows)


@dataclass(slots=True)
class RepairBacklog:
    """The repairs to do at one moment."""

    repairs: list[Repair]
    """Ordered by day and instrument."""
    filled: dict[str, set[str]]
    """By instrument key, the ids of gaps in which every window has a full bar already."""
    expired: int = 0
    """Open gaps that are too old to be repaired, at most `MAX_EXPIRED`."""


class RepairBacklogReader:
    """Reads the backlog from MongoDB. Any process may, leader or not."""

    def __init__(
        self, mongo: Mongo, calendar: Calendar, *, max_age_days: int, delay_secs: float
    ) -> None:
        """Windows older than `max_age_days` and those that ended less than `delay_secs` ago
        are left out."""
        self._bars = mongo.db.get_collection(BARS)
        self._gaps = mongo.db.get_collection(GAPS)
        self._max_age_ms = max_age_days * DAY_MS
        self._delay_ms = int(delay_secs * 1_000)
        self._calendar = calendar

    async def read(self, now_ms: int) -> RepairBacklog:
        """The backlog at exchange time `now_ms`. Raises PyMongoError."""
        repairs: dict[InstrumentDay, Repair] = {}
        filled: dict[str, set[str]] = {}
        oldest = to_datetime(now_ms - self._max_age_ms)
        until_ms = now_ms - self._delay_ms
        partial = {
            "state": BarState.PARTIAL.value,
            "start": {"$gte": oldest, "$lte": to_datetime(until_ms - WINDOW_MS)},
        }
        async for bar in self._bars.find(partial, {"key": 1, "start": 1}).limit(_MAX_BARS):
            _add_window(repairs, bar["key"], to_ms(bar["start"])).has_partial = True
        open_gaps = {
            "state": GapState.OPEN.value,
            "end": {"$gte": oldest, "$lte": to_datetime(until_ms)},
        }
        open_keys = 0
        async for gap in self._gaps.find(open_gaps).sort("end"):
            open_keys += len(gap["open_keys"])
            for key in gap["open_keys"]:
                missing = await self._missing_windows(gap, key)
                if not missing:
                    filled.setdefault(key, set()).add(gap["_id"])
                    continue
                last_day = trading_day(max(missing))
                for window_ms in missing:
                    repair = _add_window(repairs, key, window_ms)
                    is_last = repair.day == last_day
                    (repair.gap_ids if is_last else repair.longer_gap_ids).add(gap["_id"])
            if open_keys >= _MAX_OPEN_KEYS:
                break
        too_old = {"state": GapState.OPEN.value, "end": {"$lt": oldest}}
        expired = await self._gaps.count_documents(too_old, limit=MAX_EXPIRED)
        return RepairBacklog([repairs[place] for place in sorted(repairs)], filled, expired)

    async def _missing_windows(self, gap: Document, key: str) -> set[int]:
        """Windows of the gap in which `key` has no bar, or a partial one."""
        start_ms, end_ms = to_ms(gap["start"]), to_ms(gap["end"])
        query = {
            "_id": bar_id_range(key, start_ms, end_ms),
            "state": {"$ne": BarState.PARTIAL.value},
        }
        full = {to_ms(bar["start"]) async for bar in self._bars.find(query, {"start": 1})}
        missing = set(range(window_start(start_ms), end_ms, WINDOW_MS)) - full
        if end_ms - start_ms > DAY_MS:  # there are no candles of nights and weekends
            segment = key.partition("|")[0]
            missing = {at_ms for at_ms in missing if self._calendar.may_trade(segment, at_ms)}
        return missing


def _add_window(repairs: dict[InstrumentDay, Repair], key: str, window_ms: int) -> Repair:
    day = trading_day(window_ms)
    repair = repairs.setdefault((day, key), Repair(day, key))
    repair.windows.add(window_ms)
    return repair
