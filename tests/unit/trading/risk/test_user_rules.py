"""Rules by the user's switches and limits: kept at the limit, broken just beyond it."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from services.trading.risk import user_rules
from services.trading.risk.checks import Rule
from shared.contracts.order_terms import OrderType, Side
from shared.contracts.trading_replies import ActiveSwitch, SwitchScope, SwitchSetter
from tests.support.proposals import CRUDE, SHARE, proposal

OWN = ActiveSwitch(scope=SwitchScope.USER, set_by=SwitchSetter.USER, at=1)
FOR_USER = ActiveSwitch(
    scope=SwitchScope.USER, set_by=SwitchSetter.ADMINISTRATOR, at=1, reason="under review"
)
FOR_SHARE = msgspec.structs.replace(FOR_USER, scope=SwitchScope.INSTRUMENT, key=SHARE.key)
FOR_ALL = msgspec.structs.replace(FOR_USER, scope=SwitchScope.GLOBAL)


@pytest.mark.parametrize(
    ("state", "scope", "detail"),
    [
        ({"user_switches": [OWN]}, "user", "your own kill switch is on"),
        ({"user_switches": [FOR_USER]}, "user",
         "the kill switch for your account was set by an administrator (under review)"),
        ({"market_switches": [FOR_SHARE]}, "instrument",
         f"the kill switch for {SHARE.key} was set by an administrator (under review)"),
        ({"market_switches": [FOR_ALL, FOR_SHARE], "user_switches": [OWN]}, "global",
         "the kill switch for all users was set by an administrator (under review)"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_kill_switch_who_has_set_it_and_why(
    state: dict[str, Any], scope: str, detail: str
) -> None:
    refusal = user_rules.kill_switch(proposal(**state))
    assert not refusal.passed
    assert refusal.detail == f"{detail}: only orders that close a position are accepted"
    assert refusal.value == scope


def test_without_a_kill_switch_orders_are_accepted() -> None:
    result = user_rules.kill_switch(proposal())
    assert (result.passed, result.value) == (True, "off")


def test_orders_are_refused_while_it_is_not_known_whether_a_kill_switch_is_on() -> None:
    refusal = user_rules.kill_switch(proposal(are_switches_known=False))
    assert (refusal.passed, refusal.value) == (False, "unknown")
    assert refusal.detail == (
        "the kill switches could not be read for 5 s:"
        " only orders that close a position are accepted"
    )


def test_the_loss_lock_stays_when_prices_recover() -> None:
    result = user_rules.loss_lock(
        proposal(loss=Decimal(-500), locked_loss=Decimal(50_001), max_daily_loss=Decimal(50_000))
    )
    assert not result.passed
    assert (result.limit, result.value) == ("50000", "50001")
    assert result.detail == (
        "today's loss of 50001 was above the limit of 50000:"
        " until the end of the trading day only orders that close a position are accepted"
    )


@pytest.mark.parametrize(("loss", "passed"), [("110000", True), ("110000.01", False)])
def test_after_the_lock_was_lifted_the_limit_counts_from_the_loss_at_that_time(
    loss: str, passed: bool
) -> None:
    order = proposal(
        loss=Decimal(loss), lifted_loss=Decimal(60_000), max_daily_loss=Decimal(50_000)
    )
    result = user_rules.loss_lock(order)
    assert (result.passed, result.limit) == (passed, "110000")


@pytest.mark.parametrize(("closable", "passed"), [(100, True), (99, False)])
@pytest.mark.parametrize(
    ("rule", "state"),
    [
        (user_rules.kill_switch, {"user_switches": [OWN]}),
        (user_rules.kill_switch, {"market_switches": [FOR_ALL]}),
        (user_rules.kill_switch, {"are_switches_known": False}),
        (user_rules.loss_lock, {"loss": Decimal(1_000_000)}),
        (user_rules.loss_lock, {"locked_loss": Decimal(1)}),
        (user_rules.max_order_quantity, {"max_order_quantity": 99}),
        (user_rules.max_order_value, {"max_order_value": Decimal(1)}),
        (user_rules.max_open_orders, {"open_orders": 100}),
        (user_rules.max_orders_per_day, {"orders_today": 2_000}),
    ],
)
def test_an_order_that_only_closes_a_position_is_not_held_back(
    rule: Rule, state: dict[str, Any], closable: int, passed: bool
) -> None:
    order = proposal(side=Side.SELL, quantity=100, closable=closable, **state)
    assert rule(order).passed is passed


@pytest.mark.parametrize(
    ("loss", "passed"), [("-500", True), ("50000.00", True), ("50000.01", False)]
)
def test_a_loss_above_the_daily_limit_stops_new_positions(loss: str, passed: bool) -> None:
    result = user_rules.loss_lock(proposal(loss=Decimal(loss), max_daily_loss=Decimal(50_000)))
    assert result.passed is passed
    assert (result.limit, result.value) == ("50000", loss)


@pytest.mark.parametrize(("quantity", "passed"), [(500, True), (501, False)])
def test_the_quantity_of_an_order_is_limited(quantity: int, passed: bool) -> None:
    result = user_rules.max_order_quantity(proposal(quantity=quantity, max_order_quantity=500))
    assert result.passed is passed
    assert (result.limit, result.value) == ("500", str(quantity))


@pytest.mark.parametrize(("price", "passed"), [("100.00", True), ("100.05", False)])
def test_the_value_of_an_order_is_limited(price: str, passed: bool) -> None:
    result = user_rules.max_order_value(
        proposal(quantity=10, price=Decimal(price), max_order_value=Decimal(1_000))
    )
    assert result.passed is passed
    if not passed:
        assert result.detail == "the value 1000.50 is above your limit of 1000 for one order"


def test_the_value_of_a_commodity_counts_the_units_of_a_lot() -> None:
    order = proposal(CRUDE, quantity=2, price=Decimal(6_000), max_order_value=Decimal(1_199_999))
    assert user_rules.max_order_value(order).value == "1200000"
    assert not user_rules.max_order_value(order).passed


def test_an_order_without_a_known_value_breaks_the_limit_of_the_value() -> None:
    order = proposal(order_type=OrderType.MARKET, ltp=None)
    assert not user_rules.max_order_value(order).passed


@pytest.mark.parametrize(("open_orders", "passed"), [(19, True), (20, False)])
def test_the_number_of_open_orders_is_limited(open_orders: int, passed: bool) -> None:
    order = proposal(open_orders=open_orders, max_open_orders=20)
    assert user_rules.max_open_orders(order).passed is passed


@pytest.mark.parametrize(("before", "passed"), [(9, True), (10, False)])
def test_the_number_of_orders_within_a_second_is_limited_for_all_orders(
    before: int, passed: bool
) -> None:
    opens = proposal(orders_last_sec=before)
    closes = proposal(side=Side.SELL, closable=100, orders_last_sec=before)
    changes = proposal(is_modification=True, orders_last_sec=before)
    assert [user_rules.max_orders_per_sec(order).passed for order in (opens, closes, changes)] == [
        passed
    ] * 3


@pytest.mark.parametrize(("before", "passed"), [(49, True), (50, False)])
def test_the_number_of_orders_of_a_day_is_limited(before: int, passed: bool) -> None:
    order = proposal(orders_today=before, max_orders_per_day=50)
    assert user_rules.max_orders_per_day(order).passed is passed


def test_a_modification_is_no_further_order() -> None:
    order = proposal(is_modification=True, open_orders=1_000, orders_today=10_000)
    assert user_rules.max_open_orders(order).passed
    assert user_rules.max_orders_per_day(order).passed
