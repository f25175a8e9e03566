"""Which orders and trades are visible: by a fault, new ones are missing for a while.

Every time is an argument (exchange time, epoch ms).
"""

from services.simulator.fault_injection.fault_kinds import FaultKind
from services.simulator.fault_injection.faults import Faults
from services.simulator.orders.order import Fill, Order, OrderStatus


class Visibility:
    """Draws the faults of each new order."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._visible_from_ms: dict[str, int] = {}
        """Of orders that are hidden."""
        self._trades_delay_ms: dict[str, int] = {}
        """Of orders whose trades are hidden."""

    def on_order(self, order: Order) -> None:
        """Draw the faults of an order in its first version."""
        if order.status is not OrderStatus.RECEIVED:
            return
        hidden = self._faults.take({FaultKind.ORDER_HIDDEN}, user_id=order.user_id)
        if hidden is not None:
            self._visible_from_ms[order.order_id] = order.placed_ms + hidden.delay_ms
        hidden = self._faults.take({FaultKind.TRADES_HIDDEN}, user_id=order.user_id)
        if hidden is not None:
            self._trades_delay_ms[order.order_id] = hidden.delay_ms

    def shows(self, order: Order, now_ms: int) -> bool:
        """Whether the order is visible."""
        return now_ms >= self._visible_from_ms.get(order.order_id, 0)

    def shows_trade(self, fill: Fill, now_ms: int) -> bool:
        """Whether the trade is visible."""
        delay_ms = self._trades_delay_ms.get(fill.order.order_id, 0)
        return self.shows(fill.order, now_ms) and now_ms >= fill.at_ms + delay_ms
