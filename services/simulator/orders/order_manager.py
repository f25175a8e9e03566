"""The order manager: takes orders of all users, works them against the market, tells of each step.

PURE: every moment is an argument (exchange time, epoch ms). An order passes its first
statuses at once; then it rests, and each step of the market may fill it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, Protocol

from services.simulator.market.flows import Trade
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import InstrumentState
from services.simulator.orders import checks
from services.simulator.orders.liquidity import Liquidity
from services.simulator.orders.order import (
    AMO_WAITING,
    Fill,
    Order,
    OrderRequest,
    OrderType,
    Status,
    Validity,
)
from services.simulator.orders.records import Records
from services.simulator.orders.refused import (
    CANCEL_OF_FINAL,
    MODIFY_OF_FINAL,
    NO_SUCH_ORDER,
    SERVICE_HOURS,
    OrderRefused,
)
from shared.market.exchange_calendar import Phase
from shared.market.exchange_time import ist_date, trading_day

_PRE_OPEN: Final = (Phase.PRE_OPEN_START, Phase.PRE_OPEN_END)

Change = Callable[[OrderRequest], OrderRequest]
"""Makes the wanted request of the present one."""


class Risk(Protocol):
    """Who knows what a user can afford."""

    def objection(self, user_id: str, request: OrderRequest, others: Iterable[Order]) -> str | None:
        """Why the broker would reject this order beside the user's `others`, if it would."""
        ...

    def record(self, fill: Fill) -> None:
        """A fill changes what its user has."""
        ...

    def roll_day(self) -> None:
        """A new day begins."""
        ...


