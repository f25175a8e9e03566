"""The calendar's message keeps every day, and one with impossible sessions is refused."""

import json
from datetime import date
from typing import Any

import msgspec
import pytest

from shared.contracts.calendar import decode_calendar, encode_calendar
from shared.market.calendar_data import BUILT_IN, CalendarData

DAY = date(2026, 11, 30)


def test_a_calendar_is_the_same_after_encoding_and_decoding() -> None:
    data = CalendarData(
        special_days=dict(BUILT_IN.special_days),
        years=BUILT_IN.years,
        timings={DAY: {"NSE": (555, 930)}},
    )
    assert decode_calendar(encode_calendar(data, from_day=date(2025, 1, 1))) == data


def test_days_and_years_that_are_over_are_left_out() -> None:
    data = decode_calendar(encode_calendar(BUILT_IN, from_day=date(2026, 12, 1)))
    assert set(data.special_days) == {date(2026, 12, 25)}
    assert data.years == {2026}


@pytest.mark.parametrize(
    "message",
    [
        {"timings": {"2026-11-30": {"NSE": [930, 555]}}},
        {"timings": {"2026-11-30": {"NSE": [0, 1441]}}},
        {"timings": {"2026-11-30": {"NSE": [-1, 60]}}},
        {"timings": {"2026-11-31": {}}},
        {"timings": []},
        {"years": ["x"]},
        {"special_days": {"2026-11-30": {"day": "2026-11-30"}}},
        [],
        None,
    ],
)
def test_a_message_that_is_not_valid_is_refused(message: Any) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_calendar(json.dumps(message).encode())
