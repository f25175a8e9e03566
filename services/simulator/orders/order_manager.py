"""The order manager: accepts the orders of all users and matches them against the market.

Every time is an argument (exchange time, epoch ms). An order passes its first statuses at once.
Then it rests, and each step of the market may fill it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.fault_injection.fault_kinds import FaultKind
from services.simulator.fault_injection.faults import Faults
from services.simulator.market.flows import Trade
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import SimulatedState
from services.simulator.orders import checks
from services.simulator.orders.auction_fills import auction_fills
from services.simulator.orders.held_orders import HeldOrders
from services.simulator.orders.liquidity import Liquidity
from services.simulator.orders.order import (
    AMO_PENDING,
    Order,
    OrderRequest,
    OrderStatus,
    OrderType,
    Validity,
)
from services.simulator.orders.order_store import OrderStore
from services.simulator.orders.risk_checks import RiskChecks
from services.simulator.orders.sessions import Sessions
from services.simulator.orders.working_orders import WorkingOrders
from shared.market.exchange_calendar import Phase
from shared.market.exchange_time import ist_date, trading_day

_PRE_OPEN: Final = (Phase.PRE_OPEN_START, Phase.PRE_OPEN_END)

Modification = Callable[[OrderRequest], OrderRequest]
"""Returns the modified request for the present one."""


class OrderManager:
    """Manages every order from its placement to its final status."""

    def __init__(
        self,
        states: Mapping[str, SimulatedState],
        calendar: SimulatedCalendar,
        risk_checks: RiskChecks,
        order_store: OrderStore,
        *,
        start_ms: int,
        needs_protection: bool = False,
        faults: Faults | None = None,
    ) -> None:
        """With `needs_protection` market orders without market protection are refused."""
        self._states = states
        self._sessions = Sessions(states, calendar)
        self._risk_checks = risk_checks
        self.order_store = order_store
        self._needs_protection = needs_protection
        self._day = trading_day(start_ms)
        self._faults = faults or Faults()
        self._working = WorkingOrders(order_store, risk_checks)
        self._held = HeldOrders(self._working, states, self._faults, self._send_to_exchange)
        self._liquidity: dict[str, Liquidity] = {}
        self._order_number = 0
        self.on_order = self._working.on_order
        self.on_fill = self._working.on_fill

    def place(self, user_id: str, request: OrderRequest, at_ms: int) -> Order:
        """Place an order; it may be filled or rejected on return.

        Raises ApiError if the order service refuses the request, so that no order exists.
        """
        self._check_service_hours(at_ms)
        checks.check_request(request, self._states, needs_protection=self._needs_protection)
        self._order_number += 1
        order_id = f"{ist_date(at_ms):%y%m%d}{self._order_number:09d}"
        order = Order(order_id, user_id, request, placed_ms=at_ms, updated_ms=at_ms)
        self._working.update(order)
        order = self._working.move(order, OrderStatus.VALIDATION_PENDING, at_ms)
        phase = self._sessions.phase(request.instrument_key, at_ms)
        rejection = self._rejection(order)
        if phase is not Phase.NORMAL_OPEN and request.validity is Validity.IOC:
            rejection = "An IOC order needs an open market"
        if self._sessions.in_closing_auction(request.instrument_key, at_ms):
            rejection = rejection or checks.auction_rejection(request)
        if rejection is not None:
            return self._working.move(order, OrderStatus.REJECTED, at_ms, rejection)
        if phase is Phase.NORMAL_OPEN or phase in _PRE_OPEN:
            return self._held.hold_new(order, at_ms) or self._send_to_exchange(order, at_ms)
        return self._working.move(replace(order, is_amo=True), OrderStatus.AMO_RECEIVED, at_ms)

    def modify(self, user_id: str, order_id: str, modification: Modification, at_ms: int) -> Order:
        """Modify a pending order.

        An order whose modification the exchange or the broker rejects stays unchanged; for an
        after-market order the rejection raises ApiError. Also raises ApiError if there is no
        such order, it is final, or the order service refuses the request.
        """
        self._check_service_hours(at_ms)
        order = self._find(user_id, order_id)
        if order.is_final or self._held.is_held(order):
            raise ApiError(
                ErrorCode.MODIFY_OF_FINAL_ORDER,
                f"An order that is {order.shown_status} cannot be modified",
            )
        request = modification(order.request)
        checks.check_request(request, self._states, needs_protection=self._needs_protection)
        modified = replace(order, request=request)
        rejection = self._rejection(modified)
        if request.quantity <= order.filled_quantity:
            rejection = "More than this is filled already"
        if order.status in AMO_PENDING:
            if rejection is not None:
                raise ApiError(ErrorCode.MODIFY_OF_FINAL_ORDER, rejection)
            return self._working.move(modified, OrderStatus.AMO_MODIFIED, at_ms)
        fault = self._faults.take({FaultKind.NOT_MODIFIED}, user_id=user_id)
        if fault is not None:
            rejection = fault.message or "The exchange has not modified the order"
        status_before = order.status
        order = self._working.move(order, OrderStatus.MODIFY_VALIDATION_PENDING, at_ms)
        if rejection is not None:
            order = self._working.move(order, OrderStatus.NOT_MODIFIED, at_ms, rejection)
            return self._working.move(order, status_before, at_ms, rejection)
        order = self._working.move(order, OrderStatus.MODIFY_PENDING, at_ms)
        order = self._working.move(replace(order, request=request), OrderStatus.MODIFIED, at_ms)
        return self._rest(order, at_ms)

    def cancel(self, user_id: str, order_id: str, at_ms: int) -> Order:
        """Cancel a pending order. Raises ApiError if there is no such order or it is final."""
        self._check_service_hours(at_ms)
        order = self._find(user_id, order_id)
        if order.is_final or order.is_shown_complete:
            raise ApiError(
                ErrorCode.CANCEL_OF_FINAL_ORDER,
                f"An order that is {order.shown_status} cannot be cancelled",
            )
        if self._held.is_held(order):
            return order
        if order.status in AMO_PENDING:
            return self._working.move(order, OrderStatus.AMO_CANCELLED, at_ms)
        return self._held.hold_cancelled(order, at_ms) or self._working.cancel(order, at_ms, "")

    def fill(self, order: Order, quantity: int, price_paise: int | None, at_ms: int) -> Order:
        """Fill a resting order at any price; None means its limit, or the last price.

        Raises ApiError if the order does not rest or less than `quantity` of it is pending.
        """
        is_resting = order.status in (OrderStatus.OPEN, OrderStatus.TRIGGER_PENDING)
        if not is_resting or not 0 < quantity <= order.pending_quantity:
            raise ApiError(ErrorCode.INVALID_INPUT, f"{quantity} of this order cannot be filled")
        return self._working.fill_anyway(
            order, self._states[order.request.instrument_key], quantity, price_paise, at_ms
        )

    def step(self, trades: Sequence[Trade], now_ms: int) -> None:
        """Process the market's trades up to `now_ms`."""
        if trading_day(now_ms) != self._day:
            self._day = trading_day(now_ms)
            self._roll_day(now_ms)
        self._liquidity.clear()
        keys = self._working.keys
        if not keys:
            return
        by_key: dict[str, list[Trade]] = {key: [] for key in keys}
        for trade in trades:
            if trade.key in by_key:
                by_key[trade.key].append(trade)
        for key in keys:
            self._step_key(key, by_key[key], now_ms)
        self._held.release_due(now_ms)

    def _step_key(self, key: str, trades: Sequence[Trade], now_ms: int) -> None:
        continuous = []
        for trade in trades:
            if self._sessions.is_trading(key, trade.time_ms):
                continuous.append(trade)
            else:
                self._match_auction(key, trade)
        self._liquidity[key] = Liquidity(self._states[key], continuous)
        if self._sessions.is_trading(key, now_ms):
            self._process(key, continuous, now_ms)
        elif self._sessions.is_over(key, now_ms):
            self._expire(key, now_ms)
        elif self._sessions.in_closing_auction(key, now_ms):
            self._cancel_for_closing_auction(key, now_ms)

    def pending_orders(self, user_id: str) -> list[Order]:
        """The user's orders that are not final."""
        return self._working.of_user(user_id)

    def _process(self, key: str, trades: Sequence[Trade], now_ms: int) -> None:
        """Trigger and match the pending orders, by price priority, then by time priority."""
        for order in self._working.of_key(key):
            if self._held.is_held(order):
                continue
            if order.status in AMO_PENDING:
                rejection = self._rejection(order)
                if rejection is None:
                    self._send_to_exchange(order, now_ms)
                else:
                    self._working.move(order, OrderStatus.REJECTED, now_ms, rejection)
            elif order.status is OrderStatus.TRIGGER_PENDING:
                self._trigger(order, trades, now_ms)
            else:
                self._match(order, now_ms)

    def _send_to_exchange(self, order: Order, at_ms: int) -> Order:
        exchange_order_id = f"1{order.order_id[6:]:0>15}"
        order = replace(order, exchange_order_id=exchange_order_id)
        return self._rest(self._working.move(order, OrderStatus.OPEN_PENDING, at_ms), at_ms)

    def _rest(self, order: Order, at_ms: int) -> Order:
        if order.request.order_type.has_trigger and not order.triggered:
            return self._working.move(order, OrderStatus.TRIGGER_PENDING, at_ms)
        return self._open(order, at_ms)

    def _open(self, order: Order, at_ms: int) -> Order:
        limit = checks.limit_paise(order.request, self._states[order.request.instrument_key])
        order = self._working.move(replace(order, limit_paise=limit), OrderStatus.OPEN, at_ms)
        order = self._match(order, at_ms)
        if order.request.validity is Validity.IOC and not order.is_final:
            order = self._working.cancel(order, at_ms, "The rest of an IOC order is cancelled")
        return order

    def _trigger(self, order: Order, trades: Sequence[Trade], now_ms: int) -> None:
        sign, trigger = order.request.side.sign, order.request.trigger_paise
        for trade in trades:
            if trade.time_ms > order.updated_ms and sign * trade.price_paise >= sign * trigger:
                self._open(replace(order, triggered=True), now_ms)
                return

    def _match_auction(self, key: str, trade: Trade) -> None:
        orders = self._working.of_key(key)
        for order, quantity in auction_fills(orders, trade):
            self._working.fill(order, trade.price_paise, quantity, trade.time_ms)

    def _cancel_for_closing_auction(self, key: str, now_ms: int) -> None:
        """Cancel what the closing auction does not take (NSE circular CMTR/73362)."""
        for order in self._working.of_key(key):
            is_disclosed = order.request.disclosed_quantity and order.status is OrderStatus.OPEN
            if is_disclosed or order.status is OrderStatus.TRIGGER_PENDING:
                self._working.cancel(order, now_ms, "Not taken in the closing auction")

    def _match(self, order: Order, at_ms: int) -> Order:
        key = order.request.instrument_key
        if not self._sessions.is_trading(key, at_ms):
            return order
        if key not in self._liquidity:
            self._liquidity[key] = Liquidity(self._states[key], ())
        for fill_ms, price_paise, quantity in self._liquidity[key].take(order, at_ms):
            order = self._working.fill(order, price_paise, quantity, fill_ms)
        return order

    def _expire(self, key: str, now_ms: int) -> None:
        self._held.release_key(key, now_ms)
        for order in self._working.of_key(key):
            if order.status not in AMO_PENDING:
                self._working.cancel(order, now_ms, "Expired at the end of the day")

    def _roll_day(self, now_ms: int) -> None:
        for key in self._working.keys:
            self._expire(key, now_ms)
        self._risk_checks.roll_day()
        self.order_store.roll_day()

    def _rejection(self, order: Order) -> str | None:
        """Why the exchange or the broker rejects this order; None if both accept it."""
        request = order.request
        if order.triggered:  # the trigger price no longer applies
            has_limit = request.order_type.has_limit
            request = replace(
                request, order_type=OrderType.LIMIT if has_limit else OrderType.MARKET
            )
        rejection = checks.exchange_rejection(request, self._states[request.instrument_key])
        if rejection is not None:
            return rejection
        pending = self.pending_orders(order.user_id)
        others = [other for other in pending if other.order_id != order.order_id]
        # The filled part is a position already.
        request = replace(request, quantity=order.pending_quantity)
        return self._risk_checks.rejection(order.user_id, request, others)

    def _find(self, user_id: str, order_id: str) -> Order:
        order = self.order_store.find(user_id, order_id)
        if order is None:
            raise ApiError(
                ErrorCode.ORDER_NOT_FOUND, "Order not found", path="order_id", value=order_id
            )
        return order

    def _check_service_hours(self, at_ms: int) -> None:
        if not self._sessions.service_hours_open(at_ms):
            raise ApiError(
                ErrorCode.ORDER_SERVICE_CLOSED,
                "The order service is open from 5:30 AM to 12:00 AM IST",
            )
