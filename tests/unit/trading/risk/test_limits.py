"""The limits of a user."""

from decimal import Decimal

from services.trading.risk.limits import UserLimits
from shared.contracts.trading_replies import ActiveSwitch, SwitchScope, SwitchSetter


def test_the_limit_of_the_loss_is_counted_from_the_loss_at_which_the_lock_was_lifted() -> None:
    limits = UserLimits(max_daily_loss=Decimal(1_000))
    assert limits.loss_limit(None) == 1_000
    assert limits.loss_limit(Decimal(0)) == 1_000
    assert limits.loss_limit(Decimal("1200.50")) == Decimal("2200.50")


def test_a_user_sees_all_limits_and_what_stops_new_orders() -> None:
    limits = UserLimits(max_order_quantity=5, max_daily_loss=Decimal(1_000))
    switch = ActiveSwitch(scope=SwitchScope.USER, set_by=SwitchSetter.USER, at=1)
    view = limits.view(kill_switch=True, loss_lock=False, switches=[switch])
    assert view.max_order_quantity == 5
    assert view.max_daily_loss == Decimal(1_000)
    assert (view.kill_switch, view.loss_lock, view.switches) == (True, False, [switch])
