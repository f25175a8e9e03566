"""Rules by the session of the segment and by the feed."""

from typing import Final

from services.trading.risk.proposal import Proposal
from services.trading.risk.rule_result import passed, refused, result
from shared.contracts.order_terms import OrderType, Validity
from shared.contracts.trading_replies import RuleResult
from shared.market.exchange_calendar import Phase, exchange_of
from shared.market.exchange_sessions import session_rule
from shared.market.exchange_time import MINUTE_MS, day_start, ist_date

# The closing auction of shares with derivatives, in minutes before the end of the shares' session:
# first no orders are accepted, then limit and market orders, then limit orders only. The entry ends
# at random in the last two minutes; here it ends with their start.
_AUCTION_START: Final = 10
_AUCTION_MARKET_END: Final = 5
_AUCTION_END: Final = 2
# The pre-open takes market orders until this many minutes before continuous trading.
_PRE_OPEN_MARKET_END: Final = 10


def segment_open(order: Proposal) -> RuleResult:
    """The segment takes orders: in continuous trading or in an auction."""
    rule, phase = "segment_open", order.market.phase
    minutes = _closing_auction_minutes(order)
    if minutes is not None and minutes > _AUCTION_START:
        return refused(rule, "no orders are accepted until the closing auction begins", value=phase)
    if minutes is not None and minutes <= _AUCTION_END:
        return refused(rule, "the closing auction accepts no more orders", value=phase)
    return result(
        rule,
        phase in (Phase.NORMAL_OPEN, Phase.PRE_OPEN_START),
        f"{order.instrument.segment} is not open: its phase is {phase}",
        limit=f"{Phase.PRE_OPEN_START} or {Phase.NORMAL_OPEN}",
        value=phase,
    )


def auction(order: Proposal) -> RuleResult:
    """An auction takes limit orders and, in its first part, market orders; no stops, no IOC."""
    rule, prices = "auction", order.terms.prices
    if not is_auction(order):
        return passed(rule)
    if prices.order_type.has_trigger and not order.is_triggered:
        return refused(rule, "an auction takes no stop orders", value=prices.order_type)
    if prices.validity is Validity.IOC:
        return refused(rule, "an auction takes no IOC orders", value=prices.validity)
    return result(
        rule,
        prices.order_type is not OrderType.MARKET or _takes_market_orders(order),
        "this part of the auction takes limit orders only",
        value=prices.order_type,
    )


def feed_live(order: Proposal) -> RuleResult:
    """Prices are known to be current."""
    return result(
        "feed_live",
        order.market.is_live,
        "the market feed is not live, so no order can be checked or filled",
        limit="live",
        value="live" if order.market.is_live else "not live",
    )


def is_auction(order: Proposal) -> bool:
    """Whether the order would take part in the opening or the closing auction."""
    if order.market.phase is Phase.PRE_OPEN_START:
        return True
    return _closing_auction_minutes(order) is not None


def _takes_market_orders(order: Proposal) -> bool:
    session = order.market.session
    if session is None:
        return False
    if order.market.phase is Phase.PRE_OPEN_START:
        return order.market.at_ms < session[0] - _PRE_OPEN_MARKET_END * MINUTE_MS
    minutes = _closing_auction_minutes(order)
    return minutes is not None and minutes > _AUCTION_MARKET_END


def _closing_auction_minutes(order: Proposal) -> float | None:
    """Minutes to the end of the session of a share that is in its closing auction; else None.

    A session that ends at another time than usual, such as that of Diwali, has no such auction.
    """
    facts, market = order.instrument, order.market
    has_auction = facts.is_share and facts.has_derivatives
    if not has_auction or market.session is None or market.phase is not Phase.NORMAL_OPEN:
        return None
    rule = session_rule(exchange_of(facts.segment), ist_date(market.at_ms))
    _, usual_end = rule.hours
    end_ms = market.session[1]
    if rule.closing_auction is None or end_ms != day_start(market.at_ms) + usual_end * MINUTE_MS:
        return None
    minutes = (end_ms - market.at_ms) / MINUTE_MS
    return minutes if minutes <= -rule.closing_auction[0] else None
