"""An order order_manager on a market that does only what the test says."""

from typing import Any

from services.simulator.account.account import Account, Accounts
from services.simulator.market.book import OrderBook
from services.simulator.market.flows import Trade
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import InstrumentState
from services.simulator.orders.order import Fill, Order, OrderRequest, OrderType, Product, Side
from services.simulator.orders.order_manager import OrderManager
from services.simulator.orders.records import Records
from tests.support.builders import MONDAY_10_00

KEY = "NSE_EQ|INE002A01018"
USER = "U1"
LEVEL = 10
"""Quantity of every level of the depth."""


class OrderManagerHarness:
    """Share at 100.00 (tick 0.05), best bid 99.95, best ask 100.00; ten on each level."""

    def __init__(
        self, *, at_ms: int = MONDAY_10_00, opening_rupees: int = 1_000_000, lot_size: int = 1
    ) -> None:
        instrument = ListedInstrument(
            KEY, "RELIANCE", "Reliance", 10_000, 5, lot_size=lot_size, freeze_quantity=1_000
        )
        self.state = InstrumentState(instrument, OrderBook(9_995, 5, lambda: LEVEL))
        self.states = {KEY: self.state}
        self.accounts = Accounts(self.states, opening_paise=opening_rupees * 100)
        self.calendar = SimulatedCalendar()
        self.now_ms = at_ms
        self.order_manager = OrderManager(
            self.states, self.calendar, self.accounts, Records(max_rows=1_000), start_ms=at_ms
        )
        self.told: list[Order] = []
        self.fills: list[Fill] = []
        self.order_manager.on_order.append(self.told.append)
        self.order_manager.on_fill.append(self.fills.append)

    @property
    def account(self) -> Account:
        """Of the user."""
        return self.accounts.of(USER)

    def place(
        self,
        side: Side = Side.BUY,
        quantity: int = 1,
        kind: OrderType = OrderType.LIMIT,
        price: int = 9_990,
        **more: Any,
    ) -> Order:
        """Place an order; a share for the day, by default resting one tick below the bid."""
        price_paise = price if kind.has_limit else 0
        more = dict[str, Any](product=Product.I, price_paise=price_paise) | more
        request = OrderRequest(KEY, side, quantity, order_type=kind, **more)
        return self.order_manager.place(USER, request, self.now_ms)

    def trade(self, price: int, quantity: int = 1_000) -> None:
        """A trade of the market, seen by the order_manager a second later."""
        at_ms = self.now_ms + 500
        self.state.record(at_ms, price, quantity)
        self.now_ms += 1_000
        self.order_manager.step([Trade(KEY, at_ms, price, quantity)], self.now_ms)

    def quiet(self, until_ms: int | None = None) -> None:
        """Time passes without a trade: a second, or until then."""
        self.now_ms = self.now_ms + 1_000 if until_ms is None else until_ms
        self.order_manager.step([], self.now_ms)

    def now(self, order: Order) -> Order:
        """The order as it is now."""
        found = self.order_manager.records.find(USER, order.order_id)
        assert found is not None
        return found

    def statuses(self, order: Order) -> list[str]:
        """All it has been."""
        return [
            moment.status for moment in self.order_manager.records.history(USER, order.order_id)
        ]
