"""The limits are those of Upstox's documentation."""

import pytest

from services.ingest.demand.limits import LIMITS, AccountPlan


def test_only_the_plus_plan_has_order_books_of_30_levels() -> None:
    assert LIMITS["basic"].full_d30 == 0
    assert LIMITS["plus"].full_d30 == 50


@pytest.mark.parametrize("plan", ["basic", "plus"])
def test_a_mode_beside_others_has_the_lower_limit(plan: AccountPlan) -> None:
    assert (LIMITS[plan].full_alone, LIMITS[plan].full_mixed) == (2_000, 1_500)
