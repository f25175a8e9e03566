"""Rules by the user's switches and limits.

An order that can only close a position breaks none of them but the rate: nobody is kept in a position.
"""

from typing import Final

from services.trading.risk.proposal import Proposal
from services.trading.risk.rule_result import passed, plain, refused, result
from services.trading.risk.switch_board import MAX_AGE_SECS
from shared.contracts.trading_replies import ActiveSwitch, RuleResult, SwitchScope, SwitchSetter

_CLOSING_ONLY: Final = "only orders that close a position are accepted"


def kill_switch(order: Proposal) -> RuleResult:
    """While a kill switch is on, or it is not known whether one is, no order opens a position."""
    rule, market = "kill_switch", order.market
    switches = [*market.market_switches, *order.account.user_switches]
    if switches:
        return result(
            rule,
            order.closes_only,
            f"{_described(switches[0])}: {_CLOSING_ONLY}",
            value=switches[0].scope.value,
        )
    return result(
        rule,
        order.closes_only or market.are_switches_known,
        f"the kill switches could not be read for {MAX_AGE_SECS:g} s: {_CLOSING_ONLY}",
        value="off" if market.are_switches_known else "unknown",
    )


def loss_lock(order: Proposal) -> RuleResult:
    """After a loss beyond the daily limit, no order opens a position until the day has ended."""
    rule, loss, locked_loss = "loss_lock", order.account.loss, order.account.locked_loss
    limit = order.limits.loss_limit(order.account.lifted_loss)
    if locked_loss is not None:
        return result(
            rule,
            order.closes_only,
            f"today's loss of {plain(locked_loss)} was above the limit of {plain(limit)}:"
            f" until the end of the trading day {_CLOSING_ONLY}",
            limit=limit,
            value=locked_loss,
        )
    return result(
        rule,
        order.closes_only or loss <= limit,
        f"today's loss of {plain(loss)} is above the limit of {plain(limit)}: {_CLOSING_ONLY}",
        limit=limit,
        value=loss,
    )


def max_order_quantity(order: Proposal) -> RuleResult:
    """The quantity of one order is bounded."""
    limit, quantity = order.limits.max_order_quantity, order.terms.prices.quantity
    return result(
        "max_order_quantity",
        order.closes_only or quantity <= limit,
        f"the quantity {quantity} is above your limit of {limit} for one order",
        limit=limit,
        value=quantity,
    )


def max_order_value(order: Proposal) -> RuleResult:
    """The value of one order is bounded."""
    rule, limit, value = "max_order_value", order.limits.max_order_value, order.value
    if order.closes_only:
        return passed(rule, limit=limit, value=value)
    if value is None:
        return refused(
            rule,
            f"the value is not known without a price, and your limit for one order is {plain(limit)}",
            limit=limit,
        )
    return result(
        rule,
        value <= limit,
        f"the value {plain(value)} is above your limit of {plain(limit)} for one order",
        limit=limit,
        value=value,
    )


def max_open_orders(order: Proposal) -> RuleResult:
    """The number of orders that are open together is bounded."""
    limit, count = order.limits.max_open_orders, order.account.open_orders + 1
    return result(
        "max_open_orders",
        order.closes_only or order.is_modification or count <= limit,
        f"this would be open order {count}, and your limit is {limit}",
        limit=limit,
        value=count,
    )


def max_orders_per_sec(order: Proposal) -> RuleResult:
    """The number of orders and modifications within a second is bounded."""
    limit, count = order.limits.max_orders_per_sec, order.account.orders_last_sec + 1
    return result(
        "max_orders_per_sec",
        count <= limit,
        f"this would be order {count} within one second, and your limit is {limit}",
        limit=limit,
        value=count,
    )


def max_orders_per_day(order: Proposal) -> RuleResult:
    """The number of orders of a day is bounded."""
    limit, count = order.limits.max_orders_per_day, order.account.orders_today + 1
    return result(
        "max_orders_per_day",
        order.closes_only or order.is_modification or count <= limit,
        f"this would be order {count} of today, and your limit is {limit}",
        limit=limit,
        value=count,
    )


def _described(switch: ActiveSwitch) -> str:
    if switch.set_by is SwitchSetter.USER:
        return "your own kill switch is on"
    match switch.scope:
        case SwitchScope.GLOBAL:
            name = "the kill switch for all users"
        case SwitchScope.INSTRUMENT:
            name = f"the kill switch for {switch.key}"
        case SwitchScope.USER:
            name = "the kill switch for your account"
    return f"{name} was set by an administrator ({switch.reason})"
