"""Rules by the instrument: what it is, its products and its circuit limits."""

from datetime import datetime
from typing import Final

from services.trading.margin.margin import UnderlyingKind
from services.trading.risk.proposal import Proposal
from services.trading.risk.rule_result import passed, plain, refused, result
from services.trading.risk.square_off import square_off_ms
from shared.contracts.order_terms import Product
from shared.contracts.trading_replies import RuleResult
from shared.market.exchange_time import IST

# Series and groups of shares whose trades are all delivered.
_TRADE_TO_TRADE_TYPES: Final = frozenset({"BE", "BZ", "T", "XT"})


def instrument(order: Proposal) -> RuleResult:
    """The instrument can be traded: no index, not expired, with rates of charges.

    Stock derivatives are delivered at expiry, so no position is opened on that day.
    """
    rule, facts = "instrument", order.instrument
    if facts.type == "INDEX" or facts.segment.endswith("_INDEX"):
        return refused(rule, f"{facts.symbol} is an index and cannot be traded")
    if facts.tick <= 0 or facts.lot <= 0:
        return refused(rule, f"the tick size and the lot size of {facts.symbol} are not known")
    if not order.has_rates:
        return refused(rule, f"orders of {facts.segment} are not supported", value=facts.segment)
    if facts.expiry is None:
        return passed(rule)
    if facts.expiry < order.day:
        return refused(
            rule,
            f"{facts.symbol} expired on {facts.expiry}; today is {order.day}",
            limit=facts.expiry,
            value=order.day,
        )
    is_delivered = facts.underlying_kind is UnderlyingKind.STOCK and facts.expiry == order.day
    return result(
        rule,
        not is_delivered or order.closes_only,
        f"{facts.symbol} expires today, {facts.expiry}: stock derivatives are delivered,"
        " so only orders that close a position are accepted",
        limit=facts.expiry,
        value=order.day,
    )


def product(order: Proposal) -> RuleResult:
    """The product exists in the segment; no intraday position is opened after the square-off."""
    rule, wanted, facts = "product", order.terms.product, order.instrument
    if wanted is Product.MTF and not facts.is_share:
        return refused(rule, f"{facts.segment} has no MTF; MTF is for shares", value=wanted)
    if wanted is not Product.INTRADAY:
        return passed(rule, value=wanted)
    if facts.is_share and facts.type in _TRADE_TO_TRADE_TYPES:
        return refused(rule, f"shares of type {facts.type} are for delivery only", value=facts.type)
    session = order.market.session
    if session is None or order.closes_only:
        return passed(rule, value=wanted)
    until_ms = square_off_ms(facts.segment, session[1], has_derivatives=facts.has_derivatives)
    limit, value = _ist_minute(until_ms), _ist_minute(order.market.at_ms)
    return result(
        rule,
        order.market.at_ms < until_ms,
        f"intraday positions are opened before {limit}; the market's time is {value}",
        limit=limit,
        value=value,
    )


def band(order: Proposal) -> RuleResult:
    """Limit and trigger lie within the circuit limits, if they are known."""
    lower, upper = order.market.lower_circuit, order.market.upper_circuit
    prices = order.terms.prices
    for name, price in (("price", prices.price), ("trigger price", prices.trigger_price)):
        if price is None or not price.is_finite():
            continue  # the rules of prices judge these
        if lower is not None and price < lower:
            detail = f"the {name} {plain(price)} is below the lower circuit limit {plain(lower)}"
            return refused("band", detail, limit=lower, value=price)
        if upper is not None and price > upper:
            detail = f"the {name} {plain(price)} is above the upper circuit limit {plain(upper)}"
            return refused("band", detail, limit=upper, value=price)
    return passed("band")


def _ist_minute(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, IST):%H:%M}"
