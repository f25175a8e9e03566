"""Gaps of instruments become gaps of windows."""

from services.persister.aggregation.checkpoint import InstrumentGap
from services.persister.aggregation.closed_windows import WindowGap, gaps_by_window
from shared.contracts.history import GapReason
from shared.market.exchange_time import WINDOW_MS
from tests.support.builders import KEY, MONDAY_10_00, OTHER_KEY

T0 = MONDAY_10_00
T1 = T0 + WINDOW_MS


def test_gaps_of_the_same_windows_and_reason_are_one_with_each_key_once() -> None:
    gaps = [
        InstrumentGap(T0, T1, GapReason.FEED_AWAY, OTHER_KEY),
        InstrumentGap(T0, T1, GapReason.FEED_AWAY, KEY),
        InstrumentGap(T0, T1, GapReason.FEED_AWAY, KEY),
    ]
    assert gaps_by_window(gaps) == (WindowGap(T0, T1, GapReason.FEED_AWAY, (KEY, OTHER_KEY)),)


def test_gaps_of_other_windows_or_reasons_stay_apart_in_order_of_time() -> None:
    gaps = [
        InstrumentGap(T1, T1 + WINDOW_MS, GapReason.FEED_AWAY, KEY),
        InstrumentGap(T0, T1, GapReason.UNSEEN_TRADES, KEY),
        InstrumentGap(T0, T1, GapReason.FEED_AWAY, KEY),
    ]
    found = gaps_by_window(gaps)
    assert [(gap.start_ms, gap.reason) for gap in found] == [
        (T0, GapReason.FEED_AWAY),
        (T0, GapReason.UNSEEN_TRADES),
        (T1, GapReason.FEED_AWAY),
    ]


def test_no_gap_is_none() -> None:
    assert gaps_by_window([]) == ()
