"""A user's instruments are counted by mode, over all connections."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.feed.limits import Plan, Quota
from services.simulator.feed.modes import Mode


def filled(quota: Quota, mode: Mode, most: int = 6_000) -> int:
    """How many fit in a mode."""
    return next(number for number in range(most) if not quota.move(None, mode))


@pytest.mark.parametrize(
    ("plan", "mode", "alone", "mixed"),
    [
        ("basic", Mode.LTPC, 5_000, 2_000),
        ("basic", Mode.OPTION_GREEKS, 3_000, 2_000),
        ("basic", Mode.FULL, 2_000, 1_500),
        ("plus", Mode.FULL, 2_000, 1_500),
        ("plus", Mode.FULL_D30, 50, 1_500),
    ],
)
def test_limit_depends_on_whether_the_mode_is_the_only_one(
    plan: Plan, mode: Mode, alone: int, mixed: int
) -> None:
    assert filled(Quota(plan), mode) == alone
    quota = Quota(plan)
    assert quota.move(None, Mode.OPTION_GREEKS if mode is Mode.LTPC else Mode.LTPC)
    assert filled(quota, mode) == mixed


def test_thirty_levels_are_for_plus_only() -> None:
    assert not Quota("basic").move(None, Mode.FULL_D30)
    assert (Quota("basic").most_connections, Quota("plus").most_connections) == (2, 5)


def test_second_mode_is_refused_while_the_first_is_beyond_the_mixed_limit() -> None:
    quota = Quota("basic")
    for _ in range(2_001):
        quota.move(None, Mode.LTPC)
    assert not quota.move(None, Mode.FULL)
    assert quota.move(Mode.LTPC, None)
    assert quota.move(None, Mode.FULL)


def test_load_test_has_no_limit() -> None:
    quota = Quota("unlimited")
    assert all(quota.move(None, mode) for mode in (Mode.LTPC, Mode.FULL_D30) for _ in range(5_001))


@given(st.lists(st.sampled_from([Mode.LTPC, Mode.FULL]), max_size=30))
def test_what_is_given_back_can_be_used_again(modes: list[Mode]) -> None:
    quota = Quota("plus")
    for mode in modes:
        assert quota.move(None, mode)
    for mode in modes:
        assert quota.move(mode, None)
    assert filled(quota, Mode.FULL_D30) == 50
