"""Candles that are not stored are read in spans that are the same for every request of a day."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.persister.history.spans import FIRST_DAY, spans_between
from shared.contracts.history import CandleInterval
from tests.support.builders import KEY

TODAY = date(2026, 11, 23)
days = st.dates(date(2021, 1, 1), date(2027, 6, 1))


@given(st.sampled_from(CandleInterval), days, st.integers(1, 800))
def test_spans_cover_the_days_of_a_range_up_to_today(
    interval: CandleInterval, first: date, count: int
) -> None:
    end = first + timedelta(days=count)
    spans = list(spans_between(KEY, interval, first, end, TODAY))
    wanted = range(
        max(first, FIRST_DAY).toordinal(), min(end, TODAY + timedelta(days=1)).toordinal()
    )
    covered = [day for span in spans for day in range(span.first.toordinal(), span.end.toordinal())]
    assert len(covered) == len(set(covered))
    assert set(wanted) <= set(covered)
    assert [span.is_today for span in spans[:-1]] == [False] * (len(spans) - 1 if spans else 0)
    assert all(span.is_today == (span.first == TODAY) for span in spans)


def test_requests_that_begin_on_different_days_read_the_same_spans() -> None:
    monday, friday = date(2026, 11, 2), date(2026, 11, 6)
    one, other = (
        set(spans_between(KEY, CandleInterval.MINUTE, first, TODAY, TODAY))
        for first in (monday, friday)
    )
    assert other <= one


def test_a_span_has_at_most_as_many_days_as_upstox_answers() -> None:
    most = {CandleInterval.MINUTE: 28, CandleInterval.THREE_MINUTES: 28}
    for interval in CandleInterval:
        for span in spans_between(KEY, interval, FIRST_DAY, TODAY, TODAY):
            assert (span.end - span.first).days <= most.get(interval, 89)
