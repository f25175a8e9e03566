"""The events of orders that follow from results of the paper broker."""

from typing import Final

import msgspec

from services.trading.journal.entry import OrderChanged
from services.trading.orders.broker_report import BrokerReport, BrokerState
from services.trading.orders.events import Filled, OrderEvent, Reported
from services.trading.orders.order import Order
from services.trading.paper.results import Expired, Lapsed, PaperFill, Result, Triggered
from shared.contracts.order_terms import OrderType

_NOT_FILLED: Final = "the part of an IOC order that was not filled at once is cancelled"
_DAY_ENDED: Final = "the session has ended"


def order_changes(order: Order, result: Result, at_ms: int) -> list[OrderChanged]:
    """Entries for a result; none if the order has it already, as after a replay."""
    event = _event(order, result, at_ms)
    if isinstance(event, Filled):
        is_known = event.trade_id in order.fills
    else:
        is_known = order.apply(event) == msgspec.structs.replace(
            order, event_count=order.event_count + 1
        )
    return [] if is_known else [OrderChanged(order_id=order.order_id, event=event)]


def _event(order: Order, result: Result, at_ms: int) -> OrderEvent:
    match result:
        case PaperFill():
            return Filled(
                at_ms=at_ms,
                trade_id=result.trade_id,
                quantity=result.quantity,
                price=result.price,
                traded_at_ms=result.quote.ts_ms,
            )
        case Triggered(limit=limit):
            prices = msgspec.structs.replace(
                order.prices, order_type=OrderType.LIMIT, price=limit, trigger_price=None
            )
            return _reported(order, BrokerState.WORKING, at_ms, "triggered", prices)
        case Lapsed():
            return _reported(order, BrokerState.CANCELLED, at_ms, _NOT_FILLED)
        case Expired():
            return _reported(order, BrokerState.EXPIRED, at_ms, _DAY_ENDED)


def _reported(
    order: Order, state: BrokerState, at_ms: int, detail: str, prices: object = None
) -> Reported:
    report = BrokerReport(order.order_id, state, at_ms, prices, detail)  # type: ignore[arg-type]
    return Reported(at_ms=at_ms, report=report)
