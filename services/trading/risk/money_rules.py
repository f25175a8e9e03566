"""Rules by what the account owns: shares for a sale, money for margin and charges."""

from decimal import Decimal

from services.trading.risk.proposal import Proposal
from services.trading.risk.rule_result import passed, plain, refused, result
from shared.contracts.trading_replies import RuleResult


def holdings(order: Proposal) -> RuleResult:
    """Only shares that are owned are sold with delivery."""
    rule = "holdings"
    if not order.is_delivery_sale:
        return passed(rule)
    limit = max(0, order.account.closable)
    return result(
        rule,
        order.remaining <= limit,
        f"the sale of {order.remaining} needs as many shares, and {limit} can be sold:"
        " holdings, plus shares that arrive tomorrow, plus today's position, less open sales",
        limit=limit,
        value=order.remaining,
    )


def margin(order: Proposal) -> RuleResult:
    """Margin and charges are available. Closing a position needs neither beforehand.

    For an order at a broker they are only estimates: the broker includes hedges, and checks itself.
    """
    rule, available = "margin", order.account.available
    if order.closes_only:
        return passed(rule, limit=available, value=Decimal(0))
    needed, charges = order.margin, order.charges
    if not order.is_margin_checked:
        return passed(rule, limit=available, value=needed)
    if needed is None or charges is None:
        return refused(
            rule, "the margin cannot be estimated without a valid price", limit=available
        )
    return result(
        rule,
        needed + charges.total <= available,
        f"the order needs {needed} of margin and {charges.total} of charges,"
        f" and {plain(available)} is available",
        limit=available,
        value=needed + charges.total,
    )
