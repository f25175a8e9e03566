"""The repairer fills gaps, gives up on unknown instruments, and retries what failed."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pytest
from prometheus_client import REGISTRY
from pymongo.errors import AutoReconnect

from services.persister.candles.candle import UpstoxCandle
from services.persister.repair.backlog import Repair, RepairBacklog
from services.persister.repair.repairer import Repairer
from services.persister.stored_bars import StoredBars
from shared.bus.lease import Term
from shared.contracts.history import GapState
from shared.contracts.messages import Bar
from shared.errors import LeaseLost, NotFound, StaleEpoch, Unavailable
from shared.market.exchange_time import DAY_MS, trading_day
from shared.runtime.clock import SystemClock
from shared.runtime.tasks import stop
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.waiting import eventually

NOW = MONDAY_10_00 + DAY_MS
MONDAY = trading_day(MONDAY_10_00)
TERM = Term(1, SystemClock(), float("inf"))
EPOCH = 7


@dataclass
class FakeUpstox:
    """Has a candle at 10:00 for each instrument, unless an error is set for it."""

    errors: dict[str, Exception] = field(default_factory=dict)
    calls: list[tuple[str, int, bool]] = field(default_factory=list)
    invalid: list[UpstoxCandle] = field(default_factory=list)

    async def day(self, key: str, day: int, *, is_today: bool) -> list[UpstoxCandle]:
        self.calls.append((key, day, is_today))
        if key in self.errors:
            raise self.errors[key]
        start_ms = MONDAY_10_00 + (day - MONDAY) * DAY_MS
        return [UpstoxCandle(start_ms, 100.0, 100.0, 100.0, 100.0, 10, 0), *self.invalid]


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

    async def repair_all(self, term: Term = TERM, epoch: int = EPOCH) -> int:
        return await self.repairer.repair_all(NOW, term, epoch)


async def test_repaired_bars_are_stored_and_published_and_their_gap_is_settled() -> None:
    harness = Harness(repair(KEY, "gap"))
    assert await harness.repair_all() == 0
    assert harness.upstox.calls == [(KEY, MONDAY, False)]
    assert [(bar.key, bar.start) for bar in harness.store.bars] == [(KEY, MONDAY_10_00)]
    assert harness.publisher.published == harness.store.bars
    assert harness.store.settled == [({"gap"}, KEY, GapState.REPAIRED)]


async def test_the_number_of_gaps_too_old_to_be_repaired_is_a_metric() -> None:
    harness = Harness()
    harness.backlog.backlog = RepairBacklog([], {}, expired=3)
    await harness.repair_all()
    assert REGISTRY.get_sample_value("tradedad_persister_expired_gaps") == 3


async def test_candles_of_today_are_requested_as_such() -> None:
    harness = Harness(repair(day=MONDAY + 1))
    await harness.repair_all()
    assert harness.upstox.calls == [(KEY, MONDAY + 1, True)]


async def test_a_gap_that_is_filled_already_is_settled_without_a_call() -> None:
    harness = Harness(filled={KEY: {"one", "two"}})
    await harness.repair_all()
    assert harness.store.settled == [({"one", "two"}, KEY, GapState.REPAIRED)]
    assert harness.upstox.calls == []


async def test_a_gap_of_an_unknown_instrument_is_abandoned_and_not_tried_again() -> None:
    harness = Harness(repair(KEY, "gap"))
    harness.upstox.errors[KEY] = NotFound("no such instrument")
    before = abandoned("unknown_instrument")
    for _ in range(2):
        assert await harness.repair_all() == 0
    assert harness.store.settled == [({"gap"}, KEY, GapState.ABANDONED)]
    assert len(harness.upstox.calls) == 1
    assert abandoned("unknown_instrument") == before + 1


async def test_a_gap_stays_open_while_a_candle_of_it_is_invalid() -> None:
    harness = Harness(repair(KEY, "gap"))
    harness.upstox.invalid = [UpstoxCandle.invalid(MONDAY_10_00 + 60_000)]
    assert await harness.repair_all() == 0
    assert harness.store.bars == []
    assert harness.store.settled == []


async def test_a_gap_stays_open_while_an_earlier_day_of_it_has_failed() -> None:
    harness = Harness(repair(KEY), repair(OTHER_KEY, "other"), repair(KEY, "gap", day=MONDAY + 1))
    day_of = harness.upstox.day

    async def fail_monday(key: str, day: int, *, is_today: bool) -> list[UpstoxCandle]:
        if (key, day) == (KEY, MONDAY):
            raise Unavailable("no answer")
        return await day_of(key, day, is_today=is_today)

    harness.upstox.day = fail_monday  # type: ignore[method-assign]
    assert await harness.repair_all() == 1
    assert harness.store.settled == [({"other"}, OTHER_KEY, GapState.REPAIRED)]
    assert len(harness.store.bars) == 2


async def test_windows_that_stay_partial_are_repaired_five_times_at_most() -> None:
    harness = Harness(repair())
    for _ in range(8):
        await harness.repair_all()
    assert len(harness.upstox.calls) == 5


async def test_a_gap_of_an_earlier_day_is_abandoned_after_the_last_attempt() -> None:
    harness = Harness(repair(KEY, "gap"))
    before = abandoned("no_candles")
    for _ in range(4):
        await harness.repair_all()
    assert abandoned("no_candles") == before
    assert {outcome for _, _, outcome in harness.store.settled} == {GapState.REPAIRED}
    await harness.repair_all()
    assert harness.store.settled[-1] == ({"gap"}, KEY, GapState.ABANDONED)
    assert abandoned("no_candles") == before + 1


async def test_a_gap_of_today_stays_open_and_is_repaired_again_the_next_day() -> None:
    harness = Harness(repair(KEY, "gap"))
    for _ in range(6):
        await harness.repairer.repair_all(MONDAY_10_00, TERM, EPOCH)
    assert [is_today for _, _, is_today in harness.upstox.calls] == [True] * 5
    assert {outcome for _, _, outcome in harness.store.settled} == {GapState.REPAIRED}
    await harness.repair_all()
    assert harness.upstox.calls[5:] == [(KEY, MONDAY, False)]


async def test_attempts_are_forgotten_once_the_windows_are_not_in_the_backlog() -> None:
    harness = Harness(repair())
    for _ in range(5):
        await harness.repair_all()
    harness.backlog.backlog = RepairBacklog([], {})
    await harness.repair_all()
    harness.backlog.backlog = RepairBacklog([repair()], {})
    await harness.repair_all()
    assert len(harness.upstox.calls) == 6


async def test_failed_calls_are_not_counted_as_attempts_and_stop_a_round_after_ten() -> None:
    keys = [f"NSE_EQ|{number}" for number in range(15)]
    harness = Harness(*map(repair, keys))
    harness.upstox.errors = {key: Unavailable("no answer") for key in keys}
    for number in range(1, 7):
        assert await harness.repair_all() == 10
        assert len(harness.upstox.calls) == 10 * number


async def test_a_superseded_leader_stops_with_its_first_write() -> None:
    for harness in (Harness(repair(KEY, "gap")), Harness(filled={KEY: {"gap"}})):
        with pytest.raises(StaleEpoch):
            await harness.repair_all(epoch=EPOCH - 1)
        assert (harness.store.bars, harness.store.settled) == ([], [])


async def test_a_lapsed_lease_stops_repair_before_the_next_call() -> None:
    harness = Harness(repair())
    with pytest.raises(LeaseLost):
        await harness.repair_all(term=Term(1, SystemClock(), float("-inf")))
    assert harness.upstox.calls == []


async def test_repair_waits_for_the_stream_and_goes_on_after_a_fault_of_the_database() -> None:
    harness = Harness(repair(KEY, "gap"))
    harness.backlog.error = AutoReconnect("no primary")
    harness.time_ms = None
    work = asyncio.create_task(harness.repairer.run(TERM, EPOCH))
    await asyncio.sleep(0.05)
    assert harness.backlog.reads == 0
    harness.time_ms = NOW

    async def is_settled() -> bool:
        return bool(harness.store.settled)

    await eventually(is_settled, what="the gap is settled")
    assert harness.backlog.reads >= 2
    await stop([work])
