"""Trades are expected by the feed's status while it flows, else by the calendar."""

from datetime import datetime

import pytest

from services.ingest.market.feed_flow import SEGMENTS, FeedFlow
from shared.market.exchange_calendar import Calendar
from shared.market.exchange_time import IST

HOUR_SECS = 3_600.0


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1_000)


TRADING = at("2026-11-23T11:00")  # a Monday
SUNDAY = at("2026-11-22T11:00")


@pytest.fixture
def flow() -> FeedFlow:
    return FeedFlow(Calendar(), 0.0)


def test_every_segment_has_hours_in_the_calendar() -> None:
    assert all(Calendar().session(segment, TRADING) is not None for segment in SEGMENTS)


def test_without_a_status_the_calendar_decides(flow: FeedFlow) -> None:
    assert flow.is_open("NSE_EQ", TRADING, 1.0, is_flowing=False)
    assert not flow.is_open("NSE_EQ", SUNDAY, 1.0, is_flowing=True)


def test_a_feed_that_flows_overrules_the_calendar(flow: FeedFlow) -> None:
    flow.update({"NSE_EQ": "NORMAL_CLOSE", "MCX_FO": "NORMAL_OPEN"})
    assert not flow.is_open("NSE_EQ", TRADING, 5 * HOUR_SECS, is_flowing=True)
    assert flow.is_open("MCX_FO", SUNDAY, 5 * HOUR_SECS, is_flowing=True)


def test_a_market_that_was_reported_closed_is_open_by_the_calendar_once_the_feed_fails(
    flow: FeedFlow,
) -> None:
    flow.update({"NSE_EQ": "NORMAL_CLOSE"})
    assert flow.is_open("NSE_EQ", TRADING, 1.0, is_flowing=False)


def test_an_unknown_session_counts_as_open_for_an_hour_after_the_last_frame(
    flow: FeedFlow,
) -> None:
    flow.update({"NSE_EQ": "NORMAL_OPEN"})
    flow.frame_received(100.0)
    assert flow.is_open("NSE_EQ", SUNDAY, 100.0 + HOUR_SECS, is_flowing=False)
    assert not flow.is_open("NSE_EQ", SUNDAY, 101.0 + HOUR_SECS, is_flowing=False)


def test_silence_is_counted_from_the_last_frame(flow: FeedFlow) -> None:
    flow.frame_received(10.0)
    assert flow.silence_secs(12.5, is_expected=True) == 2.5
    flow.frame_received(13.0)
    assert flow.silence_secs(13.0, is_expected=True) == 0.0


def test_silence_begins_when_trades_begin_to_be_expected(flow: FeedFlow) -> None:
    assert flow.silence_secs(1_000.0, is_expected=False) == 0.0
    assert flow.silence_secs(1_030.0, is_expected=True) == 30.0


def test_unknown_segments_are_not_kept(flow: FeedFlow) -> None:
    flow.update({f"SEGMENT_{number}": "NORMAL_OPEN" for number in range(1_000)})
    assert not flow.is_open("SEGMENT_1", SUNDAY, 0.0, is_flowing=True)
