"""The book of all GTT orders: places, modifies, cancels and triggers them.

Every time is an argument (exchange time, epoch ms).
"""

from collections.abc import Callable, Mapping, Sequence

from services.simulator.errors import ApiError, ErrorCode
from services.simulator.market.flows import Trade
from services.simulator.market.state import SimulatedState
from services.simulator.orders.gtt import (
    Gtt,
    GttType,
    Rule,
    RuleStatus,
    Strategy,
    TriggerType,
    check_rules,
)
from services.simulator.orders.order import Order, OrderStatus, Product, Side
from services.simulator.orders.order_manager import OrderManager
from shared.market.exchange_time import ist_date


class GttBook:
    """At most `max_rows` GTT orders; the oldest without pending rules are dropped."""

    def __init__(
        self, order_manager: OrderManager, states: Mapping[str, SimulatedState], *, max_rows: int
    ) -> None:
        self._order_manager = order_manager
        self._states = states
        self._max_rows = max_rows
        self._gtts: dict[str, Gtt] = {}
        self._working_entries: dict[str, Gtt] = {}
        """By the id of the entry's order, while that order is not final."""
        self._number = 0
        self.on_change: list[Callable[[Gtt], None]] = []
        """Called with a GTT order after each of its changes."""
        order_manager.on_order.append(self._on_order)

    def place(
        self,
        user_id: str,
        gtt_type: GttType,
        instrument_key: str,
        side: Side,
        product: Product,
        quantity: int,
        rules: list[Rule],
        at_ms: int,
    ) -> Gtt:
        """Create a GTT order; an immediate entry places its order at once.

        Raises ApiError if the instrument, the quantity or the rules are invalid.
        """
        state = self._states.get(instrument_key)
        if state is None or state.instrument.is_index:
            raise ApiError(
                ErrorCode.UNKNOWN_INSTRUMENT_KEY, "Invalid Instrument key", path="instrument_token"
            )
        _check(gtt_type, quantity, rules)
        self._number += 1
        gtt_id = f"GTT-C{ist_date(at_ms):%y%m%d}{self._number:08d}"
        gtt = Gtt(gtt_id, user_id, gtt_type, instrument_key, side, product, quantity, rules, at_ms)
        self._make_room()
        self._gtts[gtt_id] = gtt
        self._notify(gtt)
        self._trigger_immediate(gtt, at_ms)
        return gtt

    def modify(
        self,
        user_id: str,
        gtt_id: str,
        gtt_type: GttType,
        quantity: int,
        rules: list[Rule],
        at_ms: int,
    ) -> Gtt:
        """Replace the pending rules and the quantity.

        An entry that becomes immediate places its order at once. Raises ApiError if there is
        no such GTT order, none of its rules is pending, or the new rules are invalid.
        """
        gtt = self._find_pending(user_id, gtt_id)
        _check(gtt_type, quantity, rules)
        if gtt_type is not gtt.type or {r.strategy for r in rules} != {
            r.strategy for r in gtt.rules
        }:
            raise ApiError(
                ErrorCode.INVALID_GTT_RULES, "Type and strategies cannot be modified", path="rules"
            )
        new_rules = {rule.strategy: rule for rule in rules}
        gtt.rules = [
            new_rules[rule.strategy] if rule.status is RuleStatus.PENDING else rule
            for rule in gtt.rules
        ]
        gtt.quantity = quantity
        self._notify(gtt)
        self._trigger_immediate(gtt, at_ms)
        return gtt

    def cancel(self, user_id: str, gtt_id: str) -> Gtt:
        """Cancel the pending rules.

        Raises ApiError if there is no such GTT order or none of its rules is pending.
        """
        gtt = self._find_pending(user_id, gtt_id)
        gtt.end(RuleStatus.CANCELLED)
        self._notify(gtt)
        return gtt

    def of_user(self, user_id: str, gtt_id: str | None = None) -> list[Gtt]:
        """The user's GTT orders, oldest first; with `gtt_id` only that one."""
        return [
            gtt
            for gtt in self._gtts.values()
            if gtt.user_id == user_id and gtt_id in (None, gtt.gtt_id)
        ]

    def step(self, trades: Sequence[Trade], now_ms: int) -> None:
        """Process the market's trades up to `now_ms`."""
        pending = [gtt for gtt in self._gtts.values() if gtt.is_pending]
        if not pending:
            return
        keys = {gtt.instrument_key for gtt in pending}
        by_key: dict[str, list[Trade]] = {key: [] for key in keys}
        for trade in trades:
            if trade.key in keys:
                by_key[trade.key].append(trade)
        for gtt in pending:
            if now_ms >= gtt.expires_ms:
                gtt.end(RuleStatus.CANCELLED, "Expired")
                self._notify(gtt)
                continue
            for trade in by_key[gtt.instrument_key]:
                if trade.time_ms > gtt.created_ms:
                    self._process_trade(gtt, trade, now_ms)

    def _process_trade(self, gtt: Gtt, trade: Trade, now_ms: int) -> None:
        for rule in gtt.active_rules(trade.time_ms):
            if rule.is_reached(gtt.side, trade.price_paise):
                self._trigger(gtt, rule, now_ms)
                return
            if rule.trail(gtt.side, trade.price_paise):
                self._notify(gtt)

    def _trigger_immediate(self, gtt: Gtt, at_ms: int) -> None:
        for rule in gtt.rules:
            is_waiting = rule.strategy is Strategy.ENTRY and rule.status is RuleStatus.PENDING
            if is_waiting and rule.trigger_type is TriggerType.IMMEDIATE:
                self._trigger(gtt, rule, at_ms)

    def _trigger(self, gtt: Gtt, rule: Rule, now_ms: int) -> None:
        is_entry = rule.strategy is Strategy.ENTRY
        try:
            order = self._order_manager.place(gtt.user_id, gtt.order_request(rule), now_ms)
        except ApiError as error:
            rule.status, rule.message = RuleStatus.FAILED, error.message
            gtt.end(RuleStatus.CANCELLED)
        else:
            rule.order_id = order.order_id
            is_rejected = order.status is OrderStatus.REJECTED
            rule.status = RuleStatus.FAILED if is_rejected else RuleStatus.COMPLETED
            rule.message = order.message
            if is_rejected or not is_entry:
                gtt.end(RuleStatus.CANCELLED)
            elif order.is_final:
                _finish_entry(gtt, order)
            else:
                self._working_entries[order.order_id] = gtt
        self._notify(gtt)

    def _on_order(self, order: Order) -> None:
        if order.is_final and order.order_id in self._working_entries:
            gtt = self._working_entries.pop(order.order_id)
            _finish_entry(gtt, order)
            self._notify(gtt)

    def _find_pending(self, user_id: str, gtt_id: str) -> Gtt:
        gtt = self._gtts.get(gtt_id)
        if gtt is None or gtt.user_id != user_id:
            raise ApiError(
                ErrorCode.GTT_NOT_FOUND, "GTT order not found", path="gtt_order_id", value=gtt_id
            )
        if not gtt.is_pending:
            raise ApiError(ErrorCode.GTT_FINAL, "Nothing of this GTT order waits any more")
        return gtt

    def _make_room(self) -> None:
        if len(self._gtts) >= self._max_rows:
            oldest_final = next(
                (gtt_id for gtt_id, gtt in self._gtts.items() if not gtt.is_pending), None
            )
            if oldest_final is None:
                raise ApiError(
                    ErrorCode.INVALID_GTT_RULES, f"At most {self._max_rows} GTT orders may wait"
                )
            del self._gtts[oldest_final]

    def _notify(self, gtt: Gtt) -> None:
        for listener in self.on_change:
            listener(gtt)


def _check(gtt_type: GttType, quantity: int, rules: Sequence[Rule]) -> None:
    if quantity <= 0:
        raise ApiError(ErrorCode.ZERO_QUANTITY, "The quantity cannot be zero", path="quantity")
    check_rules(gtt_type, rules)


def _finish_entry(gtt: Gtt, entry: Order) -> None:
    """Let the exits begin, or cancel them if the final order of the entry has no fill."""
    if entry.filled_quantity:
        gtt.entered_ms = entry.updated_ms
        gtt.quantity = entry.filled_quantity  # the exits close what was filled
    else:
        gtt.end(RuleStatus.CANCELLED, f"The entry's order is {entry.status}")
