"""The repairer fills gaps, gives up on unknown instruments, and retries what failed."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from pymongo.errors import AutoReconnect

from services.persister.candles.candle import UpstoxCandle
from services.persister.candles.candle_source import CandlesRefused
from services.persister.repair.backlog import Repair, RepairBacklog
from shared.bus.lease import Term
from shared.contracts.history import GapState
from shared.errors import LeaseLost, NotFound, StaleEpoch, Unavailable
from shared.market.exchange_time import DAY_MS, MINUTE_MS, day_start
from shared.runtime.clock import SystemClock
from shared.runtime.tasks import stop
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY
from tests.support.waiting import eventually
from tests.unit.persister.repair.fakes import EPOCH, MONDAY, NOW, TERM, Harness, abandoned, repair

REFUSED = CandlesRefused("400")


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
    harness.upstox.more = [UpstoxCandle.invalid(MONDAY_10_00 + 60_000)]
    assert await harness.repair_all() == 0
    assert harness.store.bars == []
    assert harness.store.settled == []


async def test_a_gap_stays_open_while_an_earlier_day_of_it_has_failed() -> None:
    harness = Harness(repair(KEY), repair(OTHER_KEY, "other"), repair(KEY, "gap", day=MONDAY + 1))
    harness.upstox.errors_of_days[KEY, MONDAY] = Unavailable("no answer")
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


# Gaps over several days, days that Upstox refuses, and the running day.


def gap_over_two_days() -> list[Repair]:
    """The repairs of a gap from Sunday to Monday, both earlier days."""
    first = repair(KEY, day=MONDAY - 1)
    first.longer_gap_ids.add("gap")
    return [first, repair(KEY, "gap")]


def invalid_sunday() -> UpstoxCandle:
    return UpstoxCandle.invalid(MONDAY_10_00 - DAY_MS + 60_000)


async def repair_on_monday(harness: Harness) -> int:
    """Run one pass while the exchange time of the stream is still Monday."""
    return await harness.repairer.repair_all(MONDAY_10_00, TERM, EPOCH)


async def test_refused_candles_do_not_keep_other_instruments_from_being_repaired() -> None:
    keys = [f"NSE_EQ|{number}" for number in range(15)]
    harness = Harness(*map(repair, keys), repair(KEY, "gap", day=MONDAY + 1))
    harness.upstox.errors = dict.fromkeys(keys, REFUSED)
    for _ in range(5):
        assert await harness.repair_all() == 10
    assert await harness.repair_all() == 0
    assert [bar.key for bar in harness.store.bars] == [KEY]
    assert harness.store.settled[-1] == ({"gap"}, KEY, GapState.REPAIRED)


async def test_few_repairs_are_given_up_while_upstox_refuses_everything() -> None:
    keys = [f"NSE_EQ|{number}" for number in range(40)]
    harness = Harness(*(repair(key, f"gap of {key}") for key in keys))
    harness.upstox.errors = dict.fromkeys(keys, REFUSED)
    for _ in range(5):
        assert await harness.repair_all() == 10
    assert len(harness.store.settled) == 10


async def test_a_gap_whose_candles_are_refused_is_abandoned_after_five_attempts() -> None:
    harness = Harness(repair(KEY, "gap"))
    harness.upstox.errors[KEY] = REFUSED
    before = abandoned("no_candles")
    for _ in range(4):
        await harness.repair_all()
    assert harness.store.settled == []
    for _ in range(3):
        await harness.repair_all()
    assert harness.store.settled == [({"gap"}, KEY, GapState.ABANDONED)]
    assert len(harness.upstox.calls) == 5
    assert abandoned("no_candles") == before + 1


async def test_a_gap_of_today_whose_candles_are_refused_is_tried_again_the_next_day() -> None:
    harness = Harness(repair(KEY, "gap"))
    harness.upstox.errors[KEY] = REFUSED
    for _ in range(7):
        await repair_on_monday(harness)
    assert len(harness.upstox.calls) == 5
    assert harness.store.settled == []
    harness.upstox.errors.clear()
    await harness.repair_all()
    assert harness.store.settled == [({"gap"}, KEY, GapState.REPAIRED)]


async def test_a_gap_stays_open_while_an_earlier_day_of_it_has_an_invalid_candle() -> None:
    harness = Harness(*gap_over_two_days())
    harness.upstox.more = [invalid_sunday()]
    assert await harness.repair_all() == 0
    assert [bar.start for bar in harness.store.bars] == [MONDAY_10_00]
    assert harness.store.settled == []
    harness.upstox.more.clear()
    await harness.repair_all()
    assert harness.store.settled[-1] == ({"gap"}, KEY, GapState.REPAIRED)


@pytest.mark.parametrize("what", ["invalid", "refused", "unknown"])
async def test_a_gap_is_abandoned_once_an_earlier_day_of_it_is_given_up(what: str) -> None:
    harness = Harness(*gap_over_two_days())
    harness.upstox.errors_of_days[KEY, MONDAY] = Unavailable("no answer")
    if what == "invalid":
        harness.upstox.more = [invalid_sunday()]
    else:
        error = REFUSED if what == "refused" else NotFound("no such instrument")
        harness.upstox.errors_of_days[KEY, MONDAY - 1] = error
    for _ in range(8):
        await harness.repair_all()
    assert {frozenset(gap_ids) for gap_ids, _, _ in harness.store.settled} == {frozenset()}
    del harness.upstox.errors_of_days[KEY, MONDAY]
    await harness.repair_all()
    assert ({"gap"}, KEY, GapState.ABANDONED) in harness.store.settled
    assert ({"gap"}, KEY, GapState.REPAIRED) not in harness.store.settled
    assert [bar.start for bar in harness.store.bars if bar.start == MONDAY_10_00]


async def test_other_gaps_of_the_last_day_are_repaired_although_an_earlier_day_is_given_up() -> (
    None
):
    first, last = gap_over_two_days()
    last.gap_ids.add("short")
    harness = Harness(first, last)
    harness.upstox.errors_of_days[KEY, MONDAY - 1] = REFUSED
    for _ in range(5):
        await harness.repair_all()
    assert ({"gap"}, KEY, GapState.ABANDONED) in harness.store.settled
    assert ({"short"}, KEY, GapState.REPAIRED) in harness.store.settled


async def test_a_day_is_tried_again_for_as_long_as_an_earlier_day_of_its_gap_is_unavailable() -> (
    None
):
    harness = Harness(*gap_over_two_days())
    harness.upstox.errors_of_days[KEY, MONDAY - 1] = Unavailable("no answer")
    for _ in range(8):
        assert await harness.repair_all() == 1
    assert harness.store.settled == []
    harness.upstox.errors_of_days.clear()
    await harness.repair_all()
    assert harness.store.settled[-1] == ({"gap"}, KEY, GapState.REPAIRED)


async def test_an_earlier_day_is_asked_from_the_history_if_upstox_has_begun_the_next() -> None:
    harness = Harness(repair(KEY, "gap"))
    harness.upstox.running_day = MONDAY + 1
    await repair_on_monday(harness)
    assert harness.upstox.calls == [(KEY, MONDAY, True), (KEY, MONDAY, False)]
    assert [bar.start for bar in harness.store.bars] == [MONDAY_10_00]
    assert harness.store.settled == [({"gap"}, KEY, GapState.REPAIRED)]


@pytest.mark.parametrize("running_day", [MONDAY - 1, MONDAY])
async def test_a_gap_of_today_stays_open_until_the_next_day_if_upstox_has_no_candles_of_today(
    running_day: int,
) -> None:
    harness = Harness(repair(KEY, "gap"))
    harness.upstox.running_day = running_day
    harness.upstox.silent_days = {MONDAY}
    for _ in range(3):
        assert await repair_on_monday(harness) == 0
    assert harness.upstox.calls == [(KEY, MONDAY, True)]
    assert (harness.store.bars, harness.store.settled) == ([], [])
    harness.upstox.silent_days.clear()
    await harness.repair_all()
    assert [bar.start for bar in harness.store.bars] == [MONDAY_10_00]
    assert harness.store.settled == [({"gap"}, KEY, GapState.REPAIRED)]


async def test_a_gap_stays_open_if_neither_answer_has_candles_of_the_day_of_the_stream() -> None:
    harness = Harness(repair(KEY, "gap"))
    harness.upstox.running_day = MONDAY + 1
    harness.upstox.silent_days = {MONDAY}
    await repair_on_monday(harness)
    assert [is_today for _, _, is_today in harness.upstox.calls] == [True, False]
    assert harness.store.settled == []


async def test_a_partial_bar_of_today_is_tried_five_times_if_upstox_has_no_candles_yet() -> None:
    partial = repair()
    partial.has_partial = True
    harness = Harness(partial)
    harness.upstox.silent_days = {MONDAY}
    for _ in range(7):
        await repair_on_monday(harness)
    assert len(harness.upstox.calls) == 5


async def test_a_gap_of_an_earlier_day_without_candles_is_repaired() -> None:
    harness = Harness(repair(OTHER_KEY, "gap"))
    harness.upstox.silent_days = {MONDAY}
    await harness.repair_all()
    assert harness.store.bars == []
    assert harness.store.settled == [({"gap"}, OTHER_KEY, GapState.REPAIRED)]


async def test_a_day_that_has_just_ended_is_asked_again_until_its_history_has_settled() -> None:
    harness = Harness(repair(KEY, "gap"))
    harness.upstox.silent_days = {MONDAY}
    midnight_ms = day_start(NOW)
    for minutes in range(0, 360, 5):
        await harness.repair_all(now_ms=midnight_ms + minutes * MINUTE_MS)
    assert harness.store.settled == []
    assert len(harness.upstox.calls) == 12
    harness.upstox.silent_days = set()
    await harness.repair_all(now_ms=midnight_ms + 359 * MINUTE_MS)
    assert len(harness.upstox.calls) == 12, "half an hour has not passed"
    await harness.repair_all(now_ms=midnight_ms + 360 * MINUTE_MS)
    assert harness.store.settled == [({"gap"}, KEY, GapState.REPAIRED)]
    assert len(harness.store.bars) == 1


async def test_candles_of_other_days_add_no_volume_to_the_day() -> None:
    harness = Harness(repair(KEY, "gap"))
    before = MONDAY_10_00 - DAY_MS
    harness.upstox.more = [UpstoxCandle(before, 100.0, 100.0, 100.0, 100.0, 7, 0)]
    await repair_on_monday(harness)
    assert [bar.vtt for bar in harness.store.bars] == [10]
