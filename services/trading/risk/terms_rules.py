"""Rules by the terms of the order and the units of its instrument."""

from decimal import Decimal
from typing import Final

from services.trading.orders.protection import MAX_PROTECTION_PERCENT
from services.trading.risk.proposal import (
    MAX_PRICE,
    Proposal,
    is_valid_price,
    is_valid_protection,
)
from services.trading.risk.rule_result import passed, plain, refused, result
from services.trading.risk.session_rules import is_auction
from shared.contracts.order_terms import Side, Validity
from shared.contracts.trading_replies import RuleResult

# Percent of the quantity, by Upstox's help page 251374. Other segments take no disclosed quantity.
_LEAST_DISCLOSED_PERCENT: Final = {
    "NSE_EQ": 10,
    "BSE_EQ": 10,
    "NCD_FO": 10,
    "MCX_FO": 25,
}


def quantity(order: Proposal) -> RuleResult:
    """The quantity is whole lots, not above the freeze quantity, and above what is filled."""
    rule, wanted, filled = "quantity", order.terms.prices.quantity, order.filled_quantity
    lot, freeze = order.instrument.lot, order.instrument.freeze
    if wanted <= filled:
        least = f"{filled}, which is filled" if filled else "0"
        detail = f"the quantity {wanted} is not above {least}"
        return refused(rule, detail, limit=filled, value=wanted)
    if lot <= 0 or wanted % lot:
        return refused(
            rule,
            f"the quantity {wanted} is not a multiple of the lot size {lot}",
            limit=lot,
            value=wanted,
        )
    return result(
        rule,
        freeze is None or wanted <= freeze,
        f"the quantity {wanted} is above the freeze quantity {freeze}",
        limit=lot if freeze is None else freeze,
        value=wanted,
    )


def price(order: Proposal) -> RuleResult:
    """LIMIT and SL have a price on a tick; MARKET and SL-M have none."""
    prices = order.terms.prices
    return _price_rule(order, "price", "price", prices.price, is_needed=prices.order_type.has_limit)


def trigger(order: Proposal) -> RuleResult:
    """SL and SL-M have a trigger on a tick, beyond the LTP and not beyond the limit."""
    rule, prices = "trigger", order.terms.prices
    wanted = prices.trigger_price
    form = _price_rule(
        order, rule, "trigger price", wanted, is_needed=prices.order_type.has_trigger
    )
    if not form.passed or wanted is None:
        return form
    is_buy = order.terms.side is Side.BUY
    verb, beyond = ("buy", "above") if is_buy else ("sell", "below")
    limit, ltp = prices.price, order.market.ltp
    if prices.order_type.has_limit and limit is not None and limit.is_finite():
        is_behind = limit < wanted if is_buy else limit > wanted
        if is_behind:
            return refused(
                rule,
                f"the price {plain(limit)} of a stop order to {verb} must not be"
                f" {'below' if is_buy else 'above'} its trigger price {plain(wanted)}",
                limit=limit,
                value=wanted,
            )
    if order.is_triggered:
        return passed(rule, value=wanted)
    if ltp is None:
        return refused(rule, "no LTP is known to compare the trigger price with", value=wanted)
    return result(
        rule,
        wanted > ltp if is_buy else wanted < ltp,
        f"the trigger price {plain(wanted)} of a stop order to {verb}"
        f" must be {beyond} the LTP {plain(ltp)}",
        limit=ltp,
        value=wanted,
    )


def disclosed(order: Proposal) -> RuleResult:
    """The disclosed quantity is a part of the quantity, and not too small a part."""
    rule, prices = "disclosed", order.terms.prices
    shown, whole, segment = prices.disclosed_quantity, prices.quantity, order.instrument.segment
    if not shown:
        return passed(rule, value=shown)
    least_percent = _LEAST_DISCLOSED_PERCENT.get(segment)
    if least_percent is None:
        return refused(rule, f"{segment} takes no disclosed quantity", limit=0, value=shown)
    if is_auction(order):
        return refused(rule, "an auction takes no disclosed quantity", limit=0, value=shown)
    if shown > whole:
        return refused(
            rule,
            f"the disclosed quantity {shown} is above the quantity {whole}",
            limit=whole,
            value=shown,
        )
    return result(
        rule,
        shown * 100 >= whole * least_percent,
        f"the disclosed quantity {shown} is below {least_percent} % of the quantity {whole}",
        limit=f"{least_percent} %",
        value=shown,
    )


def validity(order: Proposal) -> RuleResult:
    """IOC orders are filled at once, so they disclose nothing."""
    prices = order.terms.prices
    return result(
        "validity",
        prices.validity is Validity.DAY or not prices.disclosed_quantity,
        "an IOC order takes no disclosed quantity",
        value=prices.validity,
    )


def market_protection(order: Proposal) -> RuleResult:
    """MARKET and SL-M may set a protection; other orders have a limit.

    A modified order may have one from the time before it was triggered or got a limit.
    """
    rule, percent = "market_protection", order.terms.market_protection_percent
    if percent is None:
        return passed(rule, limit=MAX_PROTECTION_PERCENT)
    if order.terms.prices.order_type.has_limit and not order.is_modification:
        return refused(
            rule,
            f"{order.terms.prices.order_type} has a limit and takes no market protection",
            value=percent,
        )
    return result(
        rule,
        is_valid_protection(percent),
        f"the market protection {plain(percent)} % is not above 0 and at most {plain(MAX_PROTECTION_PERCENT)} %",
        limit=MAX_PROTECTION_PERCENT,
        value=percent,
    )


def _price_rule(
    order: Proposal, rule: str, name: str, value: Decimal | None, *, is_needed: bool
) -> RuleResult:
    order_type, tick = order.terms.prices.order_type, order.instrument.tick
    if value is None:
        return result(rule, not is_needed, f"{order_type} needs a {name}")
    if not is_needed:
        return refused(rule, f"{order_type} takes no {name}", value=value)
    if not is_valid_price(value):
        return refused(
            rule,
            f"the {name} {plain(value)} is not above 0 and at most {plain(MAX_PRICE)}",
            limit=MAX_PRICE,
            value=value,
        )
    return result(
        rule,
        tick > 0 and value % tick == 0,
        f"the {name} {plain(value)} is not a multiple of the tick size {plain(tick)}",
        limit=tick,
        value=value,
    )
