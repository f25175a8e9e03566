"""An order manager on a market whose trades the test makes."""

from typing import Any

from services.simulator.account.account import TradingAccount, TradingAccounts
from services.simulator.fault_injection.fault_kinds import FaultKind
from services.simulator.fault_injection.faults import Fault, Faults
from services.simulator.market.book import OrderBook
from services.simulator.market.flows import Trade
from services.simulator.market.instruments import ListedInstrument
from services.simulator.market.simulated_calendar import SimulatedCalendar
from services.simulator.market.state import SimulatedState
from services.simulator.orders.order import Fill, Order, OrderRequest, OrderType, Product, Side
from services.simulator.orders.order_manager import OrderManager
from services.simulator.orders.order_store import OrderStore
from tests.support.builders import MONDAY_10_00

KEY = "NSE_EQ|INE002A01018"
USER = "U1"
LEVEL = 10
"""Quantity of each level of the depth."""


class OrderManagerHarness:
    """A share at 100.00 (tick 0.05), best bid 99.95, best ask 100.00, quantity 10 per level."""

    def __init__(
        self, *, at_ms: int = MONDAY_10_00, opening_rupees: int = 1_000_000, lot_size: int = 1
    ) -> None:
        instrument = ListedInstrument(
            KEY, "RELIANCE", "Reliance", 10_000, 5, lot_size=lot_size, freeze_quantity=1_000
        )
        self.state = SimulatedState(instrument, OrderBook(9_995, 5, lambda: LEVEL))
        self.states = {KEY: self.state}
        self.accounts = TradingAccounts(self.states, opening_paise=opening_rupees * 100)
        self.calendar = SimulatedCalendar(always_open=False)
        self.now_ms = at_ms
        self.order_store = OrderStore(max_rows=1_000)
        self.faults = Faults()
        self.order_manager = OrderManager(
            self.states, self.calendar, self.accounts, self.order_store,
            start_ms=at_ms, faults=self.faults,
        )  # fmt: skip
        self.versions: list[Order] = []
        """All versions of all orders, as the order manager published them."""
        self.fills: list[Fill] = []
        self.order_manager.on_order.append(self.versions.append)
        self.order_manager.on_fill.append(self.fills.append)

    @property
    def account(self) -> TradingAccount:
        """The account of the user."""
        return self.accounts.of(USER)

    def place(
        self,
        side: Side = Side.BUY,
        quantity: int = 1,
        order_type: OrderType = OrderType.LIMIT,
        price: int = 9_990,
        **more: Any,
    ) -> Order:
        """Place an intraday order; by default it rests one tick below the best bid."""
        price_paise = price if order_type.has_limit else 0
        more = dict[str, Any](product=Product.I, price_paise=price_paise) | more
        request = OrderRequest(KEY, side, quantity, order_type=order_type, **more)
        return self.order_manager.place(USER, request, self.now_ms)

    def arm(self, kind: FaultKind, **options: Any) -> None:
        """Arm a fault."""
        self.faults.arm(Fault(kind, **options))

    def trade(self, price: int, quantity: int = 1_000) -> None:
        """Make a trade in the market and advance by a second."""
        at_ms = self.now_ms + 500
        self.state.record(at_ms, price, quantity)
        self.now_ms += 1_000
        self.order_manager.step([Trade(KEY, at_ms, price, quantity)], self.now_ms)

    def advance(self, until_ms: int | None = None) -> None:
        """Advance without a trade, by a second or to `until_ms`."""
        self.now_ms = self.now_ms + 1_000 if until_ms is None else until_ms
        self.order_manager.step([], self.now_ms)

    def latest(self, order: Order) -> Order:
        """The latest version of the order."""
        latest = self.order_store.find(USER, order.order_id)
        assert latest is not None
        return latest

    def statuses(self, order: Order) -> list[str]:
        """The statuses of all versions of the order."""
        return [version.status for version in self.order_store.history(USER, order.order_id)]
