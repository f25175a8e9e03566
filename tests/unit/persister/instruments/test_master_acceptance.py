"""A smaller master is accepted once it has come on three consecutive days."""

import pytest

from services.persister.instruments.master_acceptance import Refusal, is_lasting, with_refusal


def refused(*refusals: tuple[str, int]) -> list[Refusal]:
    kept: list[Refusal] = []
    for day, instruments in refusals:
        kept = with_refusal(kept, Refusal(day, instruments))
    return kept


@pytest.mark.parametrize(
    ("refusals", "expected"),
    [
        ([("2026-11-30", 100), ("2026-12-01", 101), ("2026-12-02", 99)], True),
        ([("2026-11-30", 100), ("2026-12-01", 101)], False),
        ([("2026-11-30", 100), ("2026-12-01", 101), ("2026-12-03", 99)], False),
        ([("2026-11-30", 100), ("2026-12-01", 50), ("2026-12-02", 99)], False),
        ([("2026-11-30", 100), ("2026-11-30", 100), ("2026-11-30", 100)], False),
        ([("2026-11-28", 7), *((f"2026-12-0{day}", 100) for day in (1, 2, 3))], True),
        ([], False),
    ],
)
def test_masters_of_one_size_on_three_consecutive_days_are_lasting(
    refusals: list[tuple[str, int]], expected: bool
) -> None:
    assert is_lasting(refused(*refusals)) is expected


def test_at_most_three_refusals_are_kept() -> None:
    kept = refused(*((f"2026-12-{day:02}", 100) for day in range(1, 9)))
    assert [refusal.day for refusal in kept] == ["2026-12-06", "2026-12-07", "2026-12-08"]
