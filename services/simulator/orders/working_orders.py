"""The working orders, those that are not final: applies changes to them and notifies listeners.

Every time is an argument (exchange time, epoch ms).
"""

from collections.abc import Callable
from dataclasses import replace

from services.simulator.market.state import SimulatedState
from services.simulator.orders import checks
from services.simulator.orders.order import Fill, Order, OrderStatus
from services.simulator.orders.order_store import OrderStore
from services.simulator.orders.risk_checks import RiskChecks


class WorkingOrders:
    """Indexes the working orders of all users. Each version of an order also goes to the store."""

    def __init__(self, order_store: OrderStore, risk_checks: RiskChecks) -> None:
        self._order_store = order_store
        self._risk_checks = risk_checks
        self._by_key: dict[str, dict[str, Order]] = {}
        """By instrument key and order id."""
        self._trade_number = 0
        self.on_order: list[Callable[[Order], None]] = []
        """Called with an order after each of its changes."""
        self.on_fill: list[Callable[[Fill], None]] = []
        """Called with a fill after the account is updated."""

    @property
    def keys(self) -> list[str]:
        """The instruments with working orders."""
        return [key for key, orders in self._by_key.items() if orders]

    def of_key(self, key: str) -> list[Order]:
        """The working orders of an instrument, by price priority, then by time priority."""
        return sorted(self._by_key[key].values(), key=_priority)

    def of_user(self, user_id: str) -> list[Order]:
        """The working orders of a user."""
        return [
            order
            for orders in self._by_key.values()
            for order in orders.values()
            if order.user_id == user_id
        ]

    def move(self, order: Order, status: OrderStatus, at_ms: int, message: str = "") -> Order:
        """Return the order in its next status."""
        order = order.move(status, at_ms, message)
        self.update(order)
        return order

    def cancel(self, order: Order, at_ms: int, message: str) -> Order:
        """Return the cancelled order."""
        order = self.move(order, OrderStatus.CANCEL_PENDING, at_ms)
        return self.move(order, OrderStatus.CANCELLED, at_ms, message)

    def fill(self, order: Order, price_paise: int, quantity: int, at_ms: int) -> Order:
        """Return the order after one more fill, which the user's account has recorded."""
        order = order.fill(price_paise, quantity, at_ms)
        self._trade_number += 1
        fill = Fill(str(self._trade_number), order, price_paise, quantity, at_ms)
        self._order_store.add_fill(fill)
        self._risk_checks.record(fill)
        self.update(order)
        for listener in self.on_fill:
            listener(fill)
        return order

    def fill_anyway(
        self,
        order: Order,
        state: SimulatedState,
        quantity: int,
        price_paise: int | None,
        at_ms: int,
    ) -> Order:
        """Fill an order that the market need not trade, for example one without its trigger.

        `price_paise` None means the limit of the order, or the last price if it has none.
        """
        if order.status is not OrderStatus.OPEN:
            limit = checks.limit_paise(order.request, state)
            is_triggered = order.request.order_type.has_trigger
            order = replace(order, limit_paise=limit, triggered=is_triggered)
            order = self.move(order, OrderStatus.OPEN, at_ms)
        price_paise = price_paise or order.limit_paise or state.ltp_paise
        return self.fill(order, price_paise, quantity, at_ms)

    def update(self, order: Order) -> None:
        """Store a new version of an order and notify the listeners."""
        self._order_store.add(order)
        orders = self._by_key.setdefault(order.request.instrument_key, {})
        if order.is_final:
            orders.pop(order.order_id, None)
        else:
            orders[order.order_id] = order
        for listener in self.on_order:
            listener(order)


def _priority(order: Order) -> tuple[int, str]:
    """By price, then by time; orders without a limit first."""
    limit = order.limit_paise
    return (-order.request.side.sign * limit if limit else -1 << 62, order.order_id)
