"""A minute log returns the added rows by time."""

from hypothesis import given
from hypothesis import strategies as st

from services.simulator.market.minute_log import MinuteLog, MinuteRow

prices = st.integers(1, 1 << 40)
rows = st.lists(
    st.tuples(st.integers(0, 1_439), prices, prices, prices, prices, prices, prices),
    max_size=20,
    unique_by=lambda row: row[0],
).map(sorted)


@given(rows, st.integers(0, 1_440), st.integers(0, 1_440))
def test_rows_between_two_times_are_returned_unchanged(
    added: list[MinuteRow], first: int, last: int
) -> None:
    log = MinuteLog()
    for row in added:
        log.append(row)
    assert len(log) == len(added)
    assert list(log.between(first, last)) == [row for row in added if first <= row[0] < last]
