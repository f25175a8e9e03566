"""All checks of an order in their order, and the error for the first that is broken."""

from collections.abc import Callable, Iterable
from typing import Final

from services.trading.risk import (
    instrument_rules,
    money_rules,
    session_rules,
    terms_rules,
    user_rules,
)
from services.trading.risk.proposal import Proposal
from shared.contracts.trading_replies import RuleResult
from shared.errors import OrderRefused

Rule = Callable[[Proposal], RuleResult]

RULES: Final[tuple[Rule, ...]] = (
    user_rules.kill_switch,
    user_rules.loss_lock,
    instrument_rules.instrument,
    session_rules.segment_open,
    session_rules.auction,
    session_rules.feed_live,
    terms_rules.quantity,
    terms_rules.price,
    terms_rules.trigger,
    terms_rules.disclosed,
    instrument_rules.product,
    instrument_rules.band,
    terms_rules.validity,
    terms_rules.market_protection,
    user_rules.max_order_quantity,
    user_rules.max_order_value,
    user_rules.max_open_orders,
    user_rules.max_orders_per_sec,
    user_rules.max_orders_per_day,
    money_rules.holdings,
    money_rules.margin,
)
"""A rule has the name of its function."""

# The field of the request that is at fault, for rules about one field.
_FIELDS: Final = {
    "instrument": "key",
    "quantity": "quantity",
    "price": "price",
    "trigger": "trigger_price",
    "disclosed": "disclosed_quantity",
    "product": "product",
    "validity": "validity",
    "market_protection": "market_protection_percent",
    "max_order_quantity": "quantity",
    "holdings": "quantity",
}


def check_order(order: Proposal) -> list[RuleResult]:
    """The results of all rules, in the order of `RULES`. Raises nothing."""
    return [rule(order) for rule in RULES]


def first_refusal(results: Iterable[RuleResult]) -> OrderRefused | None:
    """The error for the first rule that is broken; None if all are kept."""
    for result in results:
        if not result.passed:
            return OrderRefused(
                result.detail,
                field=_FIELDS.get(result.rule),
                rule=result.rule,
                limit=result.limit,
                value=result.value,
            )
    return None
