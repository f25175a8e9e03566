"""The events that follow from news of an order at Upstox. Old and repeated news give none.

A fill comes from a trade only: Upstox reported orders as complete while its systems still held
them.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

import msgspec

from services.trading.orders.broker_report import BrokerReport, BrokerState
from services.trading.orders.events import CommandSettled, Filled, OrderEvent, Reported
from services.trading.orders.order import Order
from services.trading.orders.order_state import OrderState
from services.trading.upstox.rows import OrderRow, TradeRow
from shared.contracts.order_terms import Prices

_ZERO: Final = Decimal(0)


def events_of_row(
    order: Order, row: OrderRow, at_ms: int, *, settles_commands: bool
) -> list[OrderEvent]:
    """The events by which a row of the order book, or an update, changes the order.

    `settles_commands`: a command that was lost, or taken, long ago, and whose effect the row does
    not show, had none.
    """
    events: list[OrderEvent] = []
    reported = Reported(at_ms=at_ms, report=_believed(row))
    after = order.apply(reported)
    if _differs(order, after):
        events.append(reported)
    else:
        after = order
    effect = _effect_of_pending(after, row.report, settles_commands=settles_commands)
    if effect is not None and after.pending is not None:
        command_id = after.pending.command_id
        events.append(CommandSettled(at_ms=at_ms, command_id=command_id, has_effect=effect))
    return events


def events_of_trades(order: Order, trades: Iterable[TradeRow], at_ms: int) -> list[Filled]:
    """The fills that are new, in the order of the rows."""
    new: dict[str, Filled] = {}
    for trade in trades:
        if trade.trade_id not in order.fills:
            new[trade.trade_id] = Filled(
                at_ms=at_ms,
                trade_id=trade.trade_id,
                quantity=trade.quantity,
                price=trade.price,
                traded_at_ms=trade.traded_at_ms,
            )
    return list(new.values())


def lacks_trades(order: Order, row: OrderRow) -> bool:
    """Whether the row has a greater filled quantity than the known trades."""
    return row.is_at_exchange and row.filled_quantity > order.filled_quantity


def is_unsettled(order: Order) -> bool:
    """Whether something about the order is not known and has to be looked up."""
    if order.is_expired:
        return False
    pending = order.pending
    is_effect_unknown = pending is not None and (pending.is_lost or pending.is_taken)
    return order.state is OrderState.UNKNOWN or order.lacks_trades or is_effect_unknown


def _believed(row: OrderRow) -> BrokerReport:
    """The report; a complete order without a number of the exchange counts as received."""
    if row.report.state is BrokerState.COMPLETE and not row.is_at_exchange:
        return msgspec.structs.replace(row.report, state=BrokerState.RECEIVED)
    return row.report


def _differs(before: Order, after: Order) -> bool:
    return msgspec.structs.replace(after, event_count=before.event_count) != before


def _effect_of_pending(
    order: Order, report: BrokerReport, *, settles_commands: bool
) -> bool | None:
    """Whether the pending command had an effect; None while that is not known."""
    pending = order.pending
    if pending is None or not (pending.is_lost or pending.is_taken):
        return None
    if pending.prices is None:
        if order.state is OrderState.CANCELLED:
            return True
    elif report.prices is not None and _are_equal(report.prices, pending.prices):
        # An old row may have the same terms as a later modification.
        newest = order.priced_report
        if newest is None or report.age >= newest.age:
            return True
    return False if order.state.is_final or settles_commands else None


def _are_equal(one: Prices, other: Prices) -> bool:
    """Whether two terms mean the same: Upstox lists 0 for a price that an order does not have."""
    return _comparable(one) == _comparable(other)


def _comparable(prices: Prices) -> Prices:
    return msgspec.structs.replace(
        prices, price=prices.price or _ZERO, trigger_price=prices.trigger_price or _ZERO
    )
