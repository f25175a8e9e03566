"""The instruments of a user are limited by mode."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.feed.limits import Plan, SubscriptionQuota
from services.simulator.feed.modes import Mode


def fill(quota: SubscriptionQuota, mode: Mode) -> int:
    """Subscribe instruments up to the limit; returns their number."""
    return next(number for number in range(6_000) if not quota.move(None, mode))


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
def test_the_limit_depends_on_whether_other_modes_are_in_use(
    plan: Plan, mode: Mode, alone: int, mixed: int
) -> None:
    assert fill(SubscriptionQuota(plan), mode) == alone
    quota = SubscriptionQuota(plan)
    assert quota.move(None, Mode.OPTION_GREEKS if mode is Mode.LTPC else Mode.LTPC)
    assert fill(quota, mode) == mixed


def test_only_the_plus_plan_has_thirty_levels_and_five_connections() -> None:
    assert not SubscriptionQuota("basic").move(None, Mode.FULL_D30)
    assert (
        SubscriptionQuota("basic").max_connections,
        SubscriptionQuota("plus").max_connections,
    ) == (2, 5)


def test_a_second_mode_is_refused_while_the_first_exceeds_the_mixed_limit() -> None:
    quota = SubscriptionQuota("basic")
    for _ in range(2_001):
        quota.move(None, Mode.LTPC)
    assert not quota.move(None, Mode.FULL)
    assert quota.move(Mode.LTPC, None)
    assert quota.move(None, Mode.FULL)


def test_the_unlimited_plan_has_no_limit() -> None:
    quota = SubscriptionQuota("unlimited")
    assert all(quota.move(None, mode) for mode in (Mode.LTPC, Mode.FULL_D30) for _ in range(5_001))


@given(st.lists(st.sampled_from([Mode.LTPC, Mode.FULL]), max_size=30))
def test_unsubscribed_instruments_are_released(modes: list[Mode]) -> None:
    quota = SubscriptionQuota("plus")
    for mode in modes:
        assert quota.move(None, mode)
    for mode in modes:
        assert quota.move(mode, None)
    assert fill(quota, Mode.FULL_D30) == 50
