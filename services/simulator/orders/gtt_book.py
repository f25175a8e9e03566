"""All GTT orders: takes them in, watches the market's trades for them, tells of each change.

PURE: every moment is an argument (exchange time, epoch ms).
"""

from collections.abc import Callable, Mapping, Sequence

from services.simulator.market.flows import Trade
from services.simulator.market.state import InstrumentState
from services.simulator.orders.gtt import (
    Gtt,
    GttType,
    Rule,
    RuleStatus,
    Strategy,
    TriggerType,
    check_rules,
)
from services.simulator.orders.order import Order, Product, Side, Status
from services.simulator.orders.order_manager import OrderManager
from services.simulator.orders.refused import (
    GTT_FINAL,
    GTT_NOT_FOUND,
    GTT_RULES,
    UNKNOWN_KEY,
    ZERO_QUANTITY,
    OrderRefused,
)
from shared.market.exchange_time import ist_date


class GttBook:
    """Keeps at most `max_rows`; of those that are over, the oldest go."""

    def __init__(
        self, order_manager: OrderManager, states: Mapping[str, InstrumentState], *, max_rows: int
    ) -> None:
        self._order_manager = order_manager
        self._states = states
        self._max_rows = max_rows
        self._gtts: dict[str, Gtt] = {}
        self._entries: dict[str, Gtt] = {}
        """By the id of an entry's order that is not final yet."""
        self._number = 0
        self.on_change: list[Callable[[Gtt], None]] = []
        order_manager.on_order.append(self._order_changed)

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
        """Take one in; an immediate entry places its order at once.

        Raises OrderRefused if it makes no sense.
        """
        state = self._states.get(instrument_key)
        if state is None or state.instrument.is_index:
            raise OrderRefused(UNKNOWN_KEY, "Invalid Instrument key", path="instrument_token")
        self._check(gtt_type, quantity, rules)
        self._number += 1
        gtt_id = f"GTT-C{ist_date(at_ms):%y%m%d}{self._number:08d}"
        gtt = Gtt(gtt_id, user_id, gtt_type, instrument_key, side, product, quantity, rules, at_ms)
        self._make_room()
        self._gtts[gtt_id] = gtt
        self._tell(gtt)
        self._fire_immediate(gtt, at_ms)
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
        """Give the rules that still wait new prices, and what they place a new quantity.

        An entry that becomes immediate places its order at once.

        Raises OrderRefused if there is no such order, or nothing waits any more.
        """
        gtt = self._find(user_id, gtt_id)
        self._check(gtt_type, quantity, rules)
        if gtt_type is not gtt.type or {r.strategy for r in rules} != {
            r.strategy for r in gtt.rules
        }:
            raise OrderRefused(GTT_RULES, "Type and strategies cannot be modified", path="rules")
        fresh = {rule.strategy: rule for rule in rules}
        gtt.rules = [
            fresh[rule.strategy] if rule.status is RuleStatus.PENDING else rule
            for rule in gtt.rules
        ]
        gtt.quantity = quantity
        self._tell(gtt)
        self._fire_immediate(gtt, at_ms)
        return gtt

    def cancel(self, user_id: str, gtt_id: str) -> Gtt:
        """End what still waits. Raises OrderRefused as `modify` does."""
        gtt = self._find(user_id, gtt_id)
        gtt.end(RuleStatus.CANCELLED)
        self._tell(gtt)
        return gtt

    def of_user(self, user_id: str, gtt_id: str | None = None) -> list[Gtt]:
        """The user's, oldest first; of one id if it is given."""
        return [
            gtt
            for gtt in self._gtts.values()
            if gtt.user_id == user_id and gtt_id in (None, gtt.gtt_id)
        ]

    def step(self, trades: Sequence[Trade], now_ms: int) -> None:
        """The market has come to `now_ms` through `trades`."""
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
                self._tell(gtt)
                continue
            for trade in by_key[gtt.instrument_key]:
                if trade.time_ms > gtt.created_ms:
                    self._see(gtt, trade, now_ms)

    def _see(self, gtt: Gtt, trade: Trade, now_ms: int) -> None:
        for rule in gtt.waiting(trade.time_ms):
            if rule.is_reached(gtt.side, trade.price_paise):
                self._fire(gtt, rule, now_ms)
                return
            if rule.trail(gtt.side, trade.price_paise):
                self._tell(gtt)

    def _fire_immediate(self, gtt: Gtt, at_ms: int) -> None:
        for rule in gtt.rules:
            waits = rule.strategy is Strategy.ENTRY and rule.status is RuleStatus.PENDING
            if waits and rule.trigger_type is TriggerType.IMMEDIATE:
                self._fire(gtt, rule, at_ms)

    def _fire(self, gtt: Gtt, rule: Rule, now_ms: int) -> None:
        is_entry = rule.strategy is Strategy.ENTRY
        try:
            order = self._order_manager.place(gtt.user_id, gtt.request(rule), now_ms)
        except OrderRefused as refused:
            rule.status, rule.message = RuleStatus.FAILED, refused.message
            gtt.end(RuleStatus.CANCELLED)
        else:
            rule.order_id = order.order_id
            rejected = order.status is Status.REJECTED
            rule.status = RuleStatus.FAILED if rejected else RuleStatus.COMPLETED
            rule.message = order.message
            if rejected or not is_entry:
                gtt.end(RuleStatus.CANCELLED)
            elif order.is_final:
                self._entered(gtt, order)
            else:
                self._entries[order.order_id] = gtt
        self._tell(gtt)

    def _order_changed(self, order: Order) -> None:
        if order.is_final and order.order_id in self._entries:
            gtt = self._entries.pop(order.order_id)
            self._entered(gtt, order)
            self._tell(gtt)

    def _entered(self, gtt: Gtt, entry: Order) -> None:
        if entry.filled_quantity:
            gtt.entered_ms = entry.updated_ms
            gtt.quantity = entry.filled_quantity  # the exits undo what there is
        else:
            gtt.end(RuleStatus.CANCELLED, f"The entry's order is {entry.status}")

    def _check(self, gtt_type: GttType, quantity: int, rules: Sequence[Rule]) -> None:
        if quantity <= 0:
            raise OrderRefused(ZERO_QUANTITY, "The quantity cannot be zero", path="quantity")
        check_rules(gtt_type, rules)

    def _find(self, user_id: str, gtt_id: str) -> Gtt:
        gtt = self._gtts.get(gtt_id)
        if gtt is None or gtt.user_id != user_id:
            raise OrderRefused(
                GTT_NOT_FOUND, "GTT order not found", path="gtt_order_id", value=gtt_id
            )
        if not gtt.is_pending:
            raise OrderRefused(GTT_FINAL, "Nothing of this GTT order waits any more")
        return gtt

    def _make_room(self) -> None:
        if len(self._gtts) >= self._max_rows:
            over = next((key for key, gtt in self._gtts.items() if not gtt.is_pending), None)
            if over is None:
                raise OrderRefused(GTT_RULES, f"At most {self._max_rows} GTT orders may wait")
            del self._gtts[over]

    def _tell(self, gtt: Gtt) -> None:
        for listener in self.on_change:
            listener(gtt)
