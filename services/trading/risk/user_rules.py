"""Rules by the user's switches and limits.

An order that can only close a position breaks none of them but the rate: nobody is kept in a position.
"""

from services.trading.risk.proposal import Proposal
from services.trading.risk.rule_result import passed, plain, refused, result
from shared.contracts.trading import RuleResult


def kill_switch(order: Proposal) -> RuleResult:
    """While the kill switch is on, no order opens a position."""
    is_kept = order.closes_only or not order.account.kill_switch
    return result(
        "kill_switch",
        is_kept,
        "the kill switch is on: only orders that close a position are accepted",
        value="on" if order.account.kill_switch else "off",
    )


def loss_lock(order: Proposal) -> RuleResult:
    """After a loss beyond the daily limit, no order opens a position."""
    limit, loss = order.limits.max_daily_loss, order.account.loss
    return result(
        "loss_lock",
        order.closes_only or not order.limits.is_loss_locked(loss),
        f"today's loss of {plain(loss)} is above the limit of {plain(limit)}:"
        " only orders that close a position are accepted",
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
