"""Orders that a fault keeps from the exchange, or from their cancellation, for a while.

Every time is an argument (exchange time, epoch ms).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from services.simulator.fault_injection.fault_kinds import HOLD_FAULTS, FaultKind
from services.simulator.fault_injection.faults import Fault, Faults
from services.simulator.market.state import SimulatedState
from services.simulator.orders.order import Order, OrderStatus
from services.simulator.orders.working_orders import WorkingOrders

_RESTING: Final = (OrderStatus.OPEN, OrderStatus.TRIGGER_PENDING)


@dataclass(frozen=True, slots=True)
class _Hold:
    order: Order
    fault: Fault
    until_ms: int


class HeldOrders:
    """Nothing changes a held order until it is released."""

    def __init__(
        self,
        working: WorkingOrders,
        states: Mapping[str, SimulatedState],
        faults: Faults,
        send_to_exchange: Callable[[Order, int], Order],
    ) -> None:
        self._working = working
        self._states = states
        self._faults = faults
        self._send_to_exchange = send_to_exchange
        self._holds: dict[str, _Hold] = {}

    def is_held(self, order: Order) -> bool:
        """Whether the order is held."""
        return order.order_id in self._holds

    def hold_new(self, order: Order, at_ms: int) -> Order | None:
        """Hold an order that would go to the exchange now; None without a fault."""
        fault = self._faults.take(HOLD_FAULTS, user_id=order.user_id)
        if fault is None:
            return None
        if fault.kind is FaultKind.EARLY_COMPLETE:
            order = replace(order, is_shown_complete=True)
            self._working.update(order)
        return self._hold(order, fault, at_ms)

    def hold_cancelled(self, order: Order, at_ms: int) -> Order | None:
        """Hold an order that would be cancelled now; None without a fault or if it does not rest."""
        if order.status not in _RESTING:
            return None
        fault = self._faults.take({FaultKind.LATE_CANCEL}, user_id=order.user_id)
        if fault is None:
            return None
        order = self._working.move(order, OrderStatus.CANCEL_PENDING, at_ms)
        return self._hold(order, fault, at_ms)

    def release_due(self, now_ms: int) -> None:
        """Release the orders whose delay has passed."""
        self._release([hold for hold in self._holds.values() if hold.until_ms <= now_ms], now_ms)

    def release_key(self, key: str, now_ms: int) -> None:
        """Release all orders of an instrument, at the end of its day."""
        holds = [each for each in self._holds.values() if each.order.request.instrument_key == key]
        self._release(holds, now_ms)

    def _hold(self, order: Order, fault: Fault, at_ms: int) -> Order:
        self._holds[order.order_id] = _Hold(order, fault, at_ms + fault.delay_ms)
        return order

    def _release(self, holds: list[_Hold], now_ms: int) -> None:
        for hold in holds:
            order = hold.order
            del self._holds[order.order_id]
            match hold.fault.kind:
                case FaultKind.EARLY_COMPLETE:
                    self._send_to_exchange(replace(order, is_shown_complete=False), now_ms)
                case FaultKind.LATE_REJECTION:
                    message = hold.fault.message or "Insufficient funds"
                    self._working.move(order, OrderStatus.REJECTED, now_ms, message)
                case FaultKind.LATE_CANCEL:
                    order = self._working.move(order, OrderStatus.NOT_CANCELLED, now_ms)
                    state = self._states[order.request.instrument_key]
                    quantity = order.pending_quantity
                    self._working.fill_anyway(order, state, quantity, None, now_ms)
