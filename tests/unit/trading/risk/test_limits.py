"""The limits of a user."""

from decimal import Decimal

from services.trading.risk.limits import UserLimits


def test_the_loss_lock_begins_beyond_the_limit() -> None:
    limits = UserLimits(max_daily_loss=Decimal(1_000))
    assert not limits.is_loss_locked(Decimal(-2_000))
    assert not limits.is_loss_locked(Decimal(1_000))
    assert limits.is_loss_locked(Decimal("1000.01"))


def test_a_user_sees_all_limits_and_both_locks() -> None:
    limits = UserLimits(max_order_quantity=5, max_daily_loss=Decimal(1_000))
    view = limits.view(kill_switch=True, loss=Decimal(1_001))
    assert view.max_order_quantity == 5
    assert view.max_daily_loss == Decimal(1_000)
    assert (view.kill_switch, view.loss_lock) == (True, True)
    assert not limits.view(kill_switch=False, loss=Decimal(0)).loss_lock
