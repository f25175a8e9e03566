"""Fakes around a repairer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from prometheus_client import REGISTRY

from services.persister.candles.candle import UpstoxCandle
from services.persister.repair.backlog import Repair, RepairBacklog
from services.persister.repair.repairer import Repairer
from services.persister.stored_bars import StoredBars
from shared.bus.lease import Term
from shared.contracts.history import GapState
from shared.contracts.messages import Bar
from shared.errors import StaleEpoch
from shared.market.exchange_time import DAY_MS, trading_day
from shared.runtime.clock import SystemClock
from tests.support.builders import KEY, MONDAY_10_00

NOW = MONDAY_10_00 + DAY_MS
MONDAY = trading_day(MONDAY_10_00)
TERM = Term(1, SystemClock(), float("inf"))
EPOCH = 7


@dataclass
class FakeUpstox:
    """Has a candle at 10:00 for each instrument and day, unless something else is set for it."""

    errors: dict[str, Exception] = field(default_factory=dict)
    errors_of_days: dict[tuple[str, int], Exception] = field(default_factory=dict)
    calls: list[tuple[str, int, bool]] = field(default_factory=list)
    more: list[UpstoxCandle] = field(default_factory=list)
    silent_days: set[int] = field(default_factory=set)
    """Days for which Upstox returns no candle."""
    running_day: int | None = None
    """The day of the candles in intraday answers; None for the requested day."""

    async def day(self, key: str, day: int, *, is_today: bool) -> list[UpstoxCandle]:
        self.calls.append((key, day, is_today))
        if key in self.errors:
            raise self.errors[key]
        if (key, day) in self.errors_of_days:
            raise self.errors_of_days[key, day]
        if is_today and self.running_day is not None:
            day = self.running_day
        if day in self.silent_days:
            return [*self.more]
        start_ms = MONDAY_10_00 + (day - MONDAY) * DAY_MS
        return [UpstoxCandle(start_ms, 100.0, 100.0, 100.0, 100.0, 10, 0), *self.more]


@dataclass
class FakeStore:
    """Stores what it is given, while its epoch is that of the caller."""

    epoch: int = EPOCH
    bars: list[Bar] = field(default_factory=list)
    settled: list[tuple[set[str], str, GapState]] = field(default_factory=list)

    async def repair(self, bars: Sequence[Bar], epoch: int) -> StoredBars:
        self._check(epoch)
        self.bars += bars
        return StoredBars(bars, ["note"])

    async def settle_gaps(
        self, gap_ids: Collection[str], key: str, outcome: GapState, epoch: int
    ) -> None:
        self._check(epoch)
        self.settled.append((set(gap_ids), key, outcome))

    def _check(self, epoch: int) -> None:
        if epoch != self.epoch:
            raise StaleEpoch(epoch, self.epoch)


@dataclass
class FakeBacklog:
    """Gives the same backlog again and again, or raises an error once."""

    backlog: RepairBacklog
    error: Exception | None = None
    reads: int = 0

    async def read(self, now_ms: int) -> RepairBacklog:
        self.reads += 1
        error, self.error = self.error, None
        if error is not None:
            raise error
        return self.backlog


@dataclass
class FakePublisher:
    published: list[Bar] = field(default_factory=list)

    async def publish(self, stored: StoredBars) -> None:
        self.published += stored.bars


def repair(key: str = KEY, *gap_ids: str, day: int = MONDAY) -> Repair:
    return Repair(day, key, {MONDAY_10_00 + (day - MONDAY) * DAY_MS}, set(gap_ids))


def abandoned(reason: str) -> float:
    """Repairs given up so far."""
    name = "tradedad_persister_abandoned_repairs_total"
    return REGISTRY.get_sample_value(name, {"reason": reason}) or 0.0


class Harness:
    """A repairer with fakes around it."""

    def __init__(self, *repairs: Repair, filled: dict[str, set[str]] | None = None) -> None:
        self.backlog = FakeBacklog(RepairBacklog(list(repairs), filled or {}))
        self.upstox = FakeUpstox()
        self.store = FakeStore()
        self.publisher = FakePublisher()
        self.time_ms: int | None = NOW
        self.repairer = Repairer(
            self.backlog, self.upstox, self.store, self.publisher, lambda: self.time_ms,
            every_secs=0.01,
        )  # fmt: skip

    async def repair_all(self, term: Term = TERM, epoch: int = EPOCH, *, now_ms: int = NOW) -> int:
        return await self.repairer.repair_all(now_ms, term, epoch)
