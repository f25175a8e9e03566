"""The windows of a day follow NSE's hours, with the changes of August and September 2026."""

from datetime import date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.market.trading_day import Stage, Window, day_windows
from shared.market.exchange_time import IST, MINUTE_MS


def session(day: str) -> tuple[int, int]:
    return at(f"{day}T09:15"), at(f"{day}T15:30")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1_000)


def windows_of(day: str) -> tuple[Window, ...]:
    return day_windows(session(day), opening_auction=True, closing_auction=True)


@pytest.mark.parametrize(
    ("day", "entry_ends", "match"),
    [
        ("2026-09-04", ("09:07", "09:08"), ("09:08", "09:12")),
        ("2026-09-07", ("09:08", "09:10"), ("09:10", "09:12")),
    ],
)
def test_the_opening_auction_is_matched_before_trading_begins(
    day: str, entry_ends: tuple[str, str], match: tuple[str, str]
) -> None:
    entry, matching, trading = windows_of(day)[:3]
    assert (entry.start_ms, entry.stage) == (at(f"{day}T09:00"), Stage.ORDER_ENTRY)
    first, last = (at(f"{day}T{time}") for time in entry_ends)
    assert first <= entry.end_ms < last
    first, last = (at(f"{day}T{time}") for time in match)
    assert first <= matching.start_ms < last
    assert (matching.stage, matching.end_ms) == (Stage.MATCH, matching.start_ms + 1)
    assert (trading.start_ms, trading.stage) == (at(f"{day}T09:15"), Stage.TRADING)


def test_the_closing_auction_follows_trading_from_august_2026_on() -> None:
    day = "2026-08-03"
    trading, entry, matching = windows_of(day)[2:]
    assert trading.end_ms == at(f"{day}T15:15")
    assert (entry.start_ms, entry.stage) == (at(f"{day}T15:20"), Stage.ORDER_ENTRY)
    assert at(f"{day}T15:28") <= entry.end_ms < at(f"{day}T15:30")
    assert at(f"{day}T15:30") <= matching.start_ms < at(f"{day}T15:35")
    assert windows_of("2026-07-31")[2:] == (Window(*session("2026-07-31"), Stage.TRADING),)


def test_an_instrument_without_auctions_has_its_session_only() -> None:
    hours = session("2026-11-23")
    windows = day_windows(hours, opening_auction=False, closing_auction=False)
    assert windows == (Window(*hours, Stage.TRADING),)


@given(st.integers(0, 1_000), st.booleans(), st.booleans())
def test_windows_are_in_order_apart_and_the_same_in_every_run(
    number: int, opening_auction: bool, closing_auction: bool
) -> None:
    day = (date(2025, 1, 1) + timedelta(days=number)).isoformat()
    windows = day_windows(
        session(day), opening_auction=opening_auction, closing_auction=closing_auction
    )
    assert windows == day_windows(
        session(day), opening_auction=opening_auction, closing_auction=closing_auction
    )
    assert all(window.start_ms < window.end_ms for window in windows)
    assert all(before.end_ms <= after.start_ms for before, after in pairwise(windows))
    assert windows[-1].end_ms <= session(day)[1] + 5 * MINUTE_MS
