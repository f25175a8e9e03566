"""The limits are those of Upstox's documentation."""

import pytest

from services.ingest.demand.limits import LIMITS, AccountPlan, Mode, use_of
from shared.contracts.demand import ModeUse


def test_only_the_plus_plan_has_order_books_of_30_levels() -> None:
    assert LIMITS["basic"].full_d30 == 0
    assert LIMITS["plus"].full_d30 == 50


@pytest.mark.parametrize("plan", ["basic", "plus"])
def test_a_mode_beside_others_has_the_lower_limit(plan: AccountPlan) -> None:
    assert (LIMITS[plan].full_alone, LIMITS[plan].full_mixed) == (2_000, 1_500)


def test_the_use_of_each_mode_has_the_limit_beside_the_others() -> None:
    alone = {"full": ModeUse(1, 2_000), "option_greeks": ModeUse(0, 2_000)}
    assert use_of([Mode.FULL], LIMITS["basic"]) == alone
    mixed = {"full": ModeUse(1, 1_500), "option_greeks": ModeUse(2, 2_000)}
    modes = [Mode.FULL, Mode.OPTION_GREEKS, Mode.OPTION_GREEKS]
    assert use_of(modes, LIMITS["basic"]) == mixed
    assert use_of([Mode.FULL_D30], LIMITS["plus"]) == {
        "full": ModeUse(0, 1_500), "full_d30": ModeUse(1, 50), "option_greeks": ModeUse(0, 2_000),
    }  # fmt: skip
