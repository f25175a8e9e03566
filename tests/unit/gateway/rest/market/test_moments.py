"""Points in time as query parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.rest.market.moments import moment_ms
from shared.contracts.history import MAX_TIME_MS
from shared.market.exchange_time import to_datetime

MONDAY_09_15 = 1_795_405_500_000


@pytest.mark.parametrize(
    "text",
    [
        "1795405500000",
        "2026-11-23T09:15:00+05:30",
        "2026-11-23T09:15+05:30",
        "2026-11-23T09:15:00 05:30",
        "2026-11-23T03:45:00Z",
        "2026-11-23T03:45:00.000Z",
        "2026-11-22T22:45:00-05:00",
    ],
)
def test_a_time_is_accepted_in_each_notation(text: str) -> None:
    assert moment_ms(text) == MONDAY_09_15


def test_a_date_stands_for_00_00_ist() -> None:
    assert moment_ms("2026-11-23") == moment_ms("2026-11-23T00:00:00+05:30")


@pytest.mark.parametrize(
    "text",
    [
        "", "-1", "1.5", "1e3", "now", "2026-11-23T09:15:00", "2026-11-23 09:15", "2026-13-01",
        "2026-02-30", "2026-11-23T24:00:00Z", "1969-12-31", "0001-01-01", "999999999999999",
        "2026-11-23\n", "٢٠٢٦-11-23", "9999-12-31T23:59:59-23:59", "2026-11-23T09:15:00+99:00",
    ],
)  # fmt: skip
def test_any_other_text_is_refused_with_the_rule(text: str) -> None:
    with pytest.raises(ValueError, match="must be Unix milliseconds"):
        moment_ms(text)


@given(st.integers(0, MAX_TIME_MS))
def test_unix_milliseconds_and_iso_8601_give_the_same_time(at_ms: int) -> None:
    assert moment_ms(str(at_ms)) == at_ms
    assert moment_ms(to_datetime(at_ms).isoformat(timespec="milliseconds")) == at_ms


@given(st.text(max_size=40))
def test_any_text_is_parsed_into_the_valid_range_or_refused(text: str) -> None:
    try:
        assert 0 <= moment_ms(text) <= MAX_TIME_MS
    except ValueError as error:
        assert "Unix milliseconds" in str(error)  # noqa: PT017