class OrderManager:
    """Everything between an order's arrival and its end."""

    def __init__(
        self,
        states: Mapping[str, InstrumentState],
        calendar: SimulatedCalendar,
        risk: Risk,
        records: Records,
        *,
        start_ms: int,
        needs_protection: bool = False,
    ) -> None:
        self._states = states
        self._calendar = calendar
        self._risk = risk
        self.records = records
        self._needs_protection = needs_protection
        self._day = trading_day(start_ms)
        self._live: dict[str, dict[str, Order]] = {}
        self._liquidity: dict[str, Liquidity] = {}
        self._order_number = 0
        self._trade_number = 0
        self.on_order: list[Callable[[Order], None]] = []
        """Called with an order at each of its changes."""
        self.on_fill: list[Callable[[Fill], None]] = []
        """Called after the account has taken the fill in."""

    def place(self, user_id: str, request: OrderRequest, at_ms: int) -> Order:
        """Take an order; it may be filled or rejected when this returns.

        Raises OrderRefused for what makes no order.
        """
        self._check_hours(at_ms)
        checks.check_request(request, self._states, needs_protection=self._needs_protection)
        self._order_number += 1
        order_id = f"{ist_date(at_ms):%y%m%d}{self._order_number:09d}"
        order = Order(order_id, user_id, request, placed_ms=at_ms, updated_ms=at_ms)
        self._now_is(order)
        order = self._move(order, Status.VALIDATION_PENDING, at_ms)
        phase = self._calendar.phase(self._segment(order), at_ms)
        objection = self._objection(order)
        if phase is not Phase.NORMAL_OPEN and request.validity is Validity.IOC:
            objection = "An IOC order needs an open market"
        if self._calendar.closing_auction(self._segment(order), at_ms) is not None:
            objection = objection or checks.auction_objection(request)
        if objection is not None:
            return self._move(order, Status.REJECTED, at_ms, objection)
        if phase is Phase.NORMAL_OPEN or phase in _PRE_OPEN:
            return self._to_exchange(order, at_ms)
        return self._move(replace(order, is_amo=True), Status.AMO_RECEIVED, at_ms)

    def modify(self, user_id: str, order_id: str, change: Change, at_ms: int) -> Order:
        """Change a waiting order; one that may not be so changed stays as it was.

        Raises OrderRefused if there is no such order, or it is final.
        """
        self._check_hours(at_ms)
        order = self._find(user_id, order_id)
        if order.is_final:
            raise OrderRefused(
                MODIFY_OF_FINAL, f"An order that is {order.status} cannot be modified"
            )
        request = change(order.request)
        checks.check_request(request, self._states, needs_protection=self._needs_protection)
        changed = replace(order, request=request)
        objection = self._objection(changed)
        if request.quantity <= order.filled_quantity:
            objection = "More than this is filled already"
        if order.status in AMO_WAITING:
            if objection is not None:
                raise OrderRefused(MODIFY_OF_FINAL, objection)
            return self._move(changed, Status.AMO_MODIFIED, at_ms)
        before = order.status
        order = self._move(order, Status.MODIFY_VALIDATION_PENDING, at_ms)
        if objection is not None:
            order = self._move(order, Status.NOT_MODIFIED, at_ms, objection)
            return self._move(order, before, at_ms, objection)
        order = self._move(order, Status.MODIFY_PENDING, at_ms)
        order = self._move(replace(order, request=request), Status.MODIFIED, at_ms)
        return self._rest(order, at_ms)

    def cancel(self, user_id: str, order_id: str, at_ms: int) -> Order:
        """End a waiting order. Raises OrderRefused if there is no such order, or it is final."""
        self._check_hours(at_ms)
        order = self._find(user_id, order_id)
        if order.is_final:
            raise OrderRefused(
                CANCEL_OF_FINAL, f"An order that is {order.status} cannot be cancelled"
            )
        if order.status in AMO_WAITING:
            return self._move(order, Status.AMO_CANCELLED, at_ms)
        return self._cancel(order, at_ms, "")

    def step(self, trades: Sequence[Trade], now_ms: int) -> None:
        """The market has come to `now_ms` through `trades`."""
        if trading_day(now_ms) != self._day:
            self._day = trading_day(now_ms)
            self._roll_day(now_ms)
        self._liquidity.clear()
        waiting = [key for key, orders in self._live.items() if orders]
        if not waiting:
            return
        by_key: dict[str, list[Trade]] = {key: [] for key in waiting}
        for trade in trades:
            if trade.key in by_key:
                by_key[trade.key].append(trade)
        for key in waiting:
            state = self._states[key]
            phase = self._calendar.phase(state.instrument.segment, now_ms)
            self._liquidity[key] = Liquidity(state, by_key[key])
            if phase is Phase.NORMAL_OPEN:
                self._work(key, by_key[key], now_ms)
            elif phase not in _PRE_OPEN:
                self._expire(key, now_ms)

    def waiting(self, user_id: str) -> list[Order]:
        """The user's orders that may still be filled."""
        return [
            order
            for orders in self._live.values()
            for order in orders.values()
            if order.user_id == user_id
        ]

    def _work(self, key: str, trades: Sequence[Trade], now_ms: int) -> None:
        # The best price goes first, then who came first.
        def priority(order: Order) -> tuple[int, str]:
            limit = order.limit_paise
            return (-order.request.side.sign * limit if limit else -1 << 62, order.order_id)

        for order in sorted(self._live[key].values(), key=priority):
            if order.status in AMO_WAITING:
                objection = self._objection(order)
                if objection is None:
                    self._to_exchange(order, now_ms)
                else:
                    self._move(order, Status.REJECTED, now_ms, objection)
            elif order.status is Status.TRIGGER_PENDING:
                self._trigger(order, trades, now_ms)
            else:
                self._match(order, now_ms)

    def _to_exchange(self, order: Order, at_ms: int) -> Order:
        exchange_order_id = f"1{order.order_id[6:]:0>15}"
        order = replace(order, exchange_order_id=exchange_order_id)
        return self._rest(self._move(order, Status.OPEN_PENDING, at_ms), at_ms)

    def _rest(self, order: Order, at_ms: int) -> Order:
        request = order.request
        if request.order_type.has_trigger and not order.triggered:
            return self._move(order, Status.TRIGGER_PENDING, at_ms)
        return self._open(order, at_ms)

    def _open(self, order: Order, at_ms: int) -> Order:
        limit = checks.worst_price(order.request, self._states[order.request.instrument_key])
        order = self._move(replace(order, limit_paise=limit), Status.OPEN, at_ms)
        order = self._match(order, at_ms)
        if order.request.validity is Validity.IOC and not order.is_final:
            order = self._cancel(order, at_ms, "The rest of an IOC order is cancelled")
        return order

    def _trigger(self, order: Order, trades: Sequence[Trade], now_ms: int) -> None:
        sign, trigger = order.request.side.sign, order.request.trigger_paise
        for trade in trades:
            if trade.time_ms > order.updated_ms and sign * trade.price_paise >= sign * trigger:
                self._open(replace(order, triggered=True), now_ms)
                return

    def _match(self, order: Order, at_ms: int) -> Order:
        key = order.request.instrument_key
        state = self._states[key]
        if not self._calendar.is_open(state.instrument.segment, at_ms):
            return order
        if key not in self._liquidity:
            self._liquidity[key] = Liquidity(state, ())
        for fill_ms, price_paise, quantity in self._liquidity[key].take(order, at_ms):
            order = order.fill(price_paise, quantity, fill_ms)
            self._trade_number += 1
            fill = Fill(str(self._trade_number), order, price_paise, quantity, fill_ms)
            self.records.add_fill(fill)
            self._risk.record(fill)
            self._now_is(order)
            for listener in self.on_fill:
                listener(fill)
        return order

    def _cancel(self, order: Order, at_ms: int, message: str) -> Order:
        order = self._move(order, Status.CANCEL_PENDING, at_ms)
        return self._move(order, Status.CANCELLED, at_ms, message)

    def _expire(self, key: str, now_ms: int) -> None:
        for order in list(self._live[key].values()):
            if order.status not in AMO_WAITING:
                self._cancel(order, now_ms, "Expired at the end of the day")

    def _roll_day(self, now_ms: int) -> None:
        for key in list(self._live):
            self._expire(key, now_ms)
        self._risk.roll_day()
        self.records.roll_day()

    def _objection(self, order: Order) -> str | None:
        others = [
            other for other in self.waiting(order.user_id) if other.order_id != order.order_id
        ]
        request = order.request
        if order.triggered:  # its trigger is behind it
            limited = request.order_type.has_limit
            request = replace(request, order_type=OrderType.LIMIT if limited else OrderType.MARKET)
        found = checks.exchange_objection(request, self._states[request.instrument_key])
        request = replace(request, quantity=order.pending_quantity)  # the rest is held
        return found or self._risk.objection(order.user_id, request, others)

    def _find(self, user_id: str, order_id: str) -> Order:
        order = self.records.find(user_id, order_id)
        if order is None:
            raise OrderRefused(NO_SUCH_ORDER, "Order not found", path="order_id", value=order_id)
        return order

    def _check_hours(self, at_ms: int) -> None:
        if not self._calendar.service_hours_open(at_ms):
            raise OrderRefused(
                SERVICE_HOURS, "The order service is open from 5:30 AM to 12:00 AM IST"
            )

    def _segment(self, order: Order) -> str:
        return self._states[order.request.instrument_key].instrument.segment

    def _move(self, order: Order, status: Status, at_ms: int, message: str = "") -> Order:
        order = order.move(status, at_ms, message)
        self._now_is(order)
        return order

    def _now_is(self, order: Order) -> None:
        self.records.add(order)
        live = self._live.setdefault(order.request.instrument_key, {})
        if order.is_final:
            live.pop(order.order_id, None)
        else:
            live[order.order_id] = order
        for listener in self.on_order:
            listener(order)
