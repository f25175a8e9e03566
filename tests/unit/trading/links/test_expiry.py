"""Tokens die at the next 03:30 IST."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.access.tokens import next_expiry_ms
from services.trading.links.expiry import next_death_ms
from shared.market.exchange_time import DAY_MS, IST


def _ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=IST).timestamp() * 1_000)


@pytest.mark.parametrize(
    ("issued", "death"),
    [
        ("2026-11-27 03:29:59.999", "2026-11-27 03:30:00"),
        ("2026-11-27 03:30:00", "2026-11-28 03:30:00"),
        ("2026-11-27 03:30:00.001", "2026-11-28 03:30:00"),
        ("2026-11-27 00:00:00", "2026-11-27 03:30:00"),
        ("2026-11-27 23:59:59.999", "2026-11-28 03:30:00"),
        ("2026-11-27 05:29:59", "2026-11-28 03:30:00"),
        ("2026-11-27 05:30:00", "2026-11-28 03:30:00"),
        ("2026-12-31 09:00:00", "2027-01-01 03:30:00"),
        ("2028-02-28 09:00:00", "2028-02-29 03:30:00"),
    ],
)
def test_a_token_dies_at_the_first_half_past_three_after_its_issue(issued: str, death: str) -> None:
    assert next_death_ms(_ms(issued)) == _ms(death)


@given(st.integers(min_value=0, max_value=4_102_444_800_000))
def test_a_token_lives_up_to_a_day_and_as_long_as_at_the_simulator(issued_ms: int) -> None:
    death_ms = next_death_ms(issued_ms)
    assert 0 < death_ms - issued_ms <= DAY_MS
    assert death_ms == next_expiry_ms(issued_ms)
