"""Earlier candles are divided into pages that are the same for every request."""

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.persister.history.pages import (
    Page,
    PageKind,
    horizon,
    pages_between,
    settled_day,
)
from shared.contracts.history import Interval
from shared.market.exchange_time import MINUTE_MS, day_start, ist_date, midnight_ms
from tests.support.builders import KEY, MONDAY_10_00

days = st.dates(date(1990, 1, 1), date(2060, 1, 1))


@given(st.sampled_from(PageKind), days, st.integers(1, 9_000))
def test_pages_cover_every_day_of_a_range_once(kind: PageKind, first: date, count: int) -> None:
    end = first + timedelta(days=count)
    pages = list(pages_between(kind, KEY, first, end))
    first = max(first, kind.first_day)
    if first >= end:
        assert pages == []
        return
    assert pages[0].start <= first < pages[0].end
    assert pages[-1].start < end <= pages[-1].end
    assert all(a.end == b.start for a, b in pairwise(pages))


@given(st.sampled_from(PageKind), days)
def test_a_day_is_in_its_page(kind: PageKind, day: date) -> None:
    page = Page.of(kind, KEY, day)
    assert page.start <= day < page.end
    assert Page.of(kind, KEY, page.start) == page
    assert Page.of(kind, KEY, page.end) != page


def test_a_page_is_a_month_of_five_minute_candles_or_ten_years_of_daily_ones() -> None:
    month = Page.of(PageKind.FIVE_MINUTES, KEY, date(2024, 2, 29))
    assert (month.start, month.end) == (date(2024, 2, 1), date(2024, 3, 1))
    decade = Page.of(PageKind.DAY, KEY, date(2024, 2, 29))
    assert (decade.start, decade.end) == (date(2020, 1, 1), date(2030, 1, 1))
    assert month.page_id == f"5m|{KEY}|2024-02-01"


def test_a_day_is_settled_six_hours_after_its_end() -> None:
    monday = ist_date(MONDAY_10_00)
    six = day_start(MONDAY_10_00) + 6 * 60 * MINUTE_MS
    assert settled_day(six) == monday
    assert settled_day(six - 1) == monday - timedelta(days=1)


def test_midnight_is_that_of_india() -> None:
    assert midnight_ms(ist_date(MONDAY_10_00)) == day_start(MONDAY_10_00)


def test_the_horizon_of_a_page_of_bars_is_beyond_their_days() -> None:
    first = date(2024, 1, 1)
    assert horizon(Interval.FIVE_MINUTES, first, 75) > first + timedelta(days=3)
    assert horizon(Interval.DAY, first, 100) > first + timedelta(days=140)
    assert horizon(Interval.DAY, date(9999, 1, 1), 2_000) == date.max
