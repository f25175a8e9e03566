"""Times are sent exactly, and shown in India's zone."""

from datetime import UTC, date, datetime

import pytest

from tests.support.builders import MONDAY_10_00
from tradedad_client.times import (
    IST,
    Moment,
    clock_text,
    in_india,
    minute_text,
    moment_text,
)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (1_795_408_200_000, "1795408200000"),
        ("2026-11-23", "2026-11-23"),
        (date(2026, 11, 23), "2026-11-23"),
        (datetime(2026, 11, 23, 9, 15, 0, 1_999, tzinfo=IST), "1795405500001"),
        (datetime(2026, 11, 23, 3, 45, tzinfo=UTC), "1795405500000"),
    ],
    ids=str,
)
def test_a_moment_is_a_parameter(moment: Moment, expected: str) -> None:
    assert moment_text("start", moment) == expected


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="end has no time zone"):
        moment_text("end", datetime(2026, 11, 23))  # noqa: DTZ001


@pytest.mark.parametrize("moment", [1_795_408_200, "1795408200"])
def test_a_time_in_seconds_is_refused(moment: Moment) -> None:
    with pytest.raises(ValueError, match="start must be Unix milliseconds, not seconds"):
        moment_text("start", moment)
    assert moment_text("start", 0) == "0"


def test_times_are_shown_with_the_zone() -> None:
    assert minute_text(MONDAY_10_00).endswith("10:00 IST")
    assert clock_text(MONDAY_10_00 + 1_000) == "10:00:01 IST"
    assert in_india(MONDAY_10_00).utcoffset() == IST.utcoffset(None)
