"""The backlog holds partial bars and the windows of open gaps that have no full bar."""

import msgspec

from services.persister.aggregation.closed_windows import WindowGap
from services.persister.repair.backlog import Repair, RepairBacklogReader
from services.persister.storage.documents import bar_document, gap_document
from shared.contracts.history import GapReason
from shared.contracts.messages import Bar, BarState
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import DAY_MS, MINUTE_MS, WINDOW_MS, trading_day
from shared.runtime.mongo import Mongo
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY

T0 = MONDAY_10_00
MONDAY = trading_day(T0)
NOW = T0 + 3 * DAY_MS
BAR = Bar(
    key=KEY, start=T0, open=1.0, high=1.0, low=1.0, close=1.0, ltq=None, ltt=None, volume=1, vtt=1,
    atp=None, oi=None, ticks=0, state=BarState.PARTIAL, silent_ms=0, epoch=1,
)  # fmt: skip


async def store_bars(mongo: Mongo, *bars: tuple[int, str, BarState]) -> None:
    await mongo.db["bars_5m"].insert_many(
        bar_document(msgspec.structs.replace(BAR, start=start, key=key, state=state))
        for start, key, state in bars
    )


async def store_gap(mongo: Mongo, start_ms: int, end_ms: int, *keys: str) -> str:
    document = gap_document(WindowGap(start_ms, end_ms, GapReason.FEED_AWAY, keys))
    await mongo.db["gaps"].insert_one(document)
    return str(document["_id"])


def reader(mongo: Mongo) -> RepairBacklogReader:
    return RepairBacklogReader(mongo, Calendar(), max_age_days=7, delay_secs=60)


async def test_a_partial_bar_is_to_be_repaired_and_others_are_not(mongo: Mongo) -> None:
    await store_bars(
        mongo,
        (T0, KEY, BarState.PARTIAL),
        (T0 + WINDOW_MS, KEY, BarState.COMPLETE),
        (T0 + 2 * WINDOW_MS, KEY, BarState.REPAIRED),
        (T0 + DAY_MS, OTHER_KEY, BarState.PARTIAL),
    )
    backlog = await reader(mongo).read(NOW)
    assert backlog.repairs == [
        Repair(MONDAY, KEY, {T0}, has_partial=True),
        Repair(MONDAY + 1, OTHER_KEY, {T0 + DAY_MS}, has_partial=True),
    ]
    assert backlog.filled == {}


async def test_bars_that_are_too_old_or_too_new_are_left_out(mongo: Mongo) -> None:
    too_new = NOW - WINDOW_MS - 60_000 + 1
    old_enough = NOW - 2 * WINDOW_MS
    await store_bars(
        mongo,
        (NOW - 7 * DAY_MS - WINDOW_MS, KEY, BarState.PARTIAL),
        (old_enough, KEY, BarState.PARTIAL),
        (too_new, KEY, BarState.PARTIAL),
    )
    (repair,) = (await reader(mongo).read(NOW)).repairs
    assert repair.windows == {old_enough}


async def test_windows_of_a_gap_without_a_full_bar_are_to_be_repaired(mongo: Mongo) -> None:
    await store_bars(
        mongo,
        (T0, KEY, BarState.COMPLETE),
        (T0 + WINDOW_MS, KEY, BarState.PARTIAL),
        (T0 + 2 * WINDOW_MS, KEY, BarState.REPAIRED),
    )
    gap_id = await store_gap(mongo, T0, T0 + 4 * WINDOW_MS, KEY)
    (repair,) = (await reader(mongo).read(NOW)).repairs
    missing = {T0 + WINDOW_MS, T0 + 3 * WINDOW_MS}
    assert repair == Repair(MONDAY, KEY, missing, {gap_id}, has_partial=True)


async def test_a_gap_with_all_its_bars_is_filled_for_that_instrument(mongo: Mongo) -> None:
    await store_bars(mongo, (T0, KEY, BarState.COMPLETE))
    gap_id = await store_gap(mongo, T0, T0 + WINDOW_MS, KEY, OTHER_KEY)
    backlog = await reader(mongo).read(NOW)
    assert backlog.filled == {KEY: {gap_id}}
    assert backlog.repairs == [Repair(MONDAY, OTHER_KEY, {T0}, {gap_id})]


async def test_a_gap_over_nights_is_settled_with_its_last_day_and_skips_nights_and_holidays(
    mongo: Mongo,
) -> None:
    end = T0 + 2 * DAY_MS + WINDOW_MS  # Tuesday, 24 November 2026, is a holiday
    gap_id = await store_gap(mongo, T0, end, KEY)
    first, second = (await reader(mongo).read(NOW)).repairs
    assert (first.day, second.day) == (MONDAY, MONDAY + 2)
    assert (first.gap_ids, second.gap_ids) == (set(), {gap_id})
    assert (first.longer_gap_ids, second.longer_gap_ids) == ({gap_id}, set())
    # From 10:00 to the end of the post-close session at 16:00, and from the start of the pre-open session at 09:00 to 10:05.
    assert len(first.windows) == 72
    assert second.windows == set(range(end - 65 * MINUTE_MS, end, WINDOW_MS))


async def test_a_long_gap_is_repaired_for_whole_days_of_a_year_without_a_calendar(
    mongo: Mongo,
) -> None:
    start = T0 + 60 * DAY_MS  # in January 2027
    await store_gap(mongo, start, start + DAY_MS + WINDOW_MS, KEY)
    first, second = (await reader(mongo).read(start + 3 * DAY_MS)).repairs
    assert len(first.windows) + len(second.windows) == 24 * 12 + 1


async def test_open_gaps_that_are_too_old_are_counted_and_not_repaired(mongo: Mongo) -> None:
    await store_gap(mongo, NOW - 7 * DAY_MS - WINDOW_MS, NOW - 7 * DAY_MS - 1, KEY)
    await store_gap(mongo, NOW - 7 * DAY_MS, NOW - 7 * DAY_MS + WINDOW_MS, KEY)
    backlog = await reader(mongo).read(NOW)
    assert backlog.expired == 1
    assert len(backlog.repairs) == 1
